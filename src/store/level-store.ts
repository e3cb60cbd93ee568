import { createHash } from 'node:crypto';
import type { AbstractLevel } from 'abstract-level';
import { readBatch } from '../event/batch.ts';
import type { Held, NodeId, OpenedBatch } from '../event/types.ts';
import type { IndicatorRecord } from '../indicator/types.ts';
import {
  type AppliedBatch,
  type CommitPlan,
  emptySummary,
  freshBatches,
  planCommit,
  type Summary,
  touchedKeys,
} from './commit-plan.ts';
import { StoreError } from './errors.ts';
import {
  itypeRange,
  logBounds,
  logKey,
  logStart,
  newestKey,
  positionKey,
  rangeOfLogKey,
  recordKey,
  recordKeyOf,
  valueRange,
} from './keys.ts';
import { decodeRecord, encodeRecord } from './record-codec.ts';
import type { Change, Commit, Digest, IndicatorStore, LoggedBatch, RecordPage } from './store.ts';

/** A LevelDB of either kind: on disk, or in memory for tests and simulations. */
export type Level = AbstractLevel<string | Buffer | Uint8Array, string, string>;

/** The layout of the keys and values below. */
const schemaVersion = 1;
/** What one write takes at most of what waits; a larger batch gains nothing and delays its first caller. */
const groupedEventsMax = 5_000;
const digestPage = 1_000;

type Waiting = {
  readonly batches: readonly OpenedBatch[];
  readonly resolve: (commit: Commit) => void;
  readonly reject: (error: unknown) => void;
};

