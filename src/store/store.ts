import type {
  DocumentEvent,
  Hlc,
  NodeId,
  OpenedBatch,
  Saying,
  SeqRange,
  SignedBatch,
  StatementEvent,
  Vector,
} from '../event/types.ts';
import type { IndicatorRecord, Itype } from '../indicator/types.ts';
import type { CountedField, FieldCount } from './counts.ts';
import type { StoredDocument } from './document.ts';
import type { StoreError } from './errors.ts';
import type { KeyRange } from './keys.ts';
import type { AtAGlance } from './scan.ts';
import type { SnapshotSink, SnapshotSource } from './snapshot.ts';

/** One applied event as this node's streams see it. */
export type Change = RecordChanged | DocumentChanged | RecordExpired;

/** This node's count of changes, from 1 without gaps: the stream cursor. Means nothing on another node. */
type Placed = { readonly position: number };

/** Something was said about an indicator. */
export type RecordChanged = Placed & {
  readonly event: Pick<StatementEvent, 'origin' | 'seq' | 'hlc' | 'kind'>;
  readonly outcome: 'created' | 'updated';
  /** As it is after this event when live; as it is now when read back later. */
  readonly record: IndicatorRecord;
};

/** A document was written, or somebody searched. */
export type DocumentChanged = Placed & {
  readonly event: Pick<DocumentEvent, 'origin' | 'seq' | 'hlc' | 'kind'>;
  /** The newest write of it. */
  readonly document: StoredDocument;
};

/** The time of a record is over. Each node finds that by itself: there is no event of an origin. */
export type RecordExpired = Placed & {
  readonly event: { readonly kind: 'expire'; readonly atMs: number };
  /** As it was. */
  readonly record: IndicatorRecord;
};

/** What one commit did. Batches that were held already are not in it. */
export type Commit = {
  readonly batches: readonly OpenedBatch[];
  readonly changes: readonly Change[];
};

/** A batch of the log, as it was signed. */
export type LoggedBatch = Pick<SignedBatch, 'firstSeq' | 'lastSeq' | 'bytes'>;

/** Where something of the log lies in this node's stream: a batch, or records that were found to have expired. */
export type LogPlace = {
  /** Of its first change, or of the next one's when it has none. */
  readonly position: number;
  readonly changes: number;
  /** When the newest of it was made or found, Unix milliseconds. */
  readonly lastMs: number;
  readonly batch?: Pick<SignedBatch, 'origin' | 'firstSeq' | 'lastSeq'>;
};

/** The window that the log keeps: what is older or does not fit leaves it; its effect stays in the records. */
export type LogWindow = { readonly sinceMs: number; readonly bytesMax: number };

export type Digest = {
  /** SHA-256 over every record in key order, hex: equal on nodes that applied the same events. */
  readonly sha256: string;
  readonly records: number;
  readonly vector: Vector;
};

/** A page of records and the key to continue after; absent at the end. */
export type RecordPage = { readonly records: readonly IndicatorRecord[]; readonly next?: string };

/** The first records of one range of keys; `more` when it has others. */
export type RangeRecords = { readonly records: readonly IndicatorRecord[]; readonly more: boolean };

/**
 * The records, the event log and the vector of one node, always in step: one commit writes all three at once, synced.
 * Contract suite: test/contract/store-contract.ts.
 */
