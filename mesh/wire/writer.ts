import type { MeshErrorCode } from '../errors.ts';
import { MeshError } from '../errors.ts';

/** Bytes being written: a buffer that grows, and how much of it is used. */
export type Writer = { bytes: Buffer; offset: number };

/** What a text of ours must keep to, and how we say that it did not. */
export type TextRule = {
  readonly code: MeshErrorCode;
  /** What the text is, in words, e.g. `group`. */
  readonly field: string;
  readonly bytesMax: number;
};

/** A `string` of the wire has a u8 length. */
export const stringBytesMax = 255;
/** A `longstr` of the wire has a u32 length. */
export const longStringBytesMax = 0xffff_ffff;

/** Holds all messages but a HELLO or a gossip PUBLISH without growing. */
const startBytes = 64;

export function createWriter(): Writer {
  return { bytes: Buffer.allocUnsafe(startBytes), offset: 0 };
}

/** What was written, without a copy. Write no more afterwards. */
export function writtenBytes(writer: Writer): Uint8Array {
  return writer.bytes.subarray(0, writer.offset);
}

/** This and the other integers throw RangeError when the value does not fit: our own bug. */
export function writeU8(writer: Writer, value: number): void {
  reserve(writer, 1);
  writer.offset = writer.bytes.writeUInt8(value, writer.offset);
}

export function writeU16(writer: Writer, value: number): void {
  reserve(writer, 2);
  writer.offset = writer.bytes.writeUInt16BE(value, writer.offset);
}

export function writeU32(writer: Writer, value: number): void {
  reserve(writer, 4);
  writer.offset = writer.bytes.writeUInt32BE(value, writer.offset);
}

/** UTF-8 text behind a u8 length. Throws the rule's MeshError. */
export function writeString(writer: Writer, text: string, rule: TextRule): void {
  const length = textBytes(text, rule);
  writeU8(writer, length);
  writeText(writer, text, length);
}

/** UTF-8 text behind a u32 length. Throws the rule's MeshError. */
export function writeLongString(writer: Writer, text: string, rule: TextRule): void {
  const length = textBytes(text, rule);
  writeU32(writer, length);
  writeText(writer, text, length);
}

/** The text's length in UTF-8 bytes, once it is known to keep to the rule and to our own reader's demands. */
function textBytes(text: string, rule: TextRule): number {
  const length = Buffer.byteLength(text);
  if (length > rule.bytesMax) {
    const message = `The ${rule.field} is ${length} bytes long in UTF-8; at most ${rule.bytesMax} are allowed. Shorten it.`;
    throw new MeshError(rule.code, message);
  }
  if (text.includes('\0')) {
    throw new MeshError(
      rule.code,
      `The ${rule.field} contains a NUL, where peers written in C cut it. Remove it.`,
    );
  }
  return length;
}

function writeText(writer: Writer, text: string, length: number): void {
  reserve(writer, length);
  writer.offset += writer.bytes.write(text, writer.offset);
}

function reserve(writer: Writer, length: number): void {
  const needed = writer.offset + length;
  if (needed <= writer.bytes.length) return;
  const grown = Buffer.allocUnsafe(Math.max(needed, 2 * writer.bytes.length));
  writer.bytes.copy(grown, 0, 0, writer.offset);
  writer.bytes = grown;
}
