import type { Frames } from 'tocsin/mesh';
import type { Vector } from '../event/types.ts';
import { decodeVector, encodeVector } from '../event/vector.ts';
import { accept, type Parsed, refuse } from '../parsed.ts';
import { replicateLimits } from './limits.ts';
import {
  decodeKnown,
  decodeState,
  encodeKnown,
  encodeState,
  type SnapshotMessage,
} from './snapshot-message.ts';

/**
 * What Tocsin nodes say to one another in the mesh, as content of WHISPER and SHOUT. The first frame is a header:
 * the kind in one byte, then its fields; batches follow as they were signed, one to a frame. Integers are big endian.
 *
 *   batches = %x01                                  1*batch   ; shouted as they are committed
 *   hash    = %x02 32OCTET wall:u64                           ; hash of the sender's vector; its clock, Unix milliseconds
 *   vector  = %x03 answer:u8                        vector    ; what the sender holds; answer 1: tell me yours
 *   want    = %x04 request:u32 credit:u32           vector    ; ranges that the sender lacks, as a vector
 *   part    = %x05 request:u32 end:u8               *batch    ; answers a want until its credit is used up. end 0: more
 *                                                             ; comes; 1: that was all; 2: and the rest has left my log
 *   ack     = %x06                                  vector    ; what the sender has on disk of the receiver's own events
 *
 * A snapshot is all records of one moment in key order, in chunks. Who had part of it from another node tells which chunks,
 * and gets only those that are different here.
 *
 *   fetch   = %x07 request:u32 credit:u32           *known    ; known = CBOR [*(end, digest)], ascending
 *   more    = %x08 request:u32 credit:u32                     ; so many bytes more
 *   chunk   = %x09 request:u32 records:u32 same:u8  end *1texts ; everything behind the chunk before, up to the key `end`:
 *                                                             ; texts, each with a line break behind it; or what you know
 *   done    = %x0A request:u32                      *1state   ; state = CBOR [digest of all chunks' digests, last hlc,
 *                                                             ; vector, [*last ms], [*origin]]; without: I cannot
 */
export type ReplicationMessage =
  | { readonly kind: 'batches'; readonly batches: Frames }
  | { readonly kind: 'hash'; readonly hash: Uint8Array; readonly wallMs: number }
  | { readonly kind: 'vector'; readonly vector: Vector; readonly answer: boolean }
  | { readonly kind: 'want'; readonly request: number; readonly creditBytes: number; readonly ranges: Vector }
  | { readonly kind: 'part'; readonly request: number; readonly end: PartEnd; readonly batches: Frames }
  | { readonly kind: 'ack'; readonly held: Vector }
  | SnapshotMessage;

/** Whether more parts come; `gone` when the rest of what was wanted has left the sender's log. */
export type PartEnd = 'more' | 'all' | 'gone';
const partEnds: readonly PartEnd[] = ['more', 'all', 'gone'];

const kinds = {
  batches: 1,
  hash: 2,
  vector: 3,
  want: 4,
  part: 5,
  ack: 6,
  fetch: 7,
  more: 8,
  chunk: 9,
  done: 10,
} as const;
const hashBytes = 32;

export function encodeMessage(message: ReplicationMessage): Frames {
  switch (message.kind) {
    case 'batches':
      return [Uint8Array.of(kinds.batches), ...message.batches];
    case 'hash': {
      const wall = Buffer.alloc(8);
      wall.writeBigUInt64BE(BigInt(Math.max(0, Math.floor(message.wallMs))));
      return [Buffer.concat([Uint8Array.of(kinds.hash), message.hash, wall])];
    }
    case 'vector':
      return [Uint8Array.of(kinds.vector, message.answer ? 1 : 0), encodeVector(message.vector)];
    case 'want':
      return [numbers(kinds.want, message.request, message.creditBytes), encodeVector(message.ranges)];
    case 'part': {
      const end = Uint8Array.of(partEnds.indexOf(message.end));
      return [Buffer.concat([numbers(kinds.part, message.request), end]), ...message.batches];
    }
    case 'ack':
      return [Uint8Array.of(kinds.ack), encodeVector(message.held)];
    case 'fetch':
      return [numbers(kinds.fetch, message.request, message.creditBytes), ...encodeKnown(message.known)];
    case 'more':
      return [numbers(kinds.more, message.request, message.creditBytes)];
    case 'chunk': {
      const { request, records, end, texts } = message;
      const header = Buffer.concat([
        numbers(kinds.chunk, request, records),
        Uint8Array.of(texts === undefined ? 1 : 0),
      ]);
      return [header, Buffer.from(end), ...(texts === undefined ? [] : [texts])];
    }
    case 'done':
      return [
        numbers(kinds.done, message.request),
        ...(message.state === undefined ? [] : [encodeState(message.state)]),
      ];
    default:
      return message satisfies never;
  }
}

