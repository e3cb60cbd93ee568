import { readBatch } from '../event/batch.ts';
import { type Held, knownOf, type NodeId, type OpenedBatch, type Saying } from '../event/types.ts';
import { overlaps } from '../event/vector.ts';
import { expiresAtMs } from '../indicator/expiry.ts';
import type { IndicatorRecord } from '../indicator/types.ts';
import {
  type CommitPlan,
  freshBatches,
  type Known,
  keysOf,
  planBackfill,
  planCommit,
} from './commit-plan.ts';
import { type Counts, createCounts, readCounts } from './counts.ts';
import { decodeDocument, isDocumentKey } from './document.ts';
import { documentAt, documentRows, documentsByKey, documentsOf } from './document-reads.ts';
import { StoreError, storeErrorOf } from './errors.ts';
import {
  logRows,
  newlyLost,
  outsideWindow,
  readChanges,
  readLog,
  readLost,
  readPlaces,
} from './event-log.ts';
import { expiredChange, expiredRow, expiredWithin } from './expired-rows.ts';
import { appliedKey, isBehind, logKey, newestKey, newestStart, recordKey, valueName } from './keys.ts';
import { createNetworkIndex } from './network-index.ts';
import { addressKeys, readEachRange, readRanges } from './ranges.ts';
import { eachPart, largeParts } from './reading.ts';
import { decodeRecord } from './record-codec.ts';
import {
  allowlistEntries,
  digestOf,
  newestPage,
  recordById,
  recordsByKey,
  recordsOfValue,
  saidBy,
} from './record-reads.ts';
import { countDeltas, type RecordChange, recordRows } from './record-rows.ts';
import { flush, newRows, type Rows } from './rows.ts';
import { scanValues } from './scan.ts';
import {
  putRows,
  readSnapshot,
  type SnapshotSink,
  type SnapshotSource,
  type SnapshotState,
} from './snapshot.ts';
import type { Change, Commit, Digest, IndicatorStore, LogPlace, LogWindow } from './store.ts';
import { originText, readSummary, type Summary, summaryText } from './summary.ts';
import { type Level, logTables, metaTable, type RecordTables, recordTables } from './tables.ts';
import { addValueRows, knownKeys, loadValueLists, type ValueLists } from './value-index.ts';
import { createWriter } from './writer.ts';

export type { Level } from './tables.ts';

/** The layout of the keys and values below. */
const schemaVersion = 3;
/** What one write takes at most of what waits; a larger batch gains nothing and delays its first caller. */
const groupedEventsMax = 5_000;
/** What a sweep or a trim takes in one write, so that commits need not wait long. */
const removedAtOnce = 1_000;
/** Sorts before every origin. */
const noOrigin = '' as NodeId;

type Waiting = {
  readonly batches: readonly OpenedBatch[];
  readonly resolve: (commit: Commit) => void;
};

/**
 * Opens the store over a LevelDB that it then owns. Rejects with StoreError. `onFailure` is told once, when a write fails and
 * nothing is written any more.
 */
export async function openStore(
  level: Level,
  onFailure: (failure: StoreError) => void = () => undefined,
): Promise<IndicatorStore> {
  try {
    return await storeOver(level, onFailure);
  } catch (cause) {
    throw storeErrorOf(cause);
  }
}

