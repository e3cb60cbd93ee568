/*
 * zgossip on the wire (czmq): tuples of key and value that spread from hub to hub. One frame is one message.
 * The signature differs from ZRE's in its last digit. Integers are unsigned and big endian.
 *
 *   message    = hello / publish / ping / pong / invalid
 *
 *   hello      = signature %x01 version                 ; client: tell me all tuples
 *   publish    = signature %x02 version key value ttl   ; both: here is a tuple
 *   ping       = signature %x03 version                 ; client: I am alive
 *   pong       = signature %x04 version                 ; hub: so am I
 *   invalid    = signature %x05 version                 ; hub: I do not know you, say hello
 *
 *   signature  = %xAA %xA0
 *   version    = %x01
 *   key        = OCTET *OCTET                           ; length, then UTF-8 without NUL
 *   value      = 4OCTET *OCTET                          ; the same with a longer length
 *   ttl        = 4OCTET                                 ; milliseconds to live, which czmq never reads
 *
 * Bytes behind the last field are ignored, as czmq does.
 */
import type { MeshLimits } from '../limits.ts';
import { defaultLimits } from '../limits.ts';
import type { Parsed } from '../parsed.ts';
import { accept, refuse } from '../parsed.ts';
import type { Frames } from '../transport/transport.ts';
import type { Reader, ReadRefusal } from './reader.ts';
import { createReader, readLongString, readString, readU8, readU16, readU32 } from './reader.ts';
import type { TextRule } from './writer.ts';
import {
  createWriter,
  stringBytesMax,
  writeLongString,
  writeString,
  writeU8,
  writeU16,
  writeU32,
  writtenBytes,
} from './writer.ts';

export type GossipMessage = { readonly kind: 'hello' | 'ping' | 'pong' | 'invalid' } | GossipPublish;

/** For Zyre the key is a peer id and the value its endpoint, with CURVE `endpoint|public key in Z85`. */
export type GossipPublish = {
  readonly kind: 'publish';
  readonly key: string;
  readonly value: string;
  /** czmq sends 0 and never reads it; our hubs put what is left of the owner's lease (gossip-hub.ts). */
  readonly ttlMs: number;
};

/** Why a stranger's frames are no gossip message. */
export type GossipRefusal =
  | ReadRefusal
  | 'no-frames'
  | 'extra-frames'
  | 'frame-too-large'
  | 'bad-signature'
  | 'bad-version'
  | 'unknown-kind'
  | 'value-too-long';

type Kind = GossipMessage['kind'];

const signature = 0xaaa0;
const version = 1;

const idByKind: Readonly<Record<Kind, number>> = { hello: 1, publish: 2, ping: 3, pong: 4, invalid: 5 };

const kindById: ReadonlyMap<number, Kind> = new Map(
  (Object.keys(idByKind) as Kind[]).map((kind) => [idByKind[kind], kind]),
);

const keyRule: TextRule = { code: 'BAD_NAME', field: 'gossip key', bytesMax: stringBytesMax };

/**
 * One frame. Throws MeshError BAD_NAME for a key above 255 bytes, BAD_ENDPOINT for a value above
 * `limits.gossipValueBytesMax` (it would crash a czmq hub), and RangeError for a `ttlMs` that is no u32.
 */
export function encodeGossip(message: GossipMessage, limits: MeshLimits = defaultLimits): Uint8Array {
  const writer = createWriter();
  writeU16(writer, signature);
  writeU8(writer, idByKind[message.kind]);
  writeU8(writer, version);
  if (message.kind === 'publish') {
    writeString(writer, message.key, keyRule);
    writeLongString(writer, message.value, {
      code: 'BAD_ENDPOINT',
      field: 'gossip value',
      bytesMax: limits.gossipValueBytesMax,
    });
    writeU32(writer, message.ttlMs);
  }
  return writtenBytes(writer);
}

/** Reads one message; never throws, whatever the frames hold. */
export function decodeGossip(frames: Frames, limits: MeshLimits): Parsed<GossipMessage, GossipRefusal> {
  const frame = frames[0];
  if (frame === undefined) return refuse('no-frames');
  if (frames.length > 1) return refuse('extra-frames');
  if (frame.length > limits.controlFrameBytesMax) return refuse('frame-too-large');

  const reader = createReader<GossipRefusal>(frame);
  const seenSignature = readU16(reader);
  const kind = kindById.get(readU8(reader));
  const seenVersion = readU8(reader);
  if (reader.refusal !== undefined) return refuse(reader.refusal);
  if (seenSignature !== signature) return refuse('bad-signature');
  if (seenVersion !== version) return refuse('bad-version');
  if (kind === undefined) return refuse('unknown-kind');

  const message = kind === 'publish' ? readPublish(reader, limits) : { kind };
  return reader.refusal === undefined ? accept(message) : refuse(reader.refusal);
}

/** Worth something only when the reader refused nothing. */
function readPublish(reader: Reader<GossipRefusal>, limits: MeshLimits): GossipPublish {
  return {
    kind: 'publish',
    key: readString(reader),
    value: readLongString(reader, limits.gossipValueBytesMax, 'value-too-long'),
    ttlMs: readU32(reader),
  };
}
