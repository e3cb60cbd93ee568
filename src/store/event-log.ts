import { readBatch } from '../event/batch.ts';
import { isStatement, knownOf, type NodeId, type SeqRange } from '../event/types.ts';
import { mergeStatement } from '../indicator/record.ts';
import { type AppliedBatch, type CommitPlan, keyOf } from './commit-plan.ts';
import { decodeDocument, documentOf } from './document.ts';
import { type ExpiredRow, expiredChanges } from './expired-rows.ts';
import {
  appliedKey,
  appliedUpTo,
  logBounds,
  logKey,
  logStart,
  positionOfAppliedKey,
  rangeOfLogKey,
} from './keys.ts';
import { decodeRecord } from './record-codec.ts';
import type { Rows } from './rows.ts';
import type { Change, LoggedBatch, LogPlace, LogWindow } from './store.ts';
import type { LogTables, RecordTables } from './tables.ts';

/** What stands in the value of an applied row; the position is its key. */
type AppliedRow = Omit<AppliedBatch, 'position'>;

/** Parsed in one go, so that other work gets its turn. */
const placesAtOnce = 1_000;

/** Adds a plan's batches to the log, in one write with whatever else it does. */
export function logRows(
  rows: Rows,
  { log, applied }: LogTables,
  { batches, applied: places }: CommitPlan,
): void {
  for (const { origin, firstSeq: from, lastSeq: to, bytes } of batches) {
    rows.put(log, logKey(origin, { from, to }), bytes);
  }
  for (const { position, ...row } of places) {
    rows.put(applied, appliedKey(position, row.origin, row.firstSeq), JSON.stringify(row));
  }
}

/** The held batches that touch `range`, in seq order, of at most about `bytesMax` bytes (at least one batch). */
export async function readLog(
  { log }: LogTables,
  origin: NodeId,
  range: SeqRange,
  bytesMax: number,
): Promise<readonly LoggedBatch[]> {
  const bounds = logBounds(origin);
  // The first one may have begun before the range.
  const [first] = await log
    .keys({ gt: bounds.gt, lt: logStart(origin, range.from), reverse: true, limit: 1 })
    .all();
  const found: LoggedBatch[] = [];
  let bytes = 0;
  for await (const [key, value] of log.iterator({ gte: first ?? bounds.gt, lt: bounds.lt })) {
    const { from: firstSeq, to: lastSeq } = rangeOfLogKey(key);
    if (firstSeq > range.to) break;
    if (lastSeq < range.from) continue;
    if (found.length > 0 && bytes + value.byteLength > bytesMax) break;
    found.push({ firstSeq, lastSeq, bytes: value });
    bytes += value.byteLength;
  }
  return found;
}

/** Changes after `position`, oldest first, with the records as they are now. */
export async function readChanges(
  logs: LogTables,
  records: RecordTables['records'],
  position: number,
  limit: number,
): Promise<readonly Change[]> {
  const [first] = await logs.applied.keys({ lt: appliedUpTo(position + 1), reverse: true, limit: 1 }).all();
  const changes: Change[] = [];
  for await (const [key, text] of logs.applied.iterator(first === undefined ? {} : { gte: first })) {
    if (changes.length >= limit) break;
    const row = JSON.parse(text) as AppliedRow | ExpiredRow;
    const [from, left] = [positionOfAppliedKey(key), limit - changes.length];
    const more =
      'expired' in row
        ? expiredChanges(row, from, position, left)
        : await changesOf(logs, records, row, from, position, left);
    changes.push(...more);
  }
  return changes;
}

async function changesOf(
  { log }: LogTables,
  records: RecordTables['records'],
  { origin, firstSeq: from, lastSeq: to, outcomes }: AppliedRow,
  firstPosition: number,
  after: number,
  limit: number,
): Promise<readonly Change[]> {
  const bytes = await log.get(logKey(origin, { from, to }));
  if (bytes === undefined) return [];
  const events = knownOf(readBatch(bytes).events);
  const skipped = Math.max(0, after + 1 - firstPosition);
  const wanted = events.slice(skipped, skipped + limit);
  const texts = await records.getMany(wanted.map(keyOf));
  return wanted.map((event, i): Change => {
    const { seq, hlc } = event;
    const text = texts[i];
    const position = firstPosition + skipped + i;
    // What was swept since is shown as this event alone made it: a hole would read as a loss.
    if (!isStatement(event)) {
      const { kind } = event;
      const document = text === undefined ? documentOf(event) : decodeDocument(text);
      return { position, event: { origin, seq, hlc, kind }, document };
    }
    const { kind } = event;
    const outcome = outcomes[skipped + i] === 'c' ? 'created' : 'updated';
    const record =
      text === undefined ? mergeStatement(undefined, event, { hlc, origin }) : decodeRecord(text);
    return { position, event: { origin, seq, hlc, kind }, outcome, record };
  });
}

/** Where everything in the log lies in the stream, by position, in parts. */
export async function* readPlaces({ applied }: LogTables): AsyncGenerator<readonly LogPlace[]> {
  const iterator = applied.iterator();
  try {
    for (;;) {
      const rows = await iterator.nextv(placesAtOnce);
      if (rows.length === 0) return;
      yield rows.map(([key, text]) => placeOf(positionOfAppliedKey(key), JSON.parse(text)));
    }
  } finally {
    await iterator.close();
  }
}

function placeOf(position: number, row: AppliedRow | ExpiredRow): LogPlace {
  const { lastMs } = row;
  if ('expired' in row) return { position, changes: row.expired.length, lastMs };
  const { origin, firstSeq, lastSeq, outcomes } = row;
  return { position, changes: outcomes.length, lastMs, batch: { origin, firstSeq, lastSeq } };
}

/** The oldest batches that are outside the window, up to `limit`, by their keys; nothing is removed yet. */
export async function outsideWindow(
  { applied }: LogTables,
  logBytes: number,
  { sinceMs, bytesMax }: LogWindow,
  limit: number,
): Promise<{
  readonly appliedKeys: readonly string[];
  readonly logKeys: readonly string[];
  readonly bytes: number;
  /** When the newest of each origin's was made, Unix milliseconds. */
  readonly lost: ReadonlyMap<NodeId, number>;
}> {
  const lost = new Map<NodeId, number>();
  const appliedKeys: string[] = [];
  const logKeys: string[] = [];
  let bytes = 0;
  for await (const [key, text] of applied.iterator({ limit })) {
    const row = JSON.parse(text) as AppliedRow | ExpiredRow;
    if (row.lastMs >= sinceMs && logBytes - bytes <= bytesMax) break;
    appliedKeys.push(key);
    if ('origin' in row) {
      const { origin, firstSeq: from, lastSeq: to, lastMs } = row;
      logKeys.push(logKey(origin, { from, to }));
      lost.set(origin, Math.max(lost.get(origin) ?? 0, lastMs));
    }
    bytes += row.bytes;
  }
  return { appliedKeys, logKeys, bytes, lost };
}

/** Of what leaves the log, or never comes into it, the times that are later than those that are known. */
export async function newlyLost(
  { lost }: LogTables,
  times: ReadonlyMap<NodeId, number>,
): Promise<readonly (readonly [NodeId, number])[]> {
  const known = await lost.getMany([...times.keys()]);
  return [...times].filter(([, ms], i) => ms > Number(known[i] ?? Number.NEGATIVE_INFINITY));
}

export async function readLost({ lost }: LogTables): Promise<ReadonlyMap<NodeId, number>> {
  return new Map((await lost.iterator().all()).map(([origin, ms]) => [origin as NodeId, Number(ms)]));
}
