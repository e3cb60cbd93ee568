import type { Statement } from '../indicator/types.ts';

/** A node's id: the first 16 bytes of SHA-256 of its public key, as 32 lower-case hex digits. */
export type NodeId = string & { readonly __brand: 'NodeId' };

/** Hybrid logical time: 48 bits of Unix milliseconds, then 16 bits of counter. */
export type Hlc = bigint;

/**
 * One thing that one node says, once. `seq` counts this origin's events from 1 without gaps.
 * A kind that this release does not know is kept and handed on, and changes no record.
 */
export type TocsinEvent = { readonly origin: NodeId; readonly seq: number; readonly hlc: Hlc } & (
  | Statement
  | { readonly kind: 'unknown' }
);

/** An event that changes a record. */
export type StatementEvent = Exclude<TocsinEvent, { readonly kind: 'unknown' }>;

/** What a node says, before it has its number. */
export type Entry = { readonly hlc: Hlc } & Statement;

/** Those that change a record, in order. */
export function statementsOf(events: readonly TocsinEvent[]): readonly StatementEvent[] {
  return events.filter((event) => event.kind !== 'unknown');
}

/**
 * Consecutive events of one origin as the origin signed them. `bytes` is stored and forwarded as it is, so that any node
 * can hand it on and any node can check it.
 */
export type SignedBatch = {
  readonly origin: NodeId;
  readonly firstSeq: number;
  /** Inclusive. */
  readonly lastSeq: number;
  /** The greatest hybrid time in it. */
  readonly lastHlc: Hlc;
  readonly bytes: Uint8Array;
};

/** A batch whose signature and shape were checked, with its events. */
export type OpenedBatch = SignedBatch & { readonly events: readonly TocsinEvent[] };

/** Inclusive. */
export type SeqRange = { readonly from: number; readonly to: number };

/** What a node holds of one origin: everything up to `upTo`, and the ranges above the first gap, ascending. */
export type Held = { readonly upTo: number; readonly above: readonly SeqRange[] };

/** What a node holds of everyone. */
export type Vector = ReadonlyMap<NodeId, Held>;

/** `<origin hex>-<seq>`: the event's id in every interface. */
export function eventId(event: { readonly origin: NodeId; readonly seq: number }): string {
  return `${event.origin}-${event.seq}`;
}
