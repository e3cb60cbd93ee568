/*
 * ZRE version 2 on the wire: RFC 36, and libzyre where the two differ (RFC 43's version 3 is spoken by nobody).
 *
 * A message is one control frame, followed by content frames for WHISPER and SHOUT and by nothing for the rest.
 * Integers are unsigned and big endian.
 *
 *   message    = whisper 1*content / shout 1*content
 *              / hello / join / leave / ping / ping-ok / elect / leader / goodbye
 *   content    = *OCTET                                 ; a frame of its own, may be empty
 *
 *   hello      = signature %x01 version sequence endpoint groups status name headers
 *   whisper    = signature %x02 version sequence
 *   shout      = signature %x03 version sequence group
 *   join       = signature %x04 version sequence group status
 *   leave      = signature %x05 version sequence group status
 *   ping       = signature %x06 version sequence
 *   ping-ok    = signature %x07 version sequence
 *   elect      = signature %x08 version sequence group challenger-id     ; libzyre only
 *   leader     = signature %x09 version sequence group leader-id         ; libzyre only
 *   goodbye    = signature %x0a version sequence                         ; libzyre only
 *
 *   signature  = %xAA %xA1
 *   version    = %x02
 *   sequence   = 2OCTET
 *   status     = OCTET
 *   endpoint   = string
 *   group      = string
 *   name       = string
 *   challenger-id = string                              ; a peer id as 32 upper-case hex digits
 *   leader-id  = string
 *   groups     = count *longstr
 *   headers    = count *( key longstr )
 *   key        = string                                 ; 1 byte or more
 *
 *   string     = OCTET *OCTET                           ; length, then UTF-8 without NUL
 *   longstr    = 4OCTET *OCTET                          ; the same with a longer length
 *   count      = 4OCTET
 *
 * Bytes behind the last field are ignored, as libzyre does, so that a later version can add fields.
 */
import { bufferOver } from '../buffer.ts';
import { MeshError } from '../errors.ts';
import type { MeshLimits } from '../limits.ts';
import type { Parsed } from '../parsed.ts';
import { accept, refuse } from '../parsed.ts';
import type { Frames } from '../transport/transport.ts';
import type { Hello, ZreMessage } from './message.ts';
import type { Reader, ReadRefusal } from './reader.ts';
import { createReader, readLongString, readString, readU8, readU32 } from './reader.ts';
import type { TextRule, Writer } from './writer.ts';
import {
  createWriter,
  longStringBytesMax,
  stringBytesMax,
  writeLongString,
  writeString,
  writeU8,
  writeU16,
  writeU32,
  writtenBytes,
} from './writer.ts';

/** Why a stranger's frames are no ZRE message. */
export type ZreRefusal =
  | ReadRefusal
  | 'no-frames'
  | 'too-many-frames'
  | 'control-frame-too-large'
  | 'content-frame-too-large'
  | 'bad-signature'
  | 'bad-version'
  | 'unknown-kind'
  /** A WHISPER or SHOUT without a content frame. */
  | 'no-content'
  /** Frames behind a kind that has none: libzyre reads them as further messages, from whom they please. */
  | 'extra-frames'
  | 'too-many-groups'
  | 'group-too-long'
  | 'too-many-headers'
  | 'empty-header-key'
  | 'header-value-too-long';

type Kind = ZreMessage['kind'];

const signature = 0xaaa1;
const version = 2;
const kindAt = 2;
const versionAt = 3;
const sequenceAt = 4;
const headerBytes = 6;

const idByKind: Readonly<Record<Kind, number>> = {
  hello: 1,
  whisper: 2,
  shout: 3,
  join: 4,
  leave: 5,
  ping: 6,
  'ping-ok': 7,
  elect: 8,
  leader: 9,
  goodbye: 10,
};

const kindById: readonly (Kind | undefined)[] = [
  undefined,
  ...(Object.keys(idByKind) as Kind[]).sort((a, b) => idByKind[a] - idByKind[b]),
];

