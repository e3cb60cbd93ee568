import { isUtf8 } from 'node:buffer';
import { bufferOver } from '../buffer.ts';

/**
 * A cursor over a stranger's bytes. The first thing that goes wrong stays in `refusal`; from then on every read gives
 * zero or an empty text, so that a codec reads all its fields and looks at `refusal` once. Loops over a count look at
 * it in every turn. `Refusal` is what the codec may add to the reader's own reasons.
 */
export type Reader<Refusal extends string = never> = {
  readonly bytes: Buffer;
  offset: number;
  refusal: Refusal | ReadRefusal | undefined;
};

/** `short`: the bytes end inside a field. `nul-in-text`: C programs would cut the text there, and two peers disagree. */
export type ReadRefusal = 'short' | 'not-utf8' | 'nul-in-text';

/** Reads the given bytes in place, from `offset`; copies nothing. */
export function createReader<Refusal extends string = never>(bytes: Uint8Array, offset = 0): Reader<Refusal> {
  return { bytes: bufferOver(bytes), offset, refusal: undefined };
}

export function readU8(reader: Reader<string>): number {
  const start = take(reader, 1);
  return start === undefined ? 0 : reader.bytes.readUInt8(start);
}

export function readU16(reader: Reader<string>): number {
  const start = take(reader, 2);
  return start === undefined ? 0 : reader.bytes.readUInt16BE(start);
}

export function readU32(reader: Reader<string>): number {
  const start = take(reader, 4);
  return start === undefined ? 0 : reader.bytes.readUInt32BE(start);
}

/** UTF-8 text behind a u8 length: at most 255 bytes. */
export function readString(reader: Reader<string>): string {
  return readText(reader, readU8(reader));
}

/** UTF-8 text behind a u32 length. Longer than `bytesMax` is refused as `tooLong`, whether or not the bytes are there. */
export function readLongString<Refusal extends string>(
  reader: Reader<Refusal>,
  bytesMax: number,
  tooLong: Refusal,
): string {
  const length = readU32(reader);
  if (length > bytesMax) {
    reader.refusal = tooLong;
    return '';
  }
  return readText(reader, length);
}

function readText(reader: Reader<string>, length: number): string {
  const start = take(reader, length);
  if (start === undefined) return '';
  const end = start + length;
  const text = reader.bytes.toString('utf8', start, end);
  // U+FFFD stands for bytes that are not UTF-8, or for itself. It is rare, so only then do we pay for the strict check.
  if (text.includes('\ufffd') && !isUtf8(reader.bytes.subarray(start, end))) {
    reader.refusal = 'not-utf8';
    return '';
  }
  if (text.includes('\0')) {
    reader.refusal = 'nul-in-text';
    return '';
  }
  return text;
}

/** Steps over `length` bytes and says where they start; undefined once something was refused. */
function take(reader: Reader<string>, length: number): number | undefined {
  if (reader.refusal !== undefined) return undefined;
  const start = reader.offset;
  if (length > reader.bytes.length - start) {
    reader.refusal = 'short';
    return undefined;
  }
  reader.offset = start + length;
  return start;
}
