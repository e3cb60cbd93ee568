import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Asked, readAsked } from '../../../src/query/asked.ts';
import { everyRelation } from '../../../src/query/match.ts';
import { runQuery } from '../../../src/query/query.ts';
import { watchKeyOf, watchOf } from '../../../src/query/watch.ts';
import { recordOf, storeOf } from '../../support/records.ts';

function about(text: string): readonly Asked[] {
  const asked = readAsked(text, undefined);
  if (!asked.ok) throw new Error(asked.reason);
  return asked.value;
}

function watches(q: string, indicator: string): boolean {
  const record = recordOf({ indicator });
  return watchOf(about(q))(record, watchKeyOf(record));
}

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['192.0.2.7', '192.0.2.0/24'],
  ['192.0.2.0/24', '192.0.2.7'],
  ['192.0.2.0/24', '192.0.2.128/25'],
  ['192.0.2.0/24', '192.0.0.0/16'],
  ['2001:db8::/32', '2001:db8:1::1'],
  ['example.com', 'example.com'],
  ['example.com', 'www.example.com'],
  ['example.com', 'http://www.example.com/login'],
  ['example.com', 'user@mail.example.com'],
  ['http://example.com/login', 'example.com'],
  ['http://192.0.2.7/login', '192.0.2.0/24'],
  ['user@example.com', 'example.com'],
  ['*.example.com', 'a.example.com'],
  ['192.0.2.7,example.com', 'example.com'],
])('%s watches %s', (q, indicator) => {
  expect(watches(q, indicator)).toBe(true);
});

test.each([
  ['192.0.2.7', '192.0.2.8'],
  ['192.0.2.7', 'http://192.0.2.7/'],
  ['192.0.2.0/24', '198.51.100.0/24'],
  ['example.com', 'badexample.com'],
  ['example.com', 'com.example.net'],
  ['www.example.com', 'example.com'],
  ['http://example.com/login', 'http://example.com/'],
  ['*.example.com', 'example.com'],
])('%s does not watch %s', (q, indicator) => {
  expect(watches(q, indicator)).toBe(false);
});

const octet = fc.constantFrom(0, 1, 64, 127, 128, 192, 255);
const address = fc.tuple(octet, octet).map(([a, b]) => `192.0.${a}.${b}`);
const network = fc.tuple(octet, octet, fc.integer({ min: 8, max: 32 })).map(([a, b, prefix]) => {
  const bits = ((192 << 24) | (a << 8) | b) >>> 0;
  const low = prefix === 0 ? 0 : (bits & (0xffffffff << (32 - prefix))) >>> 0;
  return `${[24, 16, 8, 0].map((shift) => (low >>> shift) & 255).join('.')}/${prefix}`;
});
const ipv6 = fc
  .tuple(
    fc.constantFrom('2001:db8', '2001:db9'),
    fc.constantFrom('', ':1', ':1:2'),
    fc.constantFrom('', '::7'),
  )
  .map(([start, middle, end]) =>
    end === '' ? `${start}${middle}::/${16 * (2 + middle.length / 2)}` : `${start}${middle}${end}`,
  );
const label = fc.constantFrom('a', 'b', 'www', 'example', 'a-b');
const name = fc
  .array(label, { minLength: 1, maxLength: 3 })
  .map((labels) => `${labels.join('.')}.example.com`);
const host = fc.oneof(name, address);
const url = fc.tuple(host, fc.constantFrom('', 'a', 'a?b=1')).map(([at, path]) => `http://${at}/${path}`);
const email = fc.tuple(fc.constantFrom('a', 'b.c', 'ü'), name).map(([box, at]) => `${box}@${at}`);
const hash = fc.constantFrom('d41d8cd98f00b204e9800998ecf8427e', 'd41d8cd98f10b204e9800998ecf8427e');
const value = fc.oneof(address, network, ipv6, name, url, email, hash);
const pattern = fc.constantFrom('*.example.com', 'a*.com', '*www*', '*.a.example.com', 'd41d8cd98f00*');
const provider = fc.constantFrom('test', '0', 'z', '_');

test('a watch lets through what a query with every relation finds, and nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ indicator: value, provider }), { minLength: 1, maxLength: 40 }),
      fc.array(fc.oneof(value, pattern), { minLength: 1, maxLength: 3 }),
      async (rows, questions) => {
        const { store } = await storeOf(...rows);
        const all = await store.newest(undefined, 1_000);
        for (const q of questions) {
          const asked = about(q);
          const answer = await runQuery(store, { asked, related: everyRelation, filter: {}, limit: 1_000 });
          if (!answer.ok) throw new Error(answer.reason);
          const found = new Set(answer.value.answers.map(({ record }) => store.itypeKeyOf(record)));
          const watch = watchOf(asked);
          for (const record of all.records) {
            const key = store.itypeKeyOf(record);
            expect(watch(record, watchKeyOf(record)), `${q} and ${record.indicator}`).toBe(found.has(key));
          }
        }
        await store.close();
      },
    ),
    { numRuns: 150 },
  );
}, 30_000);
