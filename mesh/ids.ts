import { bufferOver } from './buffer.ts';

/** A peer's ZRE UUID as 32 upper-case hex digits (the text form that gossip keys and Zyre's API use). */
export type PeerId = string & { readonly __brand: 'PeerId' };

const peerIdPattern = /^[0-9A-F]{32}$/;

export function isPeerId(text: string): text is PeerId {
  return peerIdPattern.test(text);
}

/** From the 16 raw bytes that the wire carries, behind the first `offset`. Throws on another length: callers have checked it. */
export function peerIdFromBytes(bytes: Uint8Array, offset = 0): PeerId {
  const length = bytes.length - offset;
  if (length !== 16) throw new RangeError(`a peer id has 16 bytes, not ${length}`);
  return bufferOver(bytes).toString('hex', offset).toUpperCase() as PeerId;
}

export function peerIdToBytes(id: PeerId): Uint8Array {
  return Buffer.from(id, 'hex');
}
