import type { Frames } from 'tocsin/mesh';
import { decodeCbor, encodeCbor } from '../event/cbor.ts';
import { scanCbor } from '../event/cbor-scan.ts';
import type { NodeId } from '../event/types.ts';
import { decodeVector, encodeVector } from '../event/vector.ts';
import type { SnapshotState } from '../store/snapshot.ts';
import { replicateLimits as limits } from './limits.ts';

/** A chunk that the receiver has already, from this node or another one. */
export type KnownChunk = { readonly end: string; readonly digest: Uint8Array };

/** What a snapshot contains, and SHA-256 over the digests of its chunks in order. */
export type SnapshotEnd = { readonly digest: Uint8Array; readonly state: SnapshotState };

/** message.ts says what they look like on the wire. */
export type SnapshotMessage =
  | {
      readonly kind: 'fetch';
      readonly request: number;
      readonly creditBytes: number;
      readonly known: readonly KnownChunk[];
    }
  | { readonly kind: 'more'; readonly request: number; readonly creditBytes: number }
  | {
      readonly kind: 'chunk';
      readonly request: number;
      /** In the whole snapshot. */
      readonly records: number;
      readonly end: string;
      /** Undefined when the receiver's chunk up to `end` is right. */
      readonly texts: Uint8Array | undefined;
    }
  | { readonly kind: 'done'; readonly request: number; readonly state: SnapshotEnd | undefined };

const digestBytes = 32;
const knownAtOnce = 2_000;

export function encodeKnown(known: readonly KnownChunk[]): Frames {
  const frames: Uint8Array[] = [];
  for (let i = 0; i < known.length; i += knownAtOnce) {
    frames.push(encodeCbor(known.slice(i, i + knownAtOnce).flatMap(({ end, digest }) => [end, digest])));
  }
  return frames;
}

export function decodeKnown(frames: Frames): readonly KnownChunk[] | undefined {
  const known: KnownChunk[] = [];
  for (const frame of frames) {
    if (scanCbor(frame, { depthMax: 1, itemsMax: 2 * knownAtOnce + 1 }) !== undefined) return undefined;
    const items = decodeCbor(frame);
    if (!Array.isArray(items) || items.length % 2 === 1) return undefined;
    for (let i = 0; i < items.length; i += 2) {
      const [end, digest]: readonly unknown[] = [items[i], items[i + 1]];
      if (typeof end !== 'string' || end.length > limits.keyCharactersMax) return undefined;
      if (!(digest instanceof Uint8Array) || digest.length !== digestBytes) return undefined;
      const last = known.at(-1);
      if (last !== undefined && end <= last.end) return undefined;
      known.push({ end, digest });
    }
  }
  return known;
}

export function encodeState({ digest, state }: SnapshotEnd): Uint8Array {
  const { vector, lastMs, lastHlc } = state;
  const origins = [...vector.keys()].sort();
  return encodeCbor([
    digest,
    lastHlc,
    encodeVector(vector),
    origins.map((origin) => lastMs.get(origin) ?? 0),
    origins.map((origin) => Buffer.from(origin, 'hex')),
  ]);
}

export function decodeState(frame: Uint8Array): SnapshotEnd | undefined {
  if (frame.byteLength > limits.vectorBytesMax) return undefined;
  if (scanCbor(frame, { depthMax: 2, itemsMax: 100_000 }) !== undefined) return undefined;
  const items = decodeCbor(frame);
  if (!Array.isArray(items)) return undefined;
  const [digest, lastHlc, vectorBytes, times, origins] = items as readonly unknown[];
  if (!(digest instanceof Uint8Array) || digest.length !== digestBytes) return undefined;
  if (!(vectorBytes instanceof Uint8Array) || !Array.isArray(times) || !Array.isArray(origins))
    return undefined;
  if (typeof lastHlc !== 'bigint' && typeof lastHlc !== 'number') return undefined;
  if (lastHlc < 0 || (typeof lastHlc === 'number' && !Number.isSafeInteger(lastHlc))) return undefined;
  const vector = decodeVector(vectorBytes);
  if (!vector.ok) return undefined;
  const lastMs = new Map<NodeId, number>();
  for (const [i, origin] of origins.entries()) {
    const ms: unknown = times[i];
    if (!(origin instanceof Uint8Array) || typeof ms !== 'number' || !(ms >= 0)) return undefined;
    lastMs.set(Buffer.from(origin).toString('hex') as NodeId, ms);
  }
  return {
    digest: Buffer.from(digest),
    state: { vector: vector.value, lastMs, lastHlc: BigInt(lastHlc) },
  };
}
