import { expect, test } from 'vitest';
import { mergeObservation } from '../../../src/indicator/record.ts';
import { decodeRecord, decodeStrangeRecord, encodeRecord } from '../../../src/store/record-codec.ts';
import { observation } from '../../contract/store-contract.ts';

const stamp = { hlc: 2n ** 63n + 1n, origin: 'ab'.repeat(16) };
const bare = mergeObservation(undefined, observation('example.com'), stamp);
const full = mergeObservation(
  undefined,
  observation('http://example.com/Path', {
    tags: 'b,a',
    confidence: 7.5,
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
  }),
  stamp,
);

test.each([
  ['only what must be there', bare],
  ['every field', full],
  ['a field behind absent ones', { ...bare, longitude: 0 }],
])('a record with %s is read as it was written', (_, record) => {
  expect(decodeRecord(encodeRecord(record))).toStrictEqual(record);
});

test('equal records are equal bytes, in whatever order their fields were set', () => {
  const turned = Object.fromEntries(Object.entries(full).reverse()) as typeof full;
  expect(encodeRecord(turned)).toBe(encodeRecord(full));
});

test('the stored form does not change unnoticed', () => {
  expect(encodeRecord({ ...bare, cc: 'NL' })).toBe(
    '["fqdn","example.com","test","everyone","amber",5,[],1,1767225600000,1767225600000,140737488355328,' +
      '"9223372036854775809","abababababababababababababababab",null,null,null,null,null,null,null,null,"NL"]',
  );
});

const strange = (text: string) => {
  try {
    return decodeStrangeRecord(text);
  } catch {
    return undefined;
  }
};

test('a stranger’s text is read when it is letter by letter what this node would write', () => {
  for (const record of [bare, full, { ...bare, longitude: 0 }]) {
    const text = encodeRecord(record);
    expect(strange(text)).toStrictEqual(record);
    for (const at of text.split('').keys()) {
      for (const other of ['', ' ', '0', '1', '-', '.', 'e', 'x', '"', ',', '[', '\\', '\\u0031', 'null,']) {
        for (const behind of [at, at + 1]) {
          const changed = text.slice(0, at) + other + text.slice(behind);
          expect(strange(changed) !== undefined, changed).toBe(isOwn(changed));
        }
      }
    }
  }
});

function isOwn(text: string): boolean {
  try {
    const record = decodeRecord(text);
    return encodeRecord(record) === text && record.stamp.hlc >= 0n;
  } catch {
    return false;
  }
}

test.each([
  '{}',
  '[]',
  'null',
  encodeRecord(bare).replace(']', ',null]'),
  encodeRecord(full).replace(/]$/, ',1]'),
  encodeRecord(full).replace(/"9\d+"/, '9223372036854775809'),
  encodeRecord(full).replace(/"9\d+"/, `"${'9'.repeat(21)}"`),
])('%s is not read', (text) => {
  expect(strange(text)).toBeUndefined();
});
