import type { PeerId } from './ids.ts';
import type { Frames, HandshakeRefusal } from './transport/transport.ts';

/** Why a peer left. */
export type ExitReason =
  /** It said so. */
  | 'goodbye'
  /** Nothing was heard of it for the expiry time. */
  | 'expired'
  /** A message of its was lost, or its group status did not add up: it is greeted anew. */
  | 'gap'
  /** It greeted us again: it starts over. */
  | 'restarted'
  /** Another peer greeted from the same endpoint. */
  | 'replaced';

/** Everything that a mesh tells its user, in order. */
export type MeshEvent =
  | { readonly kind: 'peer-entered'; readonly peer: PeerInfo }
  | { readonly kind: 'peer-exited'; readonly id: PeerId; readonly name: string; readonly reason: ExitReason }
  /** It has not answered our PINGs. It is greeted anew now, and goes if that is not answered either. Told once a silence. */
  | { readonly kind: 'peer-silent'; readonly id: PeerId; readonly name: string; readonly silentMs: number }
  /** A silent peer spoke again. A silence may also end by the peer's exit, as when it starts over. */
  | { readonly kind: 'peer-heard'; readonly id: PeerId; readonly name: string; readonly silentMs: number }
  | { readonly kind: 'peer-joined'; readonly id: PeerId; readonly group: string }
  | { readonly kind: 'peer-left'; readonly id: PeerId; readonly group: string }
  | { readonly kind: 'whisper'; readonly from: PeerId; readonly content: Frames }
  | { readonly kind: 'shout'; readonly from: PeerId; readonly group: string; readonly content: Frames }
  /** Somebody dialled us and did not get in. Whoever reaches the port can make it happen at any rate. */
  | { readonly kind: 'stranger-refused'; readonly reason: HandshakeRefusal }
  /** A seed does not let us in, which is told at every try: it has another key, or one of us has none. */
  | { readonly kind: 'turned-away'; readonly endpoint: string }
  /**
   * What did not fit into a peer's outbox was dropped there; nobody else is affected. Told at the first message of a filling,
   * and of no other until the outbox has drained.
   */
  | { readonly kind: 'outbox-full'; readonly id: PeerId; readonly droppedMessages: number }
  /** It is at most half full again; how many messages were dropped meanwhile, the first one included. */
  | { readonly kind: 'outbox-drained'; readonly id: PeerId; readonly droppedMessages: number };

/** A peer that entered, as its HELLO introduced it. */
export type PeerInfo = {
  readonly id: PeerId;
  readonly name: string;
  readonly endpoint: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly groups: readonly string[];
};
