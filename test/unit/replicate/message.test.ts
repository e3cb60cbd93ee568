import { expect, test } from 'vitest';
import type { NodeId } from '../../../src/event/types.ts';
import { decodeMessage, encodeMessage, type ReplicationMessage } from '../../../src/replicate/message.ts';

const origin = 'aa'.repeat(16) as NodeId;
const vector = new Map([[origin, { upTo: 3, above: [{ from: 7, to: 9 }] }]]);
const batch = Buffer.from('a batch');

test.each<ReplicationMessage>([
  { kind: 'batches', batches: [batch, batch] },
  { kind: 'hash', hash: Buffer.alloc(32, 5), wallMs: 1_767_225_600_000 },
  { kind: 'vector', vector, answer: true },
  { kind: 'vector', vector: new Map(), answer: false },
  { kind: 'want', request: 0xffff_ffff, creditBytes: 1_048_576, ranges: vector },
  { kind: 'part', request: 1, end: 'more', batches: [batch] },
  { kind: 'part', request: 2, end: 'all', batches: [] },
  { kind: 'part', request: 3, end: 'gone', batches: [] },
  { kind: 'ack', held: vector },
  { kind: 'fetch', request: 4, creditBytes: 1_000, known: [] },
  { kind: 'fetch', request: 4, creditBytes: 1_000, known: [{ end: 'a', digest: Buffer.alloc(32, 1) }] },
  { kind: 'more', request: 4, creditBytes: 1_000 },
  { kind: 'chunk', request: 4, records: 7, end: 'b', texts: Buffer.from('[]\n') },
  { kind: 'chunk', request: 4, records: 7, end: 'b', texts: undefined },
  {
    kind: 'done',
    request: 4,
    state: {
      digest: Buffer.alloc(32, 2),
      state: { vector, lastMs: new Map([[origin, 1_767_225_600_000]]), lastHlc: 1n << 62n },
    },
  },
  { kind: 'done', request: 5, state: undefined },
])('$kind is read as it was written', (message) => {
  expect(decodeMessage(encodeMessage(message))).toEqual({ ok: true, value: message });
});

test.each<[string, readonly string[], string]>([
  ['no frame', [], 'no-header'],
  ['an empty header', [''], 'no-header'],
  ['a kind of another release', ['63'], 'unknown-kind'],
  ['a header that is too long', ['0100'], 'bad-header'],
  ['a short hash', ['0200'], 'bad-header'],
  ['a hash with a frame behind it', [`02${'00'.repeat(40)}`, '00'], 'extra-frames'],
  ['a vector that is missing', ['0301'], 'bad-vector'],
  ['a vector that is a map', ['0301', 'a0'], 'bad-vector'],
  ['a chunk without an end', ['0900000001000000070000'], 'bad-header'],
  ['a chunk whose texts are missing', ['09000000010000000700', '61'], 'bad-snapshot'],
  [
    'known chunks that do not ascend',
    [`070000000100000001`, `84616158200${'0'.repeat(63)}616158200${'0'.repeat(63)}`],
    'bad-snapshot',
  ],
  ['known chunks as a map', ['070000000100000001', 'a0'], 'bad-snapshot'],
  ['a state that is a number', ['0a00000001', '01'], 'bad-snapshot'],
  ['a want cut short', ['0400000001', '80'], 'bad-header'],
])('%s is refused', (_, frames, code) => {
  expect(decodeMessage(frames.map((hex) => Buffer.from(hex, 'hex')))).toMatchObject({ ok: false, code });
});