export type MessageRefusal =
  | 'no-header'
  | 'bad-header'
  | 'bad-vector'
  | 'bad-snapshot'
  | 'unknown-kind'
  | 'extra-frames';

export function decodeMessage([head, ...rest]: Frames): Parsed<ReplicationMessage, MessageRefusal> {
  if (head === undefined || head.length === 0)
    return refuse('no-header', 'a message has a header of a byte or more');
  const header = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  switch (header[0]) {
    case kinds.batches:
      return header.length === 1 ? accept({ kind: 'batches', batches: rest }) : badHeader();
    case kinds.hash:
      if (header.length !== 1 + hashBytes + 8) return badHeader();
      return rest.length === 0
        ? accept({
            kind: 'hash',
            hash: header.subarray(1, 1 + hashBytes),
            wallMs: Number(header.readBigUInt64BE(1 + hashBytes)),
          })
        : extraFrames();
    case kinds.vector: {
      if (header.length !== 2) return badHeader();
      const vector = readVector(rest);
      return vector.ok ? accept({ kind: 'vector', vector: vector.value, answer: header[1] === 1 }) : vector;
    }
    case kinds.want: {
      if (header.length !== 9) return badHeader();
      const ranges = readVector(rest);
      if (!ranges.ok) return ranges;
      const [request, creditBytes] = [header.readUInt32BE(1), header.readUInt32BE(5)];
      return accept({ kind: 'want', request, creditBytes, ranges: ranges.value });
    }
    case kinds.part:
      if (header.length !== 6) return badHeader();
      return accept({
        kind: 'part',
        request: header.readUInt32BE(1),
        end: partEnds[header[5] ?? 0] ?? 'all',
        batches: rest,
      });
    case kinds.ack: {
      if (header.length !== 1) return badHeader();
      const held = readVector(rest);
      return held.ok ? accept({ kind: 'ack', held: held.value }) : held;
    }
    case kinds.fetch: {
      if (header.length !== 9) return badHeader();
      const known = decodeKnown(rest);
      if (known === undefined) return refuse('bad-snapshot', 'known chunks are ends and digests');
      return accept({
        kind: 'fetch',
        request: header.readUInt32BE(1),
        creditBytes: header.readUInt32BE(5),
        known,
      });
    }
    case kinds.more:
      if (header.length !== 9) return badHeader();
      return rest.length === 0
        ? accept({ kind: 'more', request: header.readUInt32BE(1), creditBytes: header.readUInt32BE(5) })
        : extraFrames();
    case kinds.chunk: {
      const [end, texts, ...more] = rest;
      if (header.length !== 10) return badHeader();
      if (more.length > 0) return extraFrames();
      if (end === undefined || (texts === undefined) !== (header[9] === 1)) {
        return refuse('bad-snapshot', 'a chunk has an end, and texts unless it is known');
      }
      const [request, records] = [header.readUInt32BE(1), header.readUInt32BE(5)];
      return accept({ kind: 'chunk', request, records, end: Buffer.from(end).toString(), texts });
    }
    case kinds.done: {
      const [frame, ...more] = rest;
      if (header.length !== 5) return badHeader();
      if (more.length > 0) return extraFrames();
      const request = header.readUInt32BE(1);
      if (frame === undefined) return accept({ kind: 'done', request, state: undefined });
      const state = decodeState(frame);
      return state === undefined
        ? refuse('bad-snapshot', 'the state of a snapshot is digest, hlc, vector and times')
        : accept({ kind: 'done', request, state });
    }
    default:
      return refuse('unknown-kind', `kind ${header[0]} is not of this release`);
  }
}

function numbers(kind: number, ...values: readonly number[]): Buffer {
  const header = Buffer.alloc(1 + 4 * values.length);
  header.writeUInt8(kind, 0);
  for (const [i, value] of values.entries()) header.writeUInt32BE(value, 1 + 4 * i);
  return header;
}

function readVector(frames: Frames): Parsed<Vector, MessageRefusal> {
  const [frame] = frames;
  if (frame === undefined || frame.byteLength > replicateLimits.vectorBytesMax) {
    return refuse('bad-vector', `a vector is one frame of at most ${replicateLimits.vectorBytesMax} bytes`);
  }
  if (frames.length > 1) return extraFrames();
  const vector = decodeVector(frame);
  return vector.ok ? vector : refuse('bad-vector', vector.reason);
}

function badHeader(): Parsed<never, MessageRefusal> {
  return refuse('bad-header', 'the header has not the length of its kind');
}

function extraFrames(): Parsed<never, MessageRefusal> {
  return refuse('extra-frames', 'this kind has no frames behind its own');
}
