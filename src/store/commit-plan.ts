import type { Held, Hlc, NodeId, OpenedBatch, Vector } from '../event/types.ts';
import { addRange, emptyHeld, overlaps } from '../event/vector.ts';
import { mergeObservation } from '../indicator/record.ts';
import type { IndicatorRecord } from '../indicator/types.ts';
import { recordKey } from './keys.ts';
import type { Change } from './store.ts';

/** What a node's store knows of itself beside its records. */
export type Summary = {
  readonly vector: Vector;
  /** Records. */
  readonly count: number;
  /** Position of the newest change. */
  readonly position: number;
  readonly lastHlc: Hlc;
};

export const emptySummary: Summary = { vector: new Map(), count: 0, position: 0, lastHlc: 0n };

/** A commit worked out, before anything is written. */
export type CommitPlan = {
  readonly batches: readonly OpenedBatch[];
  readonly changes: readonly Change[];
  /** Records before and after, by key. */
  readonly touched: ReadonlyMap<string, Touched>;
  /** For each batch, where its changes lie among this node's positions, and which of them were creations. */
  readonly applied: readonly AppliedBatch[];
  readonly summary: Summary;
};

export type Touched = { readonly before: IndicatorRecord | undefined; readonly after: IndicatorRecord };

export type AppliedBatch = {
  readonly origin: NodeId;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Of its first change; a batch without changes has none. */
  readonly position: number;
  /** One character a change: `c` created, `u` updated. */
  readonly outcomes: string;
};

/** Batches of which nothing is held yet, each once. What overlaps is skipped: an honest origin never sends it. */
export function freshBatches(batches: readonly OpenedBatch[], vector: Vector): readonly OpenedBatch[] {
  const held = new Map<NodeId, Held>();
  return batches.filter(({ origin, firstSeq: from, lastSeq: to }) => {
    const before = held.get(origin) ?? vector.get(origin) ?? emptyHeld;
    if (overlaps(before, { from, to })) return false;
    held.set(origin, addRange(before, { from, to }));
    return true;
  });
}

/** The keys of all records that the batches touch, each once. */
export function touchedKeys(batches: readonly OpenedBatch[]): readonly string[] {
  const keys = new Set<string>();
  for (const { events } of batches) {
    for (const event of events) if (event.kind === 'observe') keys.add(recordKey(event.body));
  }
  return [...keys];
}

/** Pure: applies fresh batches to the records that they touch. */
export function planCommit(
  batches: readonly OpenedBatch[],
  summary: Summary,
  existing: ReadonlyMap<string, IndicatorRecord>,
): CommitPlan {
  const touched = new Map<string, Touched>();
  const changes: Change[] = [];
  const applied: AppliedBatch[] = [];
  const vector = new Map(summary.vector);
  let { count, position, lastHlc } = summary;
  for (const batch of batches) {
    const { origin, firstSeq, lastSeq } = batch;
    const start = position + 1;
    let outcomes = '';
    for (const event of batch.events) {
      if (event.kind !== 'observe') continue;
      const key = recordKey(event.body);
      const known = touched.get(key);
      const before = known ? known.before : existing.get(key);
      const current = known?.after ?? before;
      const record = mergeObservation(current, event.body, { hlc: event.hlc, origin });
      touched.set(key, { before, after: record });
      const outcome = current === undefined ? 'created' : 'updated';
      if (outcome === 'created') count++;
      outcomes += outcome === 'created' ? 'c' : 'u';
      const { seq, hlc, kind } = event;
      changes.push({ position: ++position, event: { origin, seq, hlc, kind }, outcome, record });
    }
    if (outcomes !== '') applied.push({ origin, firstSeq, lastSeq, position: start, outcomes });
    vector.set(origin, addRange(vector.get(origin) ?? emptyHeld, { from: firstSeq, to: lastSeq }));
    if (batch.lastHlc > lastHlc) lastHlc = batch.lastHlc;
  }
  return { batches, changes, touched, applied, summary: { vector, count, position, lastHlc } };
}