const endpointRule: TextRule = { code: 'BAD_ENDPOINT', field: 'endpoint', bytesMax: stringBytesMax };
// HELLO could carry longer groups, but JOIN could not, and libzyre cuts at 255 bytes.
const groupRule: TextRule = { code: 'BAD_GROUP', field: 'group', bytesMax: stringBytesMax };
const nameRule: TextRule = { code: 'BAD_NAME', field: 'name', bytesMax: stringBytesMax };
const headerKeyRule: TextRule = { code: 'BAD_HEADER', field: 'header key', bytesMax: stringBytesMax };
const headerValueRule: TextRule = { code: 'BAD_HEADER', field: 'header value', bytesMax: longStringBytesMax };
const challengerRule: TextRule = { code: 'BAD_NAME', field: 'challenger id', bytesMax: stringBytesMax };
const leaderRule: TextRule = { code: 'BAD_NAME', field: 'leader id', bytesMax: stringBytesMax };

/**
 * The control frame and, as they are, the content frames. Throws MeshError BAD_ENDPOINT, BAD_GROUP, BAD_NAME or
 * BAD_HEADER for a text that the wire cannot carry, NO_CONTENT for a WHISPER or SHOUT without content, and RangeError
 * for a sequence or status that does not fit. What a peer's limits refuse beyond that is for the caller to mind.
 */
export function encodeZre(message: ZreMessage): Uint8Array[] {
  const writer = createWriter();
  writeHeader(writer, message.kind, message.sequence);
  switch (message.kind) {
    case 'hello':
      writeHello(writer, message);
      break;
    case 'shout':
      writeString(writer, message.group, groupRule);
      return withContent(writer, message.content);
    case 'whisper':
      return withContent(writer, message.content);
    case 'join':
    case 'leave':
      writeString(writer, message.group, groupRule);
      writeU8(writer, message.status);
      break;
    case 'elect':
      writeString(writer, message.group, groupRule);
      writeString(writer, message.challengerId, challengerRule);
      break;
    case 'leader':
      writeString(writer, message.group, groupRule);
      writeString(writer, message.leaderId, leaderRule);
      break;
    case 'ping':
    case 'ping-ok':
    case 'goodbye':
      break;
    default:
      message satisfies never;
  }
  return [writtenBytes(writer)];
}

/** The control frame of content without its place in a sequence: the same for all peers (withSequence). Throws as encodeZre. */
export function encodeControl(content: { kind: 'whisper' } | { kind: 'shout'; group: string }): Uint8Array {
  const writer = createWriter();
  writeHeader(writer, content.kind, 0);
  if (content.kind === 'shout') writeString(writer, content.group, groupRule);
  return writtenBytes(writer);
}

/** A copy of a control frame in its place of a sequence. What was sent is not written to: a socket may still read it. */
export function withSequence(control: Uint8Array, sequence: number): Uint8Array {
  const placed = Buffer.allocUnsafe(control.length);
  placed.set(control);
  placed.writeUInt16BE(sequence, sequenceAt);
  return placed;
}

function writeHeader(writer: Writer, kind: Kind, sequence: number): void {
  writeU16(writer, signature);
  writeU8(writer, idByKind[kind]);
  writeU8(writer, version);
  writeU16(writer, sequence);
}

function writeHello(writer: Writer, hello: Hello): void {
  writeString(writer, hello.endpoint, endpointRule);
  writeU32(writer, hello.groups.length);
  for (const group of hello.groups) writeLongString(writer, group, groupRule);
  writeU8(writer, hello.status);
  writeString(writer, hello.name, nameRule);
  writeU32(writer, hello.headers.size);
  for (const [key, value] of hello.headers) {
    if (key === '') throw new MeshError('BAD_HEADER', 'A header key is empty; give it 1 to 255 bytes.');
    writeString(writer, key, headerKeyRule);
    writeLongString(writer, value, headerValueRule);
  }
}

