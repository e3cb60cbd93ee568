import { createHash } from 'node:crypto';

import { expect, test } from 'vitest';

import { confidenceScale } from '../../../src/indicator/confidence.ts';
import { presentRecord, publicRecordFields } from '../../../src/indicator/present.ts';
import {
  compareStamps,
  mergeObservation,
  mergeRetraction,
  mergeSighting,
  recordId,
} from '../../../src/indicator/record.ts';
import { parseTlp, strictestTlp } from '../../../src/indicator/tlp.ts';
import type { Observation, Stamp } from '../../../src/indicator/types.ts';

const a = 'a'.repeat(32);
const b = 'b'.repeat(32);
const julyMs = Date.UTC(2026, 6, 9);

function observation(changed: Partial<Observation> = {}): Observation {
  return {
    indicator: 'example.com',
    itype: 'fqdn',
    provider: 'reader',
    group: 'everyone',
    tlp: 'amber',
    confidence: 5,
    tags: ['phishing'],
    count: 1,
    firsttimeMs: julyMs,
    lasttimeMs: julyMs,
    ...changed,
  };
}

function stamp(ms: number, origin = a): Stamp {
  return { hlc: BigInt(ms) << 16n, origin };
}

test('an id is half of SHA-256 over the key and depends on nothing else', () => {
  const expected = createHash('sha256')
    .update('fqdn\0example.com\0reader\0everyone')
    .digest('hex')
    .slice(0, 32);
  expect(recordId(observation())).toBe(expected);
  expect(recordId(observation({ confidence: 9 }))).toBe(expected);
  expect(recordId(observation({ group: 'other' }))).not.toBe(expected);
});

test('the newest statement wins whole; times and counts merge', () => {
  const old = observation({
    description: 'old',
    count: 2,
    firsttimeMs: julyMs - 10,
    lasttimeMs: julyMs + 10,
  });
  const fresh = observation({ confidence: 8, tags: [], firsttimeMs: julyMs, lasttimeMs: julyMs });
  const merged = mergeObservation(mergeObservation(undefined, old, stamp(1)), fresh, stamp(2));
  expect(merged).toEqual({
    ...observation({ confidence: 8, tags: [], count: 3, firsttimeMs: julyMs - 10, lasttimeMs: julyMs + 10 }),
    reporttimeMs: 2,
    stamp: stamp(2),
  });
});

test('an older statement changes times and counts only', () => {
  const record = mergeObservation(undefined, observation({ confidence: 8 }), stamp(2, a));
  const merged = mergeObservation(record, observation({ confidence: 1, expiretimeMs: 5 }), stamp(1, b));
  expect(merged).toEqual({ ...record, count: 2 });
});

test('a count stops at the greatest integer that JSON keeps', () => {
  const record = { ...mergeObservation(undefined, observation(), stamp(1)), count: Number.MAX_SAFE_INTEGER };
  expect(mergeObservation(record, observation(), stamp(2)).count).toBe(Number.MAX_SAFE_INTEGER);
});

test('stamps compare by time, then by origin', () => {
  expect(compareStamps(stamp(1, b), stamp(2, a))).toBeLessThan(0);
  expect(compareStamps(stamp(1, b), stamp(1, a))).toBeGreaterThan(0);
  expect(compareStamps(stamp(1), stamp(1))).toBe(0);
});

test('a record is shown with all its fields in their fixed order', () => {
  const stated = mergeObservation(
    undefined,
    observation({
      expiretimeMs: julyMs,
      description: 'd',
      reference: 'r',
      portlist: '22',
      protocol: 'tcp',
      rdata: 'x',
      asn: 64500,
      asnDesc: 'Example',
      cc: 'NL',
      latitude: 0,
      longitude: 0,
    }),
    stamp(julyMs),
  );
  const { itype, indicator, provider, group } = stated;
  const key = { itype, indicator, provider, group };
  const seen = mergeSighting(stated, { ...key, count: 2, timeMs: julyMs }, stamp(julyMs));
  const record = mergeRetraction(seen, { ...key, reason: 'wrong' }, stamp(julyMs + 1));
  const shown = presentRecord(record);
  expect(Object.keys(shown)).toEqual(publicRecordFields);
  expect(shown).toMatchObject({ reporttime: '2026-07-09T00:00:00.001Z', asn_desc: 'Example', latitude: 0 });
});

test('a field that was not stated is absent', () => {
  const shown = presentRecord(mergeObservation(undefined, observation(), stamp(julyMs)));
  expect(Object.keys(shown)).toEqual(publicRecordFields.slice(0, 11).concat('id'));
});

test.each([
  ['clear', 'clear'],
  ['WHITE', 'clear'],
  ['TLP:Green', 'green'],
  ['amber+strict', 'amber+strict'],
  [' red ', 'red'],
  ['blue', undefined],
  ['', undefined],
])('TLP %j reads as %s', (text, expected) => {
  expect(parseTlp(text)).toBe(expected);
});

test('the strictest TLP is the one that fewer people see', () => {
  expect(strictestTlp('amber', 'amber+strict')).toBe('amber+strict');
  expect(strictestTlp('red', 'clear')).toBe('red');
});

test('every step of confidence is written down, from 10 to 0', () => {
  expect(confidenceScale.map(({ value }) => value)).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
});
