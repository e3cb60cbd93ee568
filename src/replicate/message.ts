import type { Frames } from 'tocsin/mesh';
import type { Vector } from '../event/types.ts';
import { decodeVector, encodeVector } from '../event/vector.ts';
import { accept, type Parsed, refuse } from '../parsed.ts';
import { replicateLimits } from './limits.ts';

/**
 * What Tocsin nodes say to one another in the mesh, as content of WHISPER and SHOUT. The first frame is a header:
 * the kind in one byte, then its fields; batches follow as they were signed, one to a frame. Integers are big endian.
 *
 *   batches = %x01                                  1*batch   ; shouted as they are committed
 *   hash    = %x02 32OCTET                                    ; hash of the sender's vector
 *   vector  = %x03 answer:u8                        vector    ; what the sender holds; answer 1: tell me yours
 *   want    = %x04 request:u32 credit:u32           vector    ; ranges that the sender lacks, as a vector
 *   part    = %x05 request:u32 last:u8              *batch    ; answers a want until its credit is used up
 *   ack     = %x06                                  vector    ; what the sender has on disk of the receiver's own events
 */
export type ReplicationMessage =
  | { readonly kind: 'batches'; readonly batches: Frames }
  | { readonly kind: 'hash'; readonly hash: Uint8Array }
  | { readonly kind: 'vector'; readonly vector: Vector; readonly answer: boolean }
  | { readonly kind: 'want'; readonly request: number; readonly creditBytes: number; readonly ranges: Vector }
  | { readonly kind: 'part'; readonly request: number; readonly last: boolean; readonly batches: Frames }
  | { readonly kind: 'ack'; readonly held: Vector };

const kinds = { batches: 1, hash: 2, vector: 3, want: 4, part: 5, ack: 6 } as const;
const hashBytes = 32;

export function encodeMessage(message: ReplicationMessage): Frames {
  switch (message.kind) {
    case 'batches':
      return [Uint8Array.of(kinds.batches), ...message.batches];
    case 'hash':
      return [Buffer.concat([Uint8Array.of(kinds.hash), message.hash])];
    case 'vector':
      return [Uint8Array.of(kinds.vector, message.answer ? 1 : 0), encodeVector(message.vector)];
    case 'want': {
      const header = Buffer.alloc(9);
      header.writeUInt8(kinds.want, 0);
      header.writeUInt32BE(message.request, 1);
      header.writeUInt32BE(message.creditBytes, 5);
      return [header, encodeVector(message.ranges)];
    }
    case 'part': {
      const header = Buffer.alloc(6);
      header.writeUInt8(kinds.part, 0);
      header.writeUInt32BE(message.request, 1);
      header.writeUInt8(message.last ? 1 : 0, 5);
      return [header, ...message.batches];
    }
    case 'ack':
      return [Uint8Array.of(kinds.ack), encodeVector(message.held)];
    default:
      return message satisfies never;
  }
}

export type MessageRefusal = 'no-header' | 'bad-header' | 'bad-vector' | 'unknown-kind' | 'extra-frames';

export function decodeMessage([head, ...rest]: Frames): Parsed<ReplicationMessage, MessageRefusal> {
  if (head === undefined || head.length === 0)
    return refuse('no-header', 'a message has a header of a byte or more');
  const header = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  switch (header[0]) {
    case kinds.batches:
      return header.length === 1 ? accept({ kind: 'batches', batches: rest }) : badHeader();
    case kinds.hash:
      if (header.length !== 1 + hashBytes) return badHeader();
      return rest.length === 0 ? accept({ kind: 'hash', hash: header.subarray(1) }) : extraFrames();
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
      return accept({ kind: 'part', request: header.readUInt32BE(1), last: header[5] === 1, batches: rest });
    case kinds.ack: {
      if (header.length !== 1) return badHeader();
      const held = readVector(rest);
      return held.ok ? accept({ kind: 'ack', held: held.value }) : held;
    }
    default:
      return refuse('unknown-kind', `kind ${header[0]} is not of this release`);
  }
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
