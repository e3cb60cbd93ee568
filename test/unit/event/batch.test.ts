import { Encoder } from 'cbor-x';
import { describe, expect, test } from 'vitest';
import { randomInt, seededRandom } from '../../../mesh/random.ts';
import { batchLimits, openBatch, readBatch, sealBatches } from '../../../src/event/batch.ts';
import { scanCbor } from '../../../src/event/cbor-scan.ts';
import { createIdentity, loadIdentity, nodeIdOf } from '../../../src/event/identity.ts';
import { parseObservation, standardDefaults } from '../../../src/indicator/observation.ts';
import type { Observation } from '../../../src/indicator/types.ts';

const identity = createIdentity(new Uint8Array(32).fill(7));
const nowMs = Date.UTC(2026, 0, 1);

function observation(indicator: string, fields: Record<string, unknown> = {}): Observation {
  const parsed = parseObservation({ indicator, ...fields }, { ...standardDefaults, provider: 'test' }, nowMs);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
}

function seal(bodies: readonly Observation[], firstSeq = 1) {
  return sealBatches(
    identity,
    firstSeq,
    bodies.map((body, i) => ({ hlc: (BigInt(nowMs) << 16n) + BigInt(i), kind: 'observe' as const, body })),
  );
}

const everyField = observation('http://example.com/Path', {
  tags: 'b,a',
  confidence: 7.5,
  count: 3,
  firsttime: '2025-12-01T00:00:00Z',
  expiretime: '2026-02-01T00:00:00Z',
  description: 'naïve 🔔 text',
  reference: 'https://example.org/report',
  portlist: '22,80',
  protocol: 'tcp',
  rdata: '192.0.2.1',
  asn: 64500,
  asn_desc: 'Example',
  cc: 'de',
  latitude: -12.5,
  longitude: 0,
});

test('what was sealed is opened and read with every field as it was', () => {
  const [batch] = seal([everyField, observation('192.0.2.0/24'), observation('AS64500')]);
  if (batch === undefined) throw new Error('no batch');
  const opened = openBatch(batch.bytes);
  expect(opened).toEqual({ ok: true, value: batch });
  expect(readBatch(batch.bytes)).toEqual(batch);
});

test('batches are cut at 256 events and at 256 KiB, with consecutive seq', () => {
  const small = seal(
    Array.from({ length: 600 }, (_, i) => observation(`h${i}.example.com`)),
    10,
  );
  expect(small.map(({ firstSeq, lastSeq }) => [firstSeq, lastSeq])).toEqual([
    [10, 265],
    [266, 521],
    [522, 609],
  ]);
  const large = seal(
    Array.from({ length: 200 }, (_, i) =>
      observation(`h${i}.example.com`, { description: '€'.repeat(2_000 - i) }),
    ),
  );
  expect(large.length).toBeGreaterThan(3);
  for (const { bytes } of large) {
    expect(bytes.length).toBeLessThanOrEqual(batchLimits.bytesMax);
    expect(openBatch(bytes).ok).toBe(true);
  }
});

test('a batch is about half of its JSON', () => {
  const bodies = Array.from({ length: 200 }, (_, i) => observation(`h${i}.example.com`, { tags: 'malware' }));
  const bytes = seal(bodies).reduce((sum, batch) => sum + batch.bytes.length, 0);
  expect(bytes / JSON.stringify(bodies).length).toBeLessThan(0.5);
});

test('a node id follows from the key, and the key survives its PEM', () => {
  expect(nodeIdOf(identity.publicKey)).toBe(identity.nodeId);
  expect(loadIdentity(identity.privateKeyPem).nodeId).toBe(identity.nodeId);
});

test('another key’s signature and another origin’s name are refused', () => {
  const [batch] = seal([everyField]);
  if (batch === undefined) throw new Error('no batch');
  const other = createIdentity(new Uint8Array(32).fill(8));
  const body = batch.bytes.subarray(batchLimits.signatureBytes);
  const forged = Buffer.concat([other.sign(body), body]);
  expect(openBatch(forged)).toMatchObject({ ok: false, code: 'batch-signature' });
  const stolen = sealBatches({ ...other, nodeId: identity.nodeId }, 1, [
    { hlc: 1n, kind: 'observe', body: everyField },
  ])[0];
  expect(stolen && openBatch(stolen.bytes)).toMatchObject({ ok: false, code: 'batch-origin' });
});

test('an indicator that is not canonical is refused, whoever signed it', () => {
  const [batch] = seal([{ ...everyField, indicator: 'HTTP://Example.com/Path' }]);
  expect(batch && openBatch(batch.bytes)).toMatchObject({ ok: false, code: 'batch-event' });
});

test('20,000 mutated batches are refused or equal, and never throw', () => {
  const random = seededRandom(11);
  const [batch] = seal([everyField, observation('example.com')]);
  if (batch === undefined) throw new Error('no batch');
  for (let i = 0; i < 20_000; i++) {
    const bytes = Uint8Array.from(batch.bytes);
    const changes = 1 + randomInt(random, 4);
    for (let n = 0; n < changes; n++) bytes[randomInt(random, bytes.length)] = randomInt(random, 256);
    const cut = random.next() < 0.2 ? bytes.subarray(0, randomInt(random, bytes.length)) : bytes;
    const opened = openBatch(cut);
    if (opened.ok) expect(Buffer.compare(cut, batch.bytes)).toBe(0);
  }
});

describe('hostile CBOR is refused before a decoder sees it, in no time', () => {
  const limits = { depthMax: 5, itemsMax: 1_000 };
  const bignum = Buffer.concat([Buffer.from('c25a00010000', 'hex'), Buffer.alloc(65_536, 0xff)]);
  const records = new Encoder({ useRecords: true }).encode([{ a: 1 }, { a: 2 }]);
  test.each<[string, Uint8Array, string]>([
    ['a bignum of 64 KiB', bignum, 'cbor-kind'],
    ['record tags', records, 'cbor-kind'],
    ['a map', Buffer.from('a1616101', 'hex'), 'cbor-kind'],
    ['an indefinite array', Buffer.from('9f01ff', 'hex'), 'cbor-kind'],
    ['nesting 10,000 deep', Buffer.alloc(10_000, 0x81), 'cbor-depth'],
    ['an array that claims 2^32 items', Buffer.from('9affffffff', 'hex'), 'cbor-cut'],
    ['a string that claims 2^53 bytes', Buffer.from('7b0020000000000000', 'hex'), 'cbor-cut'],
    [
      'more items than the limit',
      Buffer.concat([Buffer.from('9904ff', 'hex'), Buffer.alloc(0x4ff)]),
      'cbor-items',
    ],
    ['text that is no UTF-8', Buffer.from('62c080', 'hex'), 'cbor-text'],
    ['text with half a surrogate pair', Buffer.from('63eda080', 'hex'), 'cbor-text'],
    ['bytes behind the end', Buffer.from('0000', 'hex'), 'cbor-trailing'],
    ['nothing', new Uint8Array(), 'cbor-cut'],
  ])('%s', (_, bytes, reason) => {
    const startMs = performance.now();
    expect(scanCbor(bytes, limits)).toBe(reason);
    expect(performance.now() - startMs).toBeLessThan(50);
  });
});
