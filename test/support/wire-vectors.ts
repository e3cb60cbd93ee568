import { readFileSync } from 'node:fs';
import { isPeerId } from '../../mesh/ids.ts';
import type { Beacon } from '../../mesh/wire/beacon.ts';
import type { GossipMessage } from '../../mesh/wire/gossip.ts';
import type { ZreMessage } from '../../mesh/wire/message.ts';

/**
 * Vectors are JSON that any language can read: frames in hex, headers as pairs, raw bytes in values as hex.
 * `source` says who wrote the bytes: libzyre or czmq, seen on the wire, or we by the rules of the format.
 */
type ValidVector<Value> = { name: string; frames: Buffer[]; value: Value };
type InvalidVector = { name: string; frames: Buffer[]; reason: string };

type StoredVector = { name: string; frames: string[]; value: StoredValue };
type StoredValue = Record<string, unknown> & {
  headers?: [string, string][];
  content?: string[];
  id?: string;
  publicKey?: string;
};

export function zreVectors(file: 'zre-valid' | 'zre-tolerated' = 'zre-valid'): ValidVector<ZreMessage>[] {
  return readVectors<StoredVector>(file).map(({ name, frames, value }) => {
    const parts = {
      ...value,
      ...(value.headers && { headers: new Map(value.headers) }),
      ...(value.content && { content: value.content.map(fromHex) }),
    };
    return { name, frames: frames.map(fromHex), value: parts as unknown as ZreMessage };
  });
}

export function gossipVectors(): ValidVector<GossipMessage>[] {
  return readVectors<StoredVector>('gossip-valid').map(({ name, frames, value }) => {
    return { name, frames: frames.map(fromHex), value: value as unknown as GossipMessage };
  });
}

export function beaconVectors(): ValidVector<Beacon>[] {
  return readVectors<StoredVector>('beacon-valid').map(({ name, frames, value }) => {
    if (value.id === undefined || !isPeerId(value.id)) throw new Error(`vector "${name}" has no peer id`);
    const parts = {
      ...value,
      ...(value.publicKey && { publicKey: new Uint8Array(fromHex(value.publicKey)) }),
    };
    return { name, frames: frames.map(fromHex), value: parts as unknown as Beacon };
  });
}

export function invalidVectors(file: 'zre-invalid' | 'beacon-invalid' | 'gossip-invalid'): InvalidVector[] {
  return readVectors<{ name: string; frames: string[]; reason: string }>(file).map((vector) => {
    return { ...vector, frames: vector.frames.map(fromHex) };
  });
}

export function fromHex(hex: string): Buffer {
  return Buffer.from(hex, 'hex');
}

export function toHex(frames: readonly Uint8Array[]): string[] {
  return frames.map((frame) => Buffer.from(frame).toString('hex'));
}

function readVectors<Vector>(file: string): Vector[] {
  return JSON.parse(readFileSync(new URL(`../vectors/${file}.json`, import.meta.url), 'utf8')) as Vector[];
}