export interface IndicatorStore extends AsyncDisposable {
  /** What this store holds; changes only when a commit has been written. */
  vector(): Vector;
  /**
   * Writes batches of any origins, atomically and synced; each (origin, seq) is applied once, whatever is handed in again.
   * A batch that overlaps a held one without being held whole is skipped, as is a batch handed in twice.
   * Calls are queued and grouped. Rejects with StoreError; nothing of a rejected call was applied.
   */
  commit(batches: readonly OpenedBatch[]): Promise<Commit>;
  /** Called when a snapshot has taken the place of the records, or a sweep has removed some. Returns the way to stop. */
  onReplaced(listener: (by: 'snapshot' | 'sweep') => void): () => void;
  /** Called after each commit was written, in order, before its promise resolves. Returns the way to stop. */
  onCommitted(listener: (commit: Commit) => void): () => void;
  /** The held batches that touch `range`, in seq order, of at most about `bytesMax` bytes (at least one batch). */
  batches(origin: NodeId, range: SeqRange, bytesMax: number): Promise<readonly LoggedBatch[]>;
  /**
   * Gives batches their place in the log and in the stream whose effect the records have already, from a snapshot. What is
   * in the log, or is not held, is skipped.
   */
  backfill(batches: readonly OpenedBatch[]): Promise<Commit>;
  /** When the newest event of each origin in the vector was made, Unix milliseconds. */
  lastMs(): ReadonlyMap<NodeId, number>;
  /** The position of the newest change; 0 before the first. */
  lastPosition(): number;
  /** Changes after `position`, oldest first. */
  changesAfter(position: number, limit: number): Promise<readonly Change[]>;
  /** Where everything in the log lies in the stream, by position, in parts. */
  logPlaces(): AsyncIterable<readonly LogPlace[]>;
  /**
   * When the newest event of each origin was made that is held and has left the log, or has never been in it, at the latest;
   * Unix milliseconds. What came into the log again is not taken out. Without an origin: it has lost nothing.
   */
  lostMs(): Promise<ReadonlyMap<NodeId, number>>;
  /** All providers' and groups' records of one value, in key order. */
  byValue(itype: Itype, indicator: string): Promise<readonly IndicatorRecord[]>;
  /**
   * The values of one itype in value order, each with all its records, in parts, as they are when it begins; from behind the
   * value whose sort key is `after`. A value that `isWanted` refuses is not read any further.
   */
  scan(
    itype: Itype,
    after: string | undefined,
    isWanted: AtAGlance,
  ): AsyncIterable<readonly (readonly IndicatorRecord[])[]>;
  /** Records by reporttime, newest first, from behind `after`. */
  newest(after: string | undefined, limit: number): Promise<RecordPage>;
  /**
   * The records in ranges of keys (value-ranges.ts) that ascend and do not touch, in value order, from behind `after`, which
   * is a key as `itypeKeyOf` gives it.
   */
  inRanges(ranges: readonly KeyRange[], after: string | undefined, limit: number): Promise<RecordPage>;
  /**
   * The first records of each range, in value order: `eachMax` at most, and `allMax` of all ranges together. The ranges may
   * come in any order and overlap.
   */
  ofEachRange(ranges: readonly KeyRange[], eachMax: number, allMax: number): Promise<readonly RangeRecords[]>;
  /** Where `newest` comes to what was reported at a time or before it, Unix milliseconds. */
  newestFrom(reporttimeMs: number): string;
  /** The latest hybrid time of any applied event: a clock of this node must not fall behind it. */
  lastHlc(): Hlc;
  /** Where a record stands in `newest` and in the order of values, to go on from behind it. */
  newestKeyOf(record: IndicatorRecord): string;
  itypeKeyOf(record: IndicatorRecord): string;
  /** By record id. */
  byId(id: string): Promise<IndicatorRecord | undefined>;
  /** All allowlist entries in key order, in parts. */
  allowlist(): AsyncIterable<readonly IndicatorRecord[]>;
  /** A document that is not deleted. */
  document(collection: string, id: string): Promise<StoredDocument | undefined>;
  /** Those of a collection that are not deleted, by id, from behind the id `after`. Searches come newest first. */
  documents(collection: string, after: string | undefined, limit: number): Promise<readonly StoredDocument[]>;
  /** How many records say what, by name; from behind the name `after`. */
  counts(field: CountedField, after: string | undefined, limit: number): Promise<readonly FieldCount[]>;
  /** Number of records. */
  count(): number;
  digest(): Promise<Digest>;
  /** The records and the vector of one moment, to be read while the store goes on. */
  snapshot(): Promise<SnapshotSource>;
  /** Room for another node's snapshot, beside the records in use. One at a time: an earlier one is discarded. */
  receiveSnapshot(): Promise<SnapshotSink>;
  /**
   * What the records said before a snapshot took their place and the new ones do not say, in parts; empty when there is
   * nothing. What has been expired since before `expiredBeforeMs` is left out. It is kept, over restarts, until
   * `forgetUnsaid`.
   */
  unsaid(expiredBeforeMs: number): AsyncIterable<readonly Saying[]>;
  forgetUnsaid(): Promise<void>;
  /** Why nothing is written any more until the store is opened again, if so. */
  failure(): StoreError | undefined;
  /** Bytes of the batches in the log. */
  logBytes(): number;
  /** Removes batches that are outside the window from the log, and answers how many. Their effect stays. */
  trimLog(window: LogWindow): Promise<number>;
  /**
   * Gives each record whose time was over by `untilMs`, and not by the time of the call before, its change in the stream, and
   * answers how many. The first call only remembers the time. After a crash within it some come again.
   */
  expire(untilMs: number): Promise<number>;
  /** Removes records and documents that have been expired since before `expiredBeforeMs`, and answers how many. */
  sweep(expiredBeforeMs: number): Promise<number>;
  /** Removes origins from the vector. Their events' effect stays, and they must not come again. */
  forgetOrigins(origins: readonly NodeId[]): Promise<void>;
  close(): Promise<void>;
}
