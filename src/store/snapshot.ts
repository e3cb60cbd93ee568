import { isAscii, isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { isObservation, isText, isTime, isWhole } from '../event/columns.ts';
import type { Hlc, NodeId, Vector } from '../event/types.ts';
import { observationLimits } from '../indicator/limits.ts';
import { compareStamps } from '../indicator/record.ts';
import type { IndicatorRecord, Retracted, Sightings } from '../indicator/types.ts';
import type { Counts } from './counts.ts';
import {
  decodeStrangeDocument,
  documentKey,
  isDocumentKey,
  isDocumentText,
  type StoredDocument,
} from './document.ts';
import { isBehind, recordKey } from './keys.ts';
import { decodeRecord, decodeStrangeRecord } from './record-codec.ts';
import { countDeltas, type RecordChange, recordRows } from './record-rows.ts';
import { newRows } from './rows.ts';
import type { Level, RecordTables } from './tables.ts';
import { addValueRows, loadValueLists } from './value-index.ts';

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

/** What is read at once. classic-level stops at 16 KiB unless told otherwise, which costs half as much again. */
const readAtOnce = { rows: 1_000, bytes: 256 * 1024 };
/** Room for one more row behind a chunk that is nearly full; for a longer one more is made. */
const spareBytes = 16 * 1024;
const lineBreak = 0x0a;

/** Over an iterator that sees the records as they were when it was made. */
export function readSnapshot(tables: RecordTables, state: SnapshotState, count: number): SnapshotSource {
  // Of LevelDB on disk only; the type knows what all kinds have.
  const options = { reverse: false, highWaterMarkBytes: readAtOnce.bytes };
  const iterator = tables.records.iterator(options);
  let rows: [string, string][] = [];
  let at = 0;
  let ended = false;

  return {
    state,
    records: count,
    async next(bytesMax, end = lastEnd) {
      const texts = textsOf(bytesMax);
      let last: string | undefined;
      for (;;) {
        if (at >= rows.length && !ended) {
          rows = await iterator.nextv(readAtOnce.rows);
          at = 0;
          ended = rows.length === 0;
        }
        const row = rows[at];
        if (row === undefined) return { end: lastEnd, ...texts.all(), last: true };
        const [key, text] = row;
        if (isBehind(key, end)) return { end, ...texts.all(), last: false };
        if (texts.bytes() >= bytesMax) return { end: last ?? key, ...texts.all(), last: false };
        texts.add(text);
        last = key;
        at++;
      }
    },
    async [Symbol.asyncDispose]() {
      await iterator.close();
    },
  };
}

/**
 * Texts one behind the other, each with a line break. Not joined as a string: one of the length of a chunk is too large for
 * the heap's pages, gets memory of its own from the system, and costs more than all that is done with it.
 */
function textsOf(bytesMax: number) {
  let room = Buffer.allocUnsafe(bytesMax + spareBytes);
  let used = 0;
  return {
    bytes: () => used,
    add(text: string): void {
      const needed = used + 3 * text.length + 1;
      if (needed > room.length) room = Buffer.concat([room], 2 * needed);
      used += room.write(text, used);
      room[used++] = lineBreak;
    },
    all() {
      const bytes = room.subarray(0, used);
      return { bytes, digest: createHash('sha256').update(bytes).digest() };
    },
  };
}

/** A row of a snapshot that was checked. */
export type SnapshotRow = {
  readonly key: string;
  readonly text: string;
  /** Absent when it is a document. */
  readonly record?: IndicatorRecord;
};

/**
 * Reads a chunk's text of another node: every record is checked like one that came as an event, and stands in its place.
 * Undefined when one is not as it must be; then the whole chunk is refused, as its digest would be another.
 */
export function readTexts(bytes: Uint8Array, after: string, end: string): readonly SnapshotRow[] | undefined {
  if (!isUtf8(bytes)) return undefined;
  const encoding = isAscii(bytes) ? 'latin1' : 'utf8';
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const rows: SnapshotRow[] = [];
  let last = after;
  for (let start = 0; start < buffer.length; ) {
    const stop = buffer.indexOf(lineBreak, start);
    if (stop === -1) return undefined;
    const text = buffer.toString(encoding, start, stop);
    start = stop + 1;
    const row = isDocumentText(text) ? openDocument(text) : openRecord(text);
    if (row === undefined || !isBehind(row.key, last)) return undefined;
    rows.push(row);
    last = row.key;
  }
  return isBehind(last, end) ? undefined : rows;
}

function openDocument(text: string): SnapshotRow | undefined {
  let document: StoredDocument | undefined;
  try {
    document = decodeStrangeDocument(text);
  } catch {
    // No JSON.
  }
  return document && { key: documentKey(document.collection, document.id), text };
}

function openRecord(text: string): SnapshotRow | undefined {
  try {
    const record = decodeStrangeRecord(text);
    if (record === undefined) return undefined;
    const { reporttimeMs, stamp, count, sightings, retracted } = record;
    const isRecord =
      isWhole(0, Number.MAX_SAFE_INTEGER)(reporttimeMs) &&
      isOrigin(stamp.origin) &&
      isWhole(0, Number.MAX_SAFE_INTEGER)(count) &&
      (sightings === undefined || areSightings(sightings)) &&
      (retracted === undefined || (isRetracted(retracted) && compareStamps(retracted, stamp) > 0)) &&
      (count > 0 || sightings !== undefined || retracted !== undefined) &&
      // The count is the sum of what events count, each of which has its cap; or nothing was observed.
      isObservation(count > observationLimits.countMax || count === 0 ? { ...record, count: 1 } : record);
    return isRecord ? { key: recordKey(record), text, record } : undefined;
  } catch {
    // No JSON.
    return undefined;
  }
}

function areSightings({ count, lasttimeMs }: Sightings): boolean {
  return isWhole(1, Number.MAX_SAFE_INTEGER)(count) && isTime(lasttimeMs);
}

function isRetracted({ origin, reason }: Retracted): boolean {
  return isOrigin(origin) && isText(observationLimits.reasonCharactersMax)(reason);
}

function isOrigin(origin: unknown): boolean {
  return typeof origin === 'string' && /^[0-9a-f]{32}$/.test(origin);
}

/** A snapshot on its way into the store, beside the records in use. Chunks come in order; a new attempt may begin anew. */
export interface SnapshotSink {
  /** Puts rows in the place of all that was put behind `after`, up to `end`. Only when it is installed the disk has them. */
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
  tables: RecordTables,
  counts: Counts,
  rows: readonly SnapshotRow[],
  /** Where an earlier attempt may have put something, which is another moment's. */
  before: { readonly gt: string; readonly lte: string } | undefined,
): Promise<number> {
  const stale = before === undefined ? [] : await tables.records.iterator(before).all();
  const isOfRecord = ([key]: readonly [string, string]) => !isDocumentKey(key);
  const changes: RecordChange[] = stale.filter(isOfRecord).map(([key, text]) => ({
    key,
    before: decodeRecord(text),
    after: undefined,
  }));
  const gone = changes.length;
  for (const { key, text, record } of rows)
    if (record !== undefined) changes.push({ key, before: undefined, after: record, text });
  const deltas = countDeltas(changes);
  await counts.load(deltas);
  const lists = await loadValueLists(
    tables.values,
    changes.map(({ key }) => key),
  );
  const writing = newRows(level);
  for (const [key] of stale) if (isDocumentKey(key)) writing.del(tables.records, key);
  for (const { key, text, record } of rows) if (record === undefined) writing.put(tables.records, key, text);
  for (const change of changes) recordRows(writing, tables, change);
  addValueRows(writing, tables.values, changes, lists);
  counts.addRows(writing, deltas);
  await writing.writeSoon();
  return changes.length - 2 * gone;
}
