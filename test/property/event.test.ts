import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pick, randomInt, seededRandom } from '../../mesh/random.ts';
import { batchLimits, openBatch, readBatch, sealBatches } from '../../src/event/batch.ts';
import { decodeCbor, encodeCbor } from '../../src/event/cbor.ts';
import { scanCbor } from '../../src/event/cbor-scan.ts';
import type { OpenedBatch } from '../../src/event/types.ts';
import { parseObservation, standardDefaults } from '../../src/indicator/observation.ts';
import { mergeObservation } from '../../src/indicator/record.ts';
import type { Observation } from '../../src/indicator/types.ts';
import { recordKey } from '../../src/store/keys.ts';
import { decodeRecord, encodeRecord } from '../../src/store/record-codec.ts';
import { identityOf } from '../contract/store-contract.ts';

const identity = identityOf(7);
const nowMs = Date.UTC(2026, 0, 1);
// Mostly text that intake takes: a row with one bad field shows nothing here.
const anyText = fc.oneof(
  { weight: 40, arbitrary: fc.string({ unit: 'grapheme', maxLength: 200 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
);

const row = fc.record(
  {
    indicator: fc.oneof(
      fc.webUrl({ withQueryParameters: true, withFragments: true }),
      fc.domain(),
      fc.ipV4(),
      fc.ipV6(),
      fc.emailAddress(),
      fc.nat(4_294_967_295).map((asn) => `AS${asn}`),
      fc.tuple(fc.domain(), anyText).map(([host, path]) => `http://${host}/${path}`),
    ),
    confidence: fc.double({ min: 0, max: 10, noNaN: true }),
    count: fc.integer({ min: 1, max: 1_000_000_000 }),
    tags: fc.array(fc.stringMatching(/^[a-z0-9][a-z0-9 ._:=-]{0,20}$/), { maxLength: 6 }),
    firsttime: fc.integer({ min: Date.UTC(1990), max: nowMs }),
    lasttime: fc.integer({ min: Date.UTC(1990), max: nowMs }),
    description: anyText,
    reference: anyText,
    rdata: anyText,
    portlist: fc.array(fc.nat(65_535), { maxLength: 100 }).map(String),
    protocol: fc.constantFrom('tcp', '6', 'gre/47'),
    asn: fc.nat(4_294_967_295),
    asn_desc: anyText,
    cc: fc.constantFrom('nl', 'DE'),
    latitude: fc.double({ min: -90, max: 90, noNaN: true }),
    longitude: fc.double({ min: -180, max: 180, noNaN: true }),
  },
  { requiredKeys: ['indicator'] },
);

function seal(bodies: readonly Observation[]): OpenedBatch {
  const entries = bodies.map((body, i) => ({
    hlc: (BigInt(nowMs) << 16n) + BigInt(i),
    kind: 'observe' as const,
    body,
  }));
  const [batch] = sealBatches(identity, 1, entries);
  if (batch === undefined) throw new Error('no batch');
  return batch;
}

test('a row that intake accepts, a peer accepts too, and reads as it was', () => {
  let accepted = 0;
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 8 }), (rows) => {
      const bodies = rows.flatMap((fields) => {
        const parsed = parseObservation(fields, { ...standardDefaults, provider: 'test' }, nowMs);
        return parsed.ok ? [parsed.value] : [];
      });
      if (bodies.length === 0) return;
      accepted += bodies.length;
      const batch = seal(bodies);
      const opened = openBatch(batch.bytes);
      expect(opened).toStrictEqual({ ok: true, value: batch });
      expect(readBatch(batch.bytes)).toStrictEqual(batch);
      expect(
        scanCbor(batch.bytes.subarray(batchLimits.signatureBytes), { depthMax: 4, itemsMax: 10_000 }),
      ).toBe(undefined);
      expect(Buffer.from(seal(bodies).bytes)).toStrictEqual(Buffer.from(batch.bytes));
    }),
    { numRuns: 1_000, seed: 23 },
  );
  // Else the rows above have drifted from what intake takes, and this shows nothing.
  expect(accepted).toBeGreaterThan(1_000);
});

const strange: readonly unknown[] = [
  ...[null, true, '', 'x', '\0', '__proto__', 'A'.repeat(9_000), 'fqdn', 'HTTP://Example.com'],
  ...[-1, 0, -0, 0.5, 1e300, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 2n ** 64n - 1n],
  ...[new Uint8Array(16), new Uint8Array(32), [], [[]], ['b', 'a'], ['a', 'a'], [null], [1, 2, 3]],
];

test('20,000 batches that a hostile peer altered and signed are refused, or hold events that the store can apply', () => {
  const random = seededRandom(23);
  const parsed = ['http://example.com/a', '192.0.2.0/24', 'example.com'].map((indicator) =>
    parseObservation({ indicator, tags: 'a,b', asn: 64500 }, { ...standardDefaults, provider: 'p' }, nowMs),
  );
  const bodies = parsed.flatMap((found) => (found.ok ? [found.value] : []));
  const honest = seal(bodies).bytes.subarray(batchLimits.signatureBytes);
  const refusals = new Map<string, number>();
  let opened = 0;
  for (let i = 0; i < 20_000; i++) {
    const body = random.next() < 0.5 ? alteredBytes(honest) : alteredValue(honest);
    const result = openBatch(Buffer.concat([identity.sign(body), body]));
    if (!result.ok) {
      refusals.set(result.code, (refusals.get(result.code) ?? 0) + 1);
      continue;
    }
    opened++;
    const { events, firstSeq, lastSeq, origin } = result.value;
    expect(events.map(({ seq }) => seq)).toEqual(
      Array.from({ length: lastSeq - firstSeq + 1 }, (_, n) => firstSeq + n),
    );
    for (const event of events) {
      if (event.kind !== 'observe') continue;
      expect(recordKey(event.body)).not.toBe('');
      const record = mergeObservation(undefined, event.body, { hlc: event.hlc, origin });
      expect(encodeRecord(decodeRecord(encodeRecord(record)))).toBe(encodeRecord(record));
    }
  }
  // Each check was met, and some alterations were harmless.
  expect(refusals.has('batch-signature')).toBe(false);
  for (const code of ['batch-cbor', 'batch-shape', 'batch-event', 'batch-origin']) {
    expect(refusals.get(code) ?? 0).toBeGreaterThan(100);
  }
  expect(opened).toBeGreaterThan(100);

  function alteredBytes(bytes: Uint8Array): Uint8Array {
    const copy = Uint8Array.from(bytes);
    for (let n = 1 + randomInt(random, 3); n > 0; n--)
      copy[randomInt(random, copy.length)] = randomInt(random, 256);
    return copy;
  }

  /** Another value somewhere in the lists, of any depth. */
  function alteredValue(bytes: Uint8Array): Uint8Array {
    const root = decodeCbor(bytes) as unknown[];
    let list = root;
    for (;;) {
      const at = randomInt(random, list.length);
      const item = list[at];
      if (Array.isArray(item) && item.length > 0 && random.next() < 0.8) {
        list = item;
        continue;
      }
      if (random.next() < 0.2) list.splice(at, 1);
      else list[at] = pick(random, strange);
      return encodeCbor(root);
    }
  }
});