/** Opens the store over a LevelDB that it then owns. Rejects with StoreError NEWER_VERSION. */
export async function openStore(level: Level): Promise<IndicatorStore> {
  const records = level.sublevel<string, string>('records', {});
  const newest = level.sublevel<string, string>('newest', {});
  const log = level.sublevel<string, Uint8Array>('log', { valueEncoding: 'view' });
  const applied = level.sublevel<string, string>('applied', {});
  const vectors = level.sublevel<string, string>('vector', {});
  const meta = level.sublevel<string, string>('meta', {});

  let summary = await readSummary();
  const listeners = new Set<(commit: Commit) => void>();
  const waiting: Waiting[] = [];
  let writing: Promise<void> | undefined;
  /** Until it resolves, the records may be ahead of `summary`. */
  let applying: Promise<void> | undefined;
  let closed = false;
  let digested: { readonly summary: Summary; readonly digest: Promise<Digest> } | undefined;

  async function readSummary(): Promise<Summary> {
    const found = await meta.get('version');
    if (found !== undefined && Number(found) > schemaVersion) {
      throw new StoreError(
        'NEWER_VERSION',
        `this data was written by a newer release (format ${found}; this release reads up to ${schemaVersion}): upgrade, or name another --data-dir`,
      );
    }
    if (found === undefined) await meta.put('version', String(schemaVersion));
    const text = await meta.get('summary');
    if (text === undefined) return emptySummary;
    const [count, position, lastHlc] = JSON.parse(text) as [number, number, string];
    const vector = new Map<NodeId, Held>();
    for (const [origin, held] of await vectors.iterator().all())
      vector.set(origin as NodeId, JSON.parse(held) as Held);
    return { vector, count, position, lastHlc: BigInt(lastHlc) };
  }

  /** One writer: each commit reads the records that the one before it wrote. What came meanwhile is written together. */
  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      const group: Waiting[] = [];
      let events = 0;
      while (waiting[0] !== undefined && (group.length === 0 || events < groupedEventsMax)) {
        const [next] = waiting.splice(0, 1);
        if (next === undefined) break;
        group.push(next);
        for (const { firstSeq, lastSeq } of next.batches) events += lastSeq - firstSeq + 1;
      }
      try {
        const plan = await write(group.flatMap(({ batches }) => batches));
        if (plan.batches.length > 0) for (const listener of listeners) listener(plan);
        settle(group, plan);
      } catch (cause) {
        const error = cause instanceof StoreError ? cause : storeErrorOf(cause);
        for (const { reject } of group) reject(error);
      }
    }
    writing = undefined;
  }

  async function write(batches: readonly OpenedBatch[]): Promise<CommitPlan> {
    const fresh = freshBatches(batches, summary.vector);
    const keys = touchedKeys(fresh);
    const found = await records.getMany([...keys]);
    const existing = new Map<string, IndicatorRecord>();
    for (const [i, key] of keys.entries()) {
      const text = found[i];
      if (text !== undefined) existing.set(key, decodeRecord(text));
    }
    const plan = planCommit(fresh, summary, existing);
    if (fresh.length > 0) {
      applying = apply(plan);
      await applying;
    }
    return plan;
  }

  async function apply(plan: CommitPlan): Promise<void> {
    try {
      await writeRows(plan);
      summary = plan.summary;
    } finally {
      applying = undefined;
    }
  }

  /** All of a commit in one batch: after a crash either everything of it is there or nothing. */
  async function writeRows(plan: CommitPlan): Promise<void> {
    const rows = level.batch();
    for (const [key, { before, after }] of plan.touched) {
      rows.put(key, encodeRecord(after), { sublevel: records });
      if (before?.reporttimeMs === after.reporttimeMs) continue;
      if (before !== undefined) rows.del(newestKey(before.reporttimeMs, key), { sublevel: newest });
      rows.put(newestKey(after.reporttimeMs, key), '', { sublevel: newest });
    }
    for (const { origin, firstSeq: from, lastSeq: to, bytes } of plan.batches) {
      rows.put(logKey(origin, { from, to }), bytes, { sublevel: log });
      rows.put(origin, JSON.stringify(plan.summary.vector.get(origin)), { sublevel: vectors });
    }
    for (const { position, ...batch } of plan.applied) {
      rows.put(positionKey(position), JSON.stringify(batch), { sublevel: applied });
    }
    const { count, position, lastHlc } = plan.summary;
    rows.put('summary', JSON.stringify([count, position, lastHlc.toString()]), { sublevel: meta });
    await rows.write({ sync: true });
  }

  async function page(keys: readonly string[], next: string | undefined): Promise<RecordPage> {
    const found = await records.getMany([...keys]);
    // A record that moved to the front meanwhile is found under its key all the same.
    const page = found.flatMap((text) => (text === undefined ? [] : [decodeRecord(text)]));
    return next === undefined ? { records: page } : { records: page, next };
  }

  async function changesOf(
    row: Omit<AppliedBatch, 'position'>,
    firstPosition: number,
    after: number,
    limit: number,
  ): Promise<readonly Change[]> {
    const { origin, firstSeq: from, lastSeq: to, outcomes } = row;
    const bytes = await log.get(logKey(origin, { from, to }));
    if (bytes === undefined) return [];
    const events = readBatch(bytes).events.filter((event) => event.kind === 'observe');
    const skipped = Math.max(0, after + 1 - firstPosition);
    const wanted = events.slice(skipped, skipped + limit);
    const texts = await records.getMany(wanted.map(({ body }) => recordKey(body)));
    return wanted.flatMap(({ seq, hlc, kind }, i): Change[] => {
      const text = texts[i];
      if (text === undefined) return [];
      const outcome = outcomes[skipped + i] === 'c' ? 'created' : 'updated';
      const position = firstPosition + skipped + i;
      return [{ position, event: { origin, seq, hlc, kind }, outcome, record: decodeRecord(text) }];
    });
  }

  async function computeDigest(vector: Summary['vector']): Promise<Digest> {
    const hash = createHash('sha256');
    let count = 0;
    // The iterator sees the records as they are now, whatever is written while it runs.
    const iterator = records.iterator();
    try {
      for (
        let rows = await iterator.nextv(digestPage);
        rows.length > 0;
        rows = await iterator.nextv(digestPage)
      ) {
        for (const [key, text] of rows) hash.update(key).update('\0').update(text).update('\n');
        count += rows.length;
      }
    } finally {
      await iterator.close();
    }
    return { sha256: hash.digest('hex'), records: count, vector };
  }

  async function close(): Promise<void> {
    if (closed) return;
    closed = true;
    await writing;
    await level.close();
  }

  return {
    vector: () => summary.vector,
    commit(batches) {
      if (closed) return Promise.reject(new StoreError('CLOSED', 'the store is closed'));
      return new Promise((resolve, reject) => {
        waiting.push({ batches, resolve, reject });
        writing ??= writeAll();
      });
    },
    onCommitted(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async batches(origin, range, bytesMax) {
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
    },
    lastPosition: () => summary.position,
    async changesAfter(position, limit) {
      const [first] = await applied.keys({ lte: positionKey(position + 1), reverse: true, limit: 1 }).all();
      const changes: Change[] = [];
      for await (const [key, text] of applied.iterator(first === undefined ? {} : { gte: first })) {
        if (changes.length >= limit) break;
        const row = JSON.parse(text) as Omit<AppliedBatch, 'position'>;
        changes.push(...(await changesOf(row, Number(key), position, limit - changes.length)));
      }
      return changes;
    },
    async byValue(itype, indicator) {
      return (await records.values(valueRange(itype, indicator)).all()).map(decodeRecord);
    },
    async byItype(itype, after, limit) {
      const rows = await records.iterator({ ...itypeRange(itype, after), limit: limit + 1 }).all();
      const found = rows.slice(0, limit).map(([, text]) => decodeRecord(text));
      const next = rows.length > limit ? rows[limit - 1]?.[0] : undefined;
      return next === undefined ? { records: found } : { records: found, next };
    },
    async newest(after, limit) {
      const keys = await newest.keys({ ...(after !== undefined && { gt: after }), limit: limit + 1 }).all();
      const next = keys.length > limit ? keys[limit - 1] : undefined;
      return page(keys.slice(0, limit).map(recordKeyOf), next);
    },
    newestKeyOf: (record) => newestKey(record.reporttimeMs, recordKey(record)),
    itypeKeyOf: recordKey,
    lastHlc: () => summary.lastHlc,
    count: () => summary.count,
    async digest() {
      // Between two writes: the vector is taken in the same turn as the iterator, so that they show the same commits.
      while (applying !== undefined) await Promise.allSettled([applying]);
      if (digested?.summary !== summary) digested = { summary, digest: computeDigest(summary.vector) };
      return digested.digest;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Each caller gets its own part of a grouped commit; a batch that several handed in is the first one's. */
function settle(group: readonly Waiting[], plan: CommitPlan): void {
  const unclaimed = new Map<OpenedBatch, readonly Change[]>();
  let start = 0;
  for (const batch of plan.batches) {
    const end = start + batch.events.filter(({ kind }) => kind === 'observe').length;
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

function storeErrorOf(cause: unknown): StoreError {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (/no space/i.test(message)) {
    return new StoreError('NO_SPACE', 'the disk is full: free some space, then start the node again', {
      cause,
    });
  }
  return new StoreError('FAILED', `the store could not write: ${message}`, { cause });
}
