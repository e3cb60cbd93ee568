import { expect, test } from 'vitest';
import type { NodeId } from '../../../src/event/types.ts';
import { decodeMessage, encodeMessage, type ReplicationMessage } from '../../../src/replicate/message.ts';

const vector = new Map([['aa'.repeat(16) as NodeId, { upTo: 3, above: [{ from: 7, to: 9 }] }]]);
const batch = Buffer.from('a batch');

test.each<ReplicationMessage>([
  { kind: 'batches', batches: [batch, batch] },
  { kind: 'hash', hash: Buffer.alloc(32, 5) },
  { kind: 'vector', vector, answer: true },
  { kind: 'vector', vector: new Map(), answer: false },
  { kind: 'want', request: 0xffff_ffff, creditBytes: 1_048_576, ranges: vector },
  { kind: 'part', request: 1, end: 'more', batches: [batch] },
  { kind: 'part', request: 2, end: 'all', batches: [] },
  { kind: 'part', request: 3, end: 'gone', batches: [] },
  { kind: 'ack', held: vector },
])('$kind is read as it was written', (message) => {
  expect(decodeMessage(encodeMessage(message))).toEqual({ ok: true, value: message });
});

test.each<[string, readonly string[], string]>([
  ['no frame', [], 'no-header'],
  ['an empty header', [''], 'no-header'],
  ['a kind of another release', ['63'], 'unknown-kind'],
  ['a header that is too long', ['0100'], 'bad-header'],
  ['a short hash', ['0200'], 'bad-header'],
  ['a hash with a frame behind it', [`02${'00'.repeat(32)}`, '00'], 'extra-frames'],
  ['a vector that is missing', ['0301'], 'bad-vector'],
  ['a vector that is a map', ['0301', 'a0'], 'bad-vector'],
  ['a want cut short', ['0400000001', '80'], 'bad-header'],
])('%s is refused', (_, frames, code) => {
  expect(decodeMessage(frames.map((hex) => Buffer.from(hex, 'hex')))).toMatchObject({ ok: false, code });
});
