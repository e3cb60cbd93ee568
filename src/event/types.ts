import type { Statement } from '../indicator/types.ts';
import type { DocumentWrite, Search } from './document.ts';

/** A node's id: the first 16 bytes of SHA-256 of its public key, as 32 lower-case hex digits. */
export type NodeId = string & { readonly __brand: 'NodeId' };

/** Hybrid logical time: 48 bits of Unix milliseconds, then 16 bits of counter. */
export type Hlc = bigint;

/** What a node can say: something about an indicator, that somebody asked for one, or a document. */
export type Saying =
  | Statement
  | { readonly kind: 'search'; readonly body: Search }
  | { readonly kind: 'admin'; readonly body: DocumentWrite };

type Numbered = { readonly origin: NodeId; readonly seq: number; readonly hlc: Hlc };

/**
 * One thing that one node says, once. `seq` counts this origin's events from 1 without gaps.
 * A kind that this release does not know is kept and handed on, and changes nothing.
 */
export type TocsinEvent = Numbered & (Saying | { readonly kind: 'unknown' });

/** An event that changes a record. */
export type StatementEvent = Numbered & Statement;

/** An event that changes a document; a search is one that is written once. */
export type DocumentEvent = Numbered & Exclude<Saying, Statement>;

export type KnownEvent = StatementEvent | DocumentEvent;

/** What a node says, before it has its number. */
export type Entry = { readonly hlc: Hlc } & Saying;

/** Those of a kind that this release knows, in order. Each has its place in the stream. */
export function knownOf(events: readonly TocsinEvent[]): readonly KnownEvent[] {
  return events.filter((event) => event.kind !== 'unknown');
}

export function isStatement<T extends { readonly kind: string }>(
  event: T,
): event is T & { readonly kind: Statement['kind'] } {
  return event.kind === 'observe' || event.kind === 'sight' || event.kind === 'retract';
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
