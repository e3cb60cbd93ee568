import { hlcMs } from '../event/hlc.ts';
import {
  type Held,
  isStatement,
  type KnownEvent,
  knownOf,
  type NodeId,
  type OpenedBatch,
  type Vector,
} from '../event/types.ts';
import { addRange, emptyHeld, overlaps } from '../event/vector.ts';
import { mergeStatement } from '../indicator/record.ts';
import type { IndicatorRecord } from '../indicator/types.ts';
import { documentKey, documentOf, newerDocument, type StoredDocument } from './document.ts';
import { recordKey } from './keys.ts';
import type { Change } from './store.ts';
import type { Summary } from './summary.ts';

/** A commit worked out, before anything is written. */
export type CommitPlan = {
  readonly batches: readonly OpenedBatch[];
  readonly changes: readonly Change[];
  /** Records before and after, by key. */
  readonly touched: ReadonlyMap<string, Touched>;
  /** Documents that were written, by key. */
  readonly documents: ReadonlyMap<string, StoredDocument>;
  /** For each batch, where its changes lie among this node's positions, and which of them were creations. */
  readonly applied: readonly AppliedBatch[];
  readonly summary: Summary;
};

export type Touched = { readonly before: IndicatorRecord | undefined; readonly after: IndicatorRecord };

export type AppliedBatch = {
  readonly origin: NodeId;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Of its first change, or of the next batch's when it has none. */
  readonly position: number;
  /** One character a change: `c` created, `u` updated, `d` of a document. */
  readonly outcomes: string;
  /** What the log's window is measured by: when its newest event was made, Unix milliseconds, and its size. */
  readonly lastMs: number;
  readonly bytes: number;
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

/** What is stored under the keys that a commit touches. */
export type Known = {
  readonly records: ReadonlyMap<string, IndicatorRecord>;
  readonly documents: ReadonlyMap<string, StoredDocument>;
};

/** The key of each event's record or document, in order. They are not cheap, and are needed more than once. */
export function keysOf(batches: readonly OpenedBatch[]): readonly string[] {
  const keys: string[] = [];
  for (const { events } of batches) {
    for (const event of knownOf(events)) keys.push(keyOf(event));
  }
  return keys;
}

export function keyOf(event: KnownEvent): string {
  if (isStatement(event)) return recordKey(event.body);
  const { collection, id } = documentOf(event);
  return documentKey(collection, id);
}

/** Pure: applies fresh batches to the records that they touch. `keys` are theirs. */
export function planCommit(
  batches: readonly OpenedBatch[],
  keys: readonly string[],
  summary: Summary,
  existing: Known,
): CommitPlan {
  const touched = new Map<string, Touched>();
  const documents = new Map<string, StoredDocument>();
  const changes: Change[] = [];
  const applied: AppliedBatch[] = [];
  const vector = new Map(summary.vector);
  const lastMs = new Map(summary.lastMs);
  let { count, position, lastHlc, logBytes } = summary;
  for (const batch of batches) {
    const { origin, firstSeq, lastSeq } = batch;
    const start = position + 1;
    let outcomes = '';
    for (const event of knownOf(batch.events)) {
      const key = keys[changes.length] ?? keyOf(event);
      if (!isStatement(event)) {
        const written = documentOf(event);
        const known = documents.get(key) ?? existing.documents.get(key);
        const document = known === undefined ? written : newerDocument(known, written);
        documents.set(key, document);
        outcomes += 'd';
        const { seq, hlc, kind } = event;
        changes.push({ position: ++position, event: { origin, seq, hlc, kind }, document });
        continue;
      }
      const known = touched.get(key);
      const before = known ? known.before : existing.records.get(key);
      const current = known?.after ?? before;
      const record = mergeStatement(current, event, { hlc: event.hlc, origin });
      touched.set(key, { before, after: record });
      if (current === undefined) count++;
      const isNew = event.kind === 'observe' && (current?.count ?? 0) === 0;
      const outcome = isNew ? 'created' : 'updated';
      outcomes += outcome === 'created' ? 'c' : 'u';
      const { seq, hlc, kind } = event;
      changes.push({ position: ++position, event: { origin, seq, hlc, kind }, outcome, record });
    }
    applied.push(appliedRow(batch, start, outcomes));
    logBytes += batch.bytes.byteLength;
    vector.set(origin, addRange(vector.get(origin) ?? emptyHeld, { from: firstSeq, to: lastSeq }));
    lastMs.set(origin, Math.max(lastMs.get(origin) ?? 0, hlcMs(batch.lastHlc)));
    if (batch.lastHlc > lastHlc) lastHlc = batch.lastHlc;
  }
  const next = { ...summary, vector, lastMs, count, position, lastHlc, logBytes };
  return { batches, changes, touched, documents, applied, summary: next };
}

/** Pure: gives batches whose effect the records have already their place in the log and in the stream. */
export function planBackfill(
  batches: readonly OpenedBatch[],
  keys: readonly string[],
  summary: Summary,
  existing: Known,
): CommitPlan {
  const changes: Change[] = [];
  const applied: AppliedBatch[] = [];
  let { position, logBytes } = summary;
  for (const batch of batches) {
    const start = position + 1;
    let outcomes = '';
    for (const event of knownOf(batch.events)) {
      const key = keys[changes.length] ?? keyOf(event);
      const { origin, seq, hlc } = event;
      // What has expired since, and was swept, is shown as this event alone made it.
      if (isStatement(event)) {
        const record = existing.records.get(key) ?? mergeStatement(undefined, event, { hlc, origin });
        const { kind } = event;
        changes.push({ position: ++position, event: { origin, seq, hlc, kind }, outcome: 'updated', record });
        outcomes += 'u';
      } else {
        const document = existing.documents.get(key) ?? documentOf(event);
        const { kind } = event;
        changes.push({ position: ++position, event: { origin, seq, hlc, kind }, document });
        outcomes += 'd';
      }
    }
    applied.push(appliedRow(batch, start, outcomes));
    logBytes += batch.bytes.byteLength;
  }
  return {
    batches,
    changes,
    touched: new Map(),
    documents: new Map(),
    applied,
    summary: { ...summary, position, logBytes },
  };
}

function appliedRow(batch: OpenedBatch, position: number, outcomes: string): AppliedBatch {
  const { origin, firstSeq, lastSeq, lastHlc, bytes } = batch;
  return {
    origin,
    firstSeq,
    lastSeq,
    position,
    outcomes,
    lastMs: hlcMs(lastHlc),
    bytes: bytes.byteLength,
  };
}
