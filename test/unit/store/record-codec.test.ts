import { expect, test } from 'vitest';
import { mergeObservation } from '../../../src/indicator/record.ts';
import { decodeRecord, encodeRecord } from '../../../src/store/record-codec.ts';
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