function withContent(writer: Writer, content: readonly Uint8Array[]): Uint8Array[] {
  if (content.length === 0) {
    throw new MeshError(
      'NO_CONTENT',
      'A WHISPER or SHOUT needs a content frame; send an empty one if there is nothing to say.',
    );
  }
  return [writtenBytes(writer), ...content];
}

/**
 * Reads the frames behind the sender's routing id. Never throws, whatever they hold, and makes nothing larger than what
 * they hold. Content frames are handed on without a copy.
 */
export function decodeZre(frames: Frames, limits: MeshLimits): Parsed<ZreMessage, ZreRefusal> {
  const control = frames[0];
  if (control === undefined) return refuse('no-frames');
  if (frames.length > limits.framesMax) return refuse('too-many-frames');
  if (control.length > limits.controlFrameBytesMax) return refuse('control-frame-too-large');

  // Without a reader: this is read of every message, and a reader minds each of the fields.
  const bytes = bufferOver(control);
  if (bytes.length < headerBytes) return refuse('short');
  if (bytes.readUInt16BE(0) !== signature) return refuse('bad-signature');
  if (bytes[versionAt] !== version) return refuse('bad-version');
  const kind = kindById[bytes[kindAt] ?? 0];
  if (kind === undefined) return refuse('unknown-kind');
  const sequence = bytes.readUInt16BE(sequenceAt);

  const content = frames.slice(1);
  const carriesContent = kind === 'whisper' || kind === 'shout';
  if (carriesContent && content.length === 0) return refuse('no-content');
  if (!carriesContent && content.length > 0) return refuse('extra-frames');
  for (const frame of content) {
    if (frame.length > limits.contentFrameBytesMax) return refuse('content-frame-too-large');
  }

  const reader = createReader<ZreRefusal>(bytes, headerBytes);
  const message = readFields(reader, kind, sequence, content, limits);
  return reader.refusal === undefined ? accept(message) : refuse(reader.refusal);
}

/** Worth something only when the reader refused nothing. */
function readFields(
  reader: Reader<ZreRefusal>,
  kind: Kind,
  sequence: number,
  content: Frames,
  limits: MeshLimits,
): ZreMessage {
  // An object literal evaluates its properties from top to bottom, which is the order of the wire.
  switch (kind) {
    case 'hello':
      return {
        kind,
        sequence,
        endpoint: readString(reader),
        groups: readGroups(reader, limits),
        status: readU8(reader),
        name: readString(reader),
        headers: readHeaders(reader, limits),
      };
    case 'whisper':
      return { kind, sequence, content };
    case 'shout':
      return { kind, sequence, group: readString(reader), content };
    case 'join':
    case 'leave':
      return { kind, sequence, group: readString(reader), status: readU8(reader) };
    case 'elect':
      return { kind, sequence, group: readString(reader), challengerId: readString(reader) };
    case 'leader':
      return { kind, sequence, group: readString(reader), leaderId: readString(reader) };
    case 'ping':
    case 'ping-ok':
    case 'goodbye':
      return { kind, sequence };
  }
}

function readGroups(reader: Reader<ZreRefusal>, limits: MeshLimits): string[] {
  const groups: string[] = [];
  const count = readU32(reader);
  if (count > limits.groupsMax) reader.refusal = 'too-many-groups';
  for (let n = 0; n < count && reader.refusal === undefined; n += 1) {
    groups.push(readLongString(reader, groupRule.bytesMax, 'group-too-long'));
  }
  return groups;
}

function readHeaders(reader: Reader<ZreRefusal>, limits: MeshLimits): Map<string, string> {
  const headers = new Map<string, string>();
  const count = readU32(reader);
  if (count > limits.headersMax) reader.refusal = 'too-many-headers';
  for (let n = 0; n < count && reader.refusal === undefined; n += 1) {
    const key = readString(reader);
    if (key === '' && reader.refusal === undefined) reader.refusal = 'empty-header-key';
    const value = readLongString(reader, limits.headerValueBytesMax, 'header-value-too-long');
    if (!headers.has(key)) headers.set(key, value);
  }
  return headers;
}
