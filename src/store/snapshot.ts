import { createHash } from 'node:crypto';
import { isObservation } from '../event/columns.ts';
import type { Hlc, NodeId, Vector } from '../event/types.ts';
import type { IndicatorRecord } from '../indicator/types.ts';
import { isBehind, newestKey, recordKey } from './keys.ts';
import { decodeRecord, encodeRecord } from './record-codec.ts';
import { newRows } from './rows.ts';
import type { Level, RecordTables } from './tables.ts';

/** What the records of a snapshot contain, which is told behind them. */
export type SnapshotState = {
  readonly vector: Vector;
  readonly lastMs: ReadonlyMap<NodeId, number>;
  readonly lastHlc: Hlc;
};

/** Records in key order: everything behind the chunk before it, up to and including `end`. */
export type SnapshotChunk = {
  readonly end: string;
  /** Their stored texts, which hold no line break, each with one behind it. */
  readonly bytes: Uint8Array;
  /** SHA-256 over them. */
  readonly digest: Uint8Array;
  /** Whether nothing comes behind it. */
  readonly last: boolean;
};

/** The end of a snapshot whose last chunk has no records of its own. */
export const lastEnd = '\u007f';

/** All records of one moment, read from first to last while the store goes on. */
export interface SnapshotSource extends AsyncDisposable {
  readonly state: SnapshotState;
  /** Records in it. */
  readonly records: number;
  /** The next chunk, of about `bytesMax`; it ends at `end` at the latest, if one is given. */
  next(bytesMax: number, end?: string): Promise<SnapshotChunk>;
}

const rowsAtOnce = 1_000;

/** Over an iterator that sees the records as they were when it was made. */
export function readSnapshot(tables: RecordTables, state: SnapshotState, count: number): SnapshotSource {
  const iterator = tables.records.iterator();
  let rows: [string, string][] = [];
  let at = 0;
  let ended = false;

  return {
    state,
    records: count,
    async next(bytesMax, end = lastEnd) {
      const texts: string[] = [];
      let characters = 0;
      let last: string | undefined;
      for (;;) {
        if (at >= rows.length && !ended) {
          rows = await iterator.nextv(rowsAtOnce);
          at = 0;
          ended = rows.length === 0;
        }
        const row = rows[at];
        if (row === undefined) return chunkOf(texts, lastEnd, true);
        const [key, text] = row;
        if (isBehind(key, end)) return chunkOf(texts, end, false);
        if (characters >= bytesMax) return chunkOf(texts, last ?? key, false);
        texts.push(text);
        characters += text.length + 1;
        last = key;
        at++;
      }
    },
    async [Symbol.asyncDispose]() {
      await iterator.close();
    },
  };
}

function chunkOf(texts: readonly string[], end: string, last: boolean): SnapshotChunk {
  const bytes = Buffer.from(texts.length === 0 ? '' : `${texts.join('\n')}\n`);
  return { end, bytes, digest: createHash('sha256').update(bytes).digest(), last };
}

/** A row of a snapshot that was checked: its key, its text, and when it was reported. */
export type SnapshotRow = {
  readonly key: string;
  readonly text: string;
  readonly reporttimeMs: IndicatorRecord['reporttimeMs'];
};

/**
 * Reads a chunk's text of another node: every record is checked like one that came as an event, and stands in its place.
 * Undefined when one is not as it must be; then the whole chunk is refused, as its digest would be another.
 */
export function readTexts(bytes: Uint8Array, after: string, end: string): readonly SnapshotRow[] | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
  const rows: SnapshotRow[] = [];
  let last = after;
  for (let start = 0; start < text.length; ) {
    const stop = text.indexOf('\n', start);
    if (stop === -1) return undefined;
    const line = text.slice(start, stop);
    start = stop + 1;
    const record = openRecord(line);
    if (record === undefined) return undefined;
    const key = recordKey(record);
    if (!isBehind(key, last) || isBehind(key, end)) return undefined;
    rows.push({ key, text: line, reporttimeMs: record.reporttimeMs });
    last = key;
  }
  return rows;
}

function openRecord(text: string): IndicatorRecord | undefined {
  try {
    const record = decodeRecord(text);
    const { reporttimeMs, stamp, ...observation } = record;
    const isRecord =
      Number.isSafeInteger(reporttimeMs) &&
      reporttimeMs >= 0 &&
      stamp.hlc >= 0n &&
      /^[0-9a-f]{32}$/.test(stamp.origin) &&
      Number.isSafeInteger(record.count) &&
      // It is the sum of what events count, each of which has its cap.
      isObservation({ ...observation, count: Math.min(1, record.count) }) &&
      encodeRecord(record) === text;
    return isRecord ? record : undefined;
  } catch {
    // No JSON, or no list.
    return undefined;
  }
}

/** A snapshot on its way into the store, beside the records in use. Chunks come in order; a new attempt may begin anew. */
export interface SnapshotSink {
  /** Puts rows in the place of all that was put behind `after`, up to `end`. Synced. */
  put(after: string, end: string, rows: readonly SnapshotRow[]): Promise<void>;
  /**
   * Takes the place of the records in use. Events of the log that it does not contain are applied to it. Answers whether the
   * log had every event of the records before: then those say nothing that is not in the log.
   */
  install(state: SnapshotState): Promise<{ readonly logWasWhole: boolean }>;
  /** Removes what was put. */
  discard(): Promise<void>;
}

export async function putRows(
  level: Level,
  { records, newest }: RecordTables,
  after: string,
  end: string,
  rows: readonly SnapshotRow[],
): Promise<number> {
  const writing = newRows(level);
  let change = rows.length;
  // What an earlier attempt put here is another moment's.
  for await (const [key, text] of records.iterator({ gt: after, lte: end })) {
    const reporttimeMs = reporttimeOf(text);
    writing.del(records, key);
    writing.del(newest, newestKey(reporttimeMs, key));
    change--;
  }
  for (const { key, text, reporttimeMs } of rows) {
    writing.put(records, key, text);
    writing.put(newest, newestKey(reporttimeMs, key), '');
  }
  await writing.write();
  return change;
}

function reporttimeOf(text: string): number {
  // The place that record-codec.ts gives it.
  return Number((JSON.parse(text) as readonly unknown[])[10]);
}
