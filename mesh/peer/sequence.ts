import type { MeshEvent } from '../events.ts';
import type { Membership } from '../group/membership.ts';
import type { PeerId } from '../ids.ts';
import type { Shout, Whisper, ZreMessage } from '../wire/message.ts';
import type { Peer } from './peer.ts';

/** RFC 36: a gap makes the peer invalid. Never resync on it: what was lost stays lost, so both sides start over. */
export function isNext(peer: Peer, { sequence }: ZreMessage): boolean {
  return sequence === sequenceAfter(peer.receivedSequence);
}

/** A sequence is a u16: ffff is followed by 0000. */
export function sequenceAfter(sequence: number): number {
  return (sequence + 1) & 0xffff;
}

/**
 * The place in its sequence of content that we send to a peer that is ready. This and hearContent change the peer that they are
 * given: content is nearly all that a mesh carries, and to copy a peer for each message cost more than all else of ours.
 */
export function takePlace(peer: Peer): number {
  peer.sentSequence = sequenceAfter(peer.sentSequence);
  return peer.sentSequence;
}

/** Takes content that came in its place from a peer as it should be. False for all else: that needs a step. */
export function hearContent(peer: Peer, message: Whisper | Shout, nowMs: number): boolean {
  if (peer.phase !== 'ready' || peer.isSilent || !isNext(peer, message)) return false;
  peer.receivedSequence = message.sequence;
  peer.heardAtMs = nowMs;
  return true;
}

/** Undefined for a shout to a group that we are not in: libzyre delivers those, and nobody asked for them. */
export function contentEvent(
  from: PeerId,
  message: Whisper | Shout,
  { groups }: Membership,
): MeshEvent | undefined {
  const { content } = message;
  if (message.kind === 'whisper') return { kind: 'whisper', from, content };
  return groups.has(message.group) ? { kind: 'shout', from, group: message.group, content } : undefined;
}