async function storeOver(level: Level, onFailure: (failure: StoreError) => void): Promise<IndicatorStore> {
  const logs = logTables(level);
  const meta = metaTable(level);
  await checkVersion();
  let tables = recordTables(level, Number((await meta.get('generation')) ?? 0));
  let counts = createCounts(tables);
  const networks = createNetworkIndex(async function* () {
    // What is being written now was not told to the index, and is not on disk yet.
    while (applying !== undefined) await Promise.allSettled([applying]);
    yield* addressKeys(tables.records);
  });
  let summary = await readSummary(level, tables);
  /** The records that snapshots replaced, as long as they may say what these do not; the newest last. */
  let replaced = await replacedTables();
  let sink: { readonly tables: RecordTables; discarded: boolean } | undefined;
  const listeners = new Set<(commit: Commit) => void>();
  const replacedListeners = new Set<(by: 'snapshot' | 'sweep') => void>();
  /** Until it resolves, the records may be ahead of `summary`. */
  let applying: Promise<void> | undefined;
  /** While a snapshot takes its place: the vector before, as the next number of this node is read from it. */
  let vectorBefore: Summary['vector'] | undefined;
  /** The first write that failed. */
  let broken: StoreError | undefined;
  let closed = false;
  let digested: { readonly summary: Summary; readonly digest: Promise<Digest> } | undefined;

  const writer = createWriter<Waiting>(commitGroup, ({ batches }) => eventsIn(batches), groupedEventsMax);
  // A crash can have come between a snapshot's installation and what follows it.
  await carryOver(await originsOf(replaced.at(-1)));
  await removeLeftovers();

  async function checkVersion(): Promise<void> {
    const found = await meta.get('version');
    if (found !== undefined && Number(found) > schemaVersion) {
      throw new StoreError(
        'NEWER_VERSION',
        `this data was written by a newer release (format ${found}; this release reads up to ${schemaVersion}): upgrade, or name another --data-dir`,
      );
    }
    // Documents came with version 3, and nothing else has changed.
    const isWithoutDocuments = found === '2';
    if (found !== undefined && Number(found) < schemaVersion && !isWithoutDocuments) {
      throw new StoreError(
        'OLDER_VERSION',
        `this data was written by an earlier release (format ${found}; this release reads ${schemaVersion}): move the directory away, and the node fetches everything from its peers`,
      );
    }
    if (found === undefined || isWithoutDocuments) await meta.put('version', String(schemaVersion));
  }

  async function replacedTables(): Promise<readonly RecordTables[]> {
    const generations = await meta.get('replaced');
    return generations?.split(',').map((generation) => recordTables(level, Number(generation))) ?? [];
  }

  /** What a snapshot that never came to its end has left. */
  async function removeLeftovers(): Promise<void> {
    await clearTables(recordTables(level, tables.generation + 1));
  }

  /**
   * Every write goes through here. After one that failed, the disk may hold it or not, while `summary` does not; and LevelDB
   * may have written a part of a row, behind which it can lose what comes next. So nothing is written until the store is
   * opened again, which reads what is there.
   */
  async function write<T>(run: () => Promise<T>): Promise<T> {
    if (broken) throw broken;
    try {
      return await run();
    } catch (cause) {
      throw failed(cause);
    }
  }

  function failed(cause: unknown): StoreError {
    if (broken === undefined) {
      broken = storeErrorOf(cause);
      onFailure(broken);
    }
    return broken;
  }

  async function commitGroup(group: readonly Waiting[]): Promise<void> {
    const fresh = freshBatches(
      group.flatMap(({ batches }) => batches),
      summary.vector,
    );
    const keys = keysOf(fresh);
    const { lists, ...known } = await knownAt(keys);
    const plan = planCommit(fresh, keys, summary, known);
    if (fresh.length > 0) {
      await applyRecords(plan.summary, changesOf(plan), lists, (rows) => {
        logRows(rows, logs, plan);
        documentRows(rows, tables, plan.documents);
        for (const origin of new Set(fresh.map((batch) => batch.origin)))
          vectorRow(rows, plan.summary, origin);
      });
      tell(plan);
    }
    settle(group, plan);
  }

  /** For what is asked from outside, also when the store is closed meanwhile. */
  async function read<T>(run: () => Promise<T>): Promise<T> {
    try {
      refuseClosed();
      return await run();
    } catch (cause) {
      throw storeErrorOf(cause);
    }
  }

  function refuseClosed(): void {
    if (closed) throw new StoreError('CLOSED', 'the store is closed');
  }

  async function knownAt(keys: readonly string[]): Promise<Known & { readonly lists: ValueLists }> {
    const ofRecords = keys.filter((key) => !isDocumentKey(key));
    const ofDocuments = keys.length === ofRecords.length ? [] : keys.filter(isDocumentKey);
    const lists = await loadValueLists(tables.values, ofRecords);
    return {
      lists,
      records: await recordsByKey(tables, knownKeys(ofRecords, lists)),
      documents: await documentsByKey(tables, ofDocuments),
    };
  }

  /** Records, and all that is computed from them, with whatever else comes in the same write. */
  async function applyRecords(
    next: Summary,
    changes: readonly RecordChange[],
    lists: ValueLists,
    fill: (rows: Rows) => void,
  ): Promise<void> {
    const deltas = countDeltas(changes);
    await counts.load(deltas);
    await apply(next, (rows) => {
      addValueRows(rows, tables.values, changes, lists);
      for (const change of changes) {
        recordRows(rows, tables, change);
        if (change.before === undefined) networks.added(change.key);
      }
      counts.addRows(rows, deltas);
      fill(rows);
    });
  }

  function vectorRow(rows: Rows, next: Summary, origin: NodeId): void {
    rows.put(tables.vectors, origin, originText(next, origin));
  }

  /** All of a change in one write: after a crash either everything of it is there or nothing. */
  async function apply(next: Summary, fill: (rows: Rows) => void): Promise<void> {
    const written = write(() => {
      const rows = newRows(level);
      fill(rows);
      rows.put(meta, 'summary', summaryText(next));
      return rows.write();
    });
    applying = written;
    try {
      await written;
      summary = next;
    } finally {
      applying = undefined;
    }
  }

  function tell(commit: Commit): void {
    for (const listener of listeners) call(() => listener(commit));
  }

  function tellReplaced(by: 'snapshot' | 'sweep'): void {
    for (const listener of replacedListeners) call(() => listener(by));
  }

  function call(listener: () => void): void {
    try {
      listener();
    } catch (bug) {
      // The commit is written, whatever a listener makes of it: the bug is the process's, not the caller's.
      queueMicrotask(() => {
        throw bug;
      });
    }
  }

  async function backfill(batches: readonly OpenedBatch[]): Promise<Commit> {
    const wanted: OpenedBatch[] = [];
    // The same one may be given twice.
    for (const batch of freshBatches(batches, new Map())) {
      const range = { from: batch.firstSeq, to: batch.lastSeq };
      const held = overlaps(summary.vector.get(batch.origin), range);
      if (held && (await logs.log.get(logKey(batch.origin, range))) === undefined) wanted.push(batch);
    }
    const keys = keysOf(wanted);
    const plan = planBackfill(wanted, keys, summary, await knownAt(keys));
    if (wanted.length > 0) {
      await apply(plan.summary, (rows) => logRows(rows, logs, plan));
      tell(plan);
    }
    return plan;
  }

  /**
   * Applies events of the log which the records do not contain: live ones that came while a snapshot was on its way. They
   * have their place in the log and in the stream already. What the log still has of an origin that was forgotten is none of
   * them: `origins` were not.
   */
  async function carryOver(origins: ReadonlySet<string>): Promise<void> {
    if (origins.size === 0) return;
    let batches: OpenedBatch[] = [];
    const applyThem = async (): Promise<void> => {
      const fresh = freshBatches(batches, summary.vector);
      batches = [];
      if (fresh.length === 0) return;
      const keys = keysOf(fresh);
      const { lists, ...known } = await knownAt(keys);
      const plan = planCommit(fresh, keys, summary, known);
      const next = plan.summary;
      const { position, logBytes } = summary;
      await applyRecords({ ...next, position, logBytes }, changesOf(plan), lists, (rows) => {
        documentRows(rows, tables, plan.documents);
        for (const origin of new Set(fresh.map((batch) => batch.origin))) vectorRow(rows, next, origin);
      });
    };
    for await (const bytes of logs.log.values()) {
      const batch = readBatch(bytes);
      const range = { from: batch.firstSeq, to: batch.lastSeq };
      if (origins.has(batch.origin) && !overlaps(summary.vector.get(batch.origin), range))
        batches.push(batch);
      if (eventsIn(batches) >= groupedEventsMax) await applyThem();
    }
    await applyThem();
  }

  async function originsOf(of: RecordTables | undefined): Promise<ReadonlySet<string>> {
    return new Set(await of?.vectors.keys().all());
  }

  async function receiveSnapshot(): Promise<SnapshotSink> {
    if (sink !== undefined) sink.discarded = true;
    const next = recordTables(level, tables.generation + 1);
    const mine = { tables: next, discarded: false };
    sink = mine;
    await clearTables(next);
    const nextCounts = createCounts(next);
    let count = 0;
    /** Nothing was put behind it. */
    let reached = '';
    function check(): void {
      if (mine.discarded) throw new StoreError('CLOSED', 'another snapshot has taken the place of this one');
    }
    return {
      async put(after, end, rows) {
        check();
        const before = isBehind(reached, after) ? { gt: after, lte: end } : undefined;
        if (isBehind(end, reached)) reached = end;
        count += await write(() => putRows(level, next, nextCounts, rows, before));
      },
      async install(state) {
        check();
        await write(() => flush(level));
        return writer.alone(async () => {
          check();
          sink = undefined;
          return install(next, nextCounts, state, count);
        });
      },
      async discard() {
        if (mine.discarded) return;
        mine.discarded = true;
        if (sink === mine) sink = undefined;
        await clearTables(next);
      },
    };
  }

  async function install(
    next: RecordTables,
    nextCounts: Counts,
    state: SnapshotState,
    count: number,
  ): Promise<{ readonly logWasWhole: boolean }> {
    const before = tables;
    // What an earlier one replaced may still have to be said.
    const behind = [...replaced, before];
    const origins = new Set(summary.vector.keys());
    const logWasWhole = summary.logIsWhole;
    const lost = await newlyLost(logs, state.lastMs);
    const { position, logBytes } = summary;
    let { lastHlc } = summary;
    if (state.lastHlc > lastHlc) lastHlc = state.lastHlc;
    const installed: Summary = {
      vector: state.vector,
      lastMs: state.lastMs,
      count,
      // Not all that came with it will be in the stream: a reader that was here before is told of a gap.
      position: position + 1,
      lastHlc,
      logBytes,
      logIsWhole: false,
    };
    tables = next;
    networks.forget();
    vectorBefore = summary.vector;
    try {
      await apply(installed, (rows) => {
        for (const origin of state.vector.keys()) vectorRow(rows, installed, origin);
        for (const [origin, ms] of lost) rows.put(logs.lost, origin, String(ms));
        rows.put(meta, 'generation', String(next.generation));
        rows.put(meta, 'replaced', behind.map(({ generation }) => generation).join(','));
      });
    } catch (cause) {
      tables = before;
      networks.forget();
      vectorBefore = undefined;
      throw cause;
    }
    replaced = behind;
    counts = nextCounts;
    try {
      await carryOver(origins);
    } catch (cause) {
      // The vector lacks events that the log has: no number of theirs may be given to another event, now or later.
      throw failed(cause);
    }
    vectorBefore = undefined;
    tellReplaced('snapshot');
    if (logWasWhole) await forgetUnsaid();
    return { logWasWhole };
  }

  async function* unsaid(expiredBeforeMs: number): AsyncIterable<readonly Saying[]> {
    try {
      refuseClosed();
      for (const old of replaced) yield* saidBy(old, tables, expiredBeforeMs);
    } catch (cause) {
      throw storeErrorOf(cause);
    }
  }

  async function forgetUnsaid(): Promise<void> {
    if (replaced.length === 0) return;
    // In this order: after a crash in between, what is left is still known, and is removed the next time.
    for (const old of replaced) await clearTables(old);
    await write(() => meta.del('replaced'));
    replaced = [];
  }

  async function clearTables({ generation: _, ...all }: RecordTables): Promise<void> {
    await write(() => Promise.all(Object.values(all).map((table) => table.clear())));
  }

  async function trimLog(window: LogWindow): Promise<number> {
    let trimmed = 0;
    for (let more = true; more; ) {
      more = await writer.alone(async () => {
        const { appliedKeys, logKeys, bytes, lost } = await outsideWindow(
          logs,
          summary.logBytes,
          window,
          removedAtOnce,
        );
        if (appliedKeys.length === 0) return false;
        trimmed += appliedKeys.length;
        const newly = await newlyLost(logs, lost);
        const next = { ...summary, logBytes: summary.logBytes - bytes, logIsWhole: false };
        await apply(next, (rows) => {
          for (const key of appliedKeys) rows.del(logs.applied, key);
          for (const key of logKeys) rows.del(logs.log, key);
          for (const [origin, ms] of newly) rows.put(logs.lost, origin, String(ms));
        });
        return appliedKeys.length === removedAtOnce;
      });
    }
    return trimmed;
  }

  async function sweep(expiredBeforeMs: number): Promise<number> {
    let swept = 0;
    let after: string | undefined;
    do {
      after = await writer.alone(async () => {
        const rows = await tables.records
          .iterator({ ...(after !== undefined && { gt: after }), limit: removedAtOnce })
          .all();
        const documents = rows.flatMap(([key, text]) =>
          isDocumentKey(key) && (decodeDocument(text).expiresMs ?? Number.MAX_SAFE_INTEGER) < expiredBeforeMs
            ? [key]
            : [],
        );
        const expired = rows.flatMap(([key, text]) => {
          if (isDocumentKey(key)) return [];
          const record = decodeRecord(text);
          return expiresAtMs(record) < expiredBeforeMs ? [{ key, before: record, after: undefined }] : [];
        });
        if (expired.length > 0 || documents.length > 0) {
          swept += expired.length;
          const next = { ...summary, count: summary.count - expired.length };
          const lists = await loadValueLists(
            tables.values,
            expired.map(({ key }) => key),
          );
          await applyRecords(next, expired, lists, (written) => {
            for (const key of documents) written.del(tables.records, key);
          });
        }
        return rows.length < removedAtOnce ? undefined : rows.at(-1)?.[0];
      });
    } while (after !== undefined);
    if (swept > 0) tellReplaced('sweep');
    return swept;
  }

  async function expire(untilMs: number): Promise<number> {
    const from = await meta.get('expired');
    let expired = 0;
    if (from !== undefined) {
      const fromMs = Number(from);
      for await (const rows of eachPart(tables.records.iterator(largeParts))) {
        const keys = rows.flatMap(([key, text]) =>
          !isDocumentKey(key) && expiredWithin(decodeRecord(text), fromMs, untilMs) ? [key] : [],
        );
        if (keys.length > 0) expired += await writer.alone(() => tellExpired(keys, fromMs, untilMs));
      }
    }
    await writer.alone(() => write(() => meta.put('expired', String(untilMs))));
    return expired;
  }

  async function tellExpired(keys: readonly string[], fromMs: number, untilMs: number): Promise<number> {
    const found = await recordsByKey(tables, keys);
    // One that was said again meanwhile lives on.
    const records = [...found.values()].filter((record) => expiredWithin(record, fromMs, untilMs));
    if (records.length === 0) return 0;
    const { position, logBytes } = summary;
    const row = expiredRow(records, untilMs);
    const next = { ...summary, position: position + records.length, logBytes: logBytes + row.bytes };
    await apply(next, (rows) =>
      rows.put(logs.applied, appliedKey(position + 1, noOrigin, 0), JSON.stringify(row)),
    );
    tell({ batches: [], changes: records.map((record, i) => expiredChange(record, position + 1 + i)) });
    return records.length;
  }

  function forgetOrigins(origins: readonly NodeId[]): Promise<void> {
    return writer.alone(async () => {
      const vector = new Map<NodeId, Held>(summary.vector);
      const lastMs = new Map(summary.lastMs);
      for (const origin of origins) {
        vector.delete(origin);
        lastMs.delete(origin);
      }
      await apply({ ...summary, vector, lastMs }, (rows) => {
        for (const origin of origins) {
          rows.del(tables.vectors, origin);
          rows.del(logs.lost, origin);
        }
      });
    });
  }

  async function* allowlist(): AsyncIterable<readonly IndicatorRecord[]> {
    try {
      refuseClosed();
      yield* allowlistEntries(tables);
    } catch (cause) {
      throw storeErrorOf(cause);
    }
  }

  async function* logPlaces(): AsyncIterable<readonly LogPlace[]> {
    try {
      refuseClosed();
      yield* readPlaces(logs);
    } catch (cause) {
      throw storeErrorOf(cause);
    }
  }

  async function digest(): Promise<Digest> {
    // Between two writes: the vector is taken in the same turn as the iterator, so that they show the same commits.
    while (applying !== undefined) await Promise.allSettled([applying]);
    if (digested?.summary !== summary) digested = { summary, digest: digestOf(tables, summary.vector) };
    return digested.digest;
  }

  async function snapshot(): Promise<SnapshotSource> {
    while (applying !== undefined) await Promise.allSettled([applying]);
    const { vector, lastMs, lastHlc, count } = summary;
    const source = readSnapshot(tables, { vector, lastMs, lastHlc }, count);
    return { ...source, next: (bytesMax, end) => read(() => source.next(bytesMax, end)) };
  }

  async function close(): Promise<void> {
    if (closed) return;
    closed = true;
    await writer.close();
    await level.close();
  }

  return {
    vector: () => vectorBefore ?? summary.vector,
    commit(batches) {
      return new Promise((resolve, reject) => writer.push({ batches, resolve }, reject));
    },
    backfill: (batches) => writer.alone(() => backfill(batches)),
    onCommitted(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onReplaced(listener) {
      replacedListeners.add(listener);
      return () => replacedListeners.delete(listener);
    },
    byId: (id) => read(() => recordById(tables, id)),
    allowlist,
    document: (collection, id) => read(() => documentAt(tables, collection, id)),
    documents: (collection, after, limit) => read(() => documentsOf(tables, collection, after, limit)),
    counts: (field, after, limit) => read(() => readCounts(tables, field, after, limit)),
    batches: (origin, range, bytesMax) => read(() => readLog(logs, origin, range, bytesMax)),
    lastMs: () => summary.lastMs,
    lastPosition: () => summary.position,
    changesAfter: (position, limit) => read(() => readChanges(logs, tables.records, position, limit)),
    logPlaces,
    lostMs: () => read(() => readLost(logs)),
    byValue: (itype, indicator) => read(() => recordsOfValue(tables, valueName(itype, indicator))),
    scan: (itype, after, isWanted) => scanValues(() => tables.records, itype, after, isWanted),
    newest: (after, limit) => read(() => newestPage(tables, after, limit)),
    inRanges: (ranges, after, limit) => read(() => readRanges(tables, networks.narrow(ranges), after, limit)),
    ofEachRange: (ranges, eachMax, allMax) =>
      read(() => readEachRange(tables, ranges, networks.narrow, eachMax, allMax)),
    newestFrom: newestStart,
    newestKeyOf: (record) => newestKey(record.reporttimeMs, recordKey(record)),
    itypeKeyOf: recordKey,
    lastHlc: () => summary.lastHlc,
    count: () => summary.count,
    digest: () => read(digest),
    snapshot: () => read(snapshot),
    receiveSnapshot: () => read(receiveSnapshot),
    unsaid,
    forgetUnsaid: () => writer.alone(forgetUnsaid),
    failure: () => broken,
    logBytes: () => summary.logBytes,
    trimLog,
    expire,
    sweep,
    forgetOrigins,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function changesOf({ touched }: CommitPlan): readonly RecordChange[] {
  return Array.from(touched, ([key, { before, after }]) => ({ key, before, after }));
}

function eventsIn(batches: readonly OpenedBatch[]): number {
  let events = 0;
  for (const { firstSeq, lastSeq } of batches) events += lastSeq - firstSeq + 1;
  return events;
}

/** Each caller gets its own part of a grouped commit; a batch that several handed in is the first one's. */
function settle(group: readonly Waiting[], plan: CommitPlan): void {
  const unclaimed = new Map<OpenedBatch, readonly Change[]>();
  let start = 0;
  for (const batch of plan.batches) {
    const end = start + knownOf(batch.events).length;
    unclaimed.set(batch, plan.changes.slice(start, end));
    start = end;
  }
  for (const { batches, resolve } of group) {
    const own: OpenedBatch[] = [];
    const changes: Change[] = [];
    for (const batch of batches) {
      const made = unclaimed.get(batch);
      if (made === undefined) continue;
      unclaimed.delete(batch);
      own.push(batch);
      changes.push(...made);
    }
    resolve({ batches: own, changes });
  }
}
