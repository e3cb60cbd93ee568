import { describe, expect, test } from 'vitest';

import { observationLimits } from '../../../src/indicator/limits.ts';
import type { ObservationDefaults } from '../../../src/indicator/observation.ts';
import { parseObservation, standardDefaults } from '../../../src/indicator/observation.ts';

const nowMs = Date.UTC(2026, 6, 9, 12, 0, 1);
const dayMs = 24 * 60 * 60 * 1_000;
const defaults: ObservationDefaults = { ...standardDefaults, provider: 'reader' };

function parse(row: unknown, changed: Partial<ObservationDefaults> = {}) {
  return parseObservation(row, { ...defaults, ...changed }, nowMs);
}

function withField(name: string, value: unknown) {
  return parse({ indicator: 'example.com', [name]: value });
}

test('an indicator alone takes every default and was seen now', () => {
  expect(parse('hxxp://Example[.]com')).toEqual({
    ok: true,
    value: {
      indicator: 'http://example.com/',
      itype: 'url',
      provider: 'reader',
      group: 'everyone',
      tlp: 'amber',
      confidence: 5,
      tags: [],
      count: 1,
      firsttimeMs: nowMs,
      lasttimeMs: nowMs,
    },
  });
});

test('a full row of text, as CSV has it, is read whole', () => {
  const row = {
    indicator: '192.0.2.1',
    itype: 'IPv4',
    provider: 'sensor@example.com',
    group: 'cert:nl',
    tlp: 'TLP:AMBER+STRICT',
    tags: 'SSH, bruteforce,,ssh',
    confidence: '7.5',
    count: '12',
    firsttime: '2026-07-01',
    lasttime: '2026-07-09 12:00:01 UTC',
    expiretime: '2027-01-01T00:00:00Z',
    description: ' two\r\nlines ',
    reference: 'https://example.com/report',
    portlist: '22, 080,8000-8100',
    protocol: 'TCP',
    rdata: 'ns1.example.com',
    asn: 'AS64500',
    asn_desc: 'Example Net',
    cc: 'nl',
    latitude: '52.37',
    longitude: '-4.9',
  };
  expect(parse(row)).toEqual({
    ok: true,
    value: {
      indicator: '192.0.2.1',
      itype: 'ipv4',
      provider: 'sensor@example.com',
      group: 'cert:nl',
      tlp: 'amber+strict',
      tags: ['bruteforce', 'ssh'],
      confidence: 7.5,
      count: 12,
      firsttimeMs: Date.UTC(2026, 6, 1),
      lasttimeMs: nowMs,
      expiretimeMs: Date.UTC(2027, 0, 1),
      description: 'two lines',
      reference: 'https://example.com/report',
      portlist: '22,80,8000-8100',
      protocol: 'tcp',
      rdata: 'ns1.example.com',
      asn: 64500,
      asnDesc: 'Example Net',
      cc: 'NL',
      latitude: 52.37,
      longitude: -4.9,
    },
  });
});

test.each([
  ['198.51.100.7:443', {}, '198.51.100.7', '443'],
  ['[2001:db8::1]:443', {}, '2001:db8::1', '443'],
  ['example.com:8080', { portlist: '' }, 'example.com', '8080'],
  ['example.com:8080', { portlist: '22,80' }, 'example.com', '22,80'],
  ['example.com', {}, 'example.com', undefined],
])('%s with %j is %s with the portlist %s', (indicator, stated, expected, portlist) => {
  const parsed = parse({ indicator, ...stated });
  expect(parsed.ok && [parsed.value.indicator, parsed.value.portlist]).toEqual([expected, portlist]);
});

test('empty text and null mean that a field was not stated', () => {
  const empty = {
    indicator: 'example.com',
    tags: '',
    cc: null,
    asn: ' ',
    confidence: '',
    firsttime: undefined,
  };
  expect(parse(empty, { tags: ['seen'] })).toEqual(parse('example.com', { tags: ['seen'] }));
});

test('a row overrides the defaults, and an empty array of tags is a statement', () => {
  const parsed = parse({ indicator: 'example.com', tags: [], tlp: 'white' }, { tags: ['seen'] });
  expect(parsed).toMatchObject({ ok: true, value: { tags: [], tlp: 'clear' } });
});

test('the default itype is verified too', () => {
  expect(parse('example.com', { itype: 'url' })).toMatchObject({ ok: false, code: 'itype-mismatch' });
  expect(parse({ indicator: 'example.com', itype: 'fqdn' }, { itype: 'url' })).toMatchObject({ ok: true });
});

describe('defaults that a stranger could send are checked like a row', () => {
  test.each<[string, Partial<ObservationDefaults>]>([
    ['provider', { provider: '' }],
    ['provider', { provider: 'a b' }],
    ['group', { group: 'a'.repeat(65) }],
    ['tags', { tags: ['!no'] }],
    ['confidence', { confidence: Number.NaN }],
  ])('%s', (name, changed) => {
    const parsed = parse('example.com', changed);
    expect(parsed.ok ? '' : parsed.reason).toMatch(new RegExp(`^${name}: `));
  });

  test('tags of the defaults are made canonical', () => {
    expect(parse('example.com', { tags: ['B', 'a', 'b'] })).toMatchObject({ value: { tags: ['a', 'b'] } });
  });
});

test.each([
  ['#Phishing #scam', ['phishing', 'scam']],
  ['#a, b c #d', ['a', 'b c', 'd']],
  [
    ['#a', 'b'],
    ['a', 'b'],
  ],
  ['a #1', ['1', 'a']],
  ['[Credential Stuffing]', ['credential stuffing']],
  ["['b', 'a b',c]", ['a b', 'b', 'c']],
  ['[]', []],
  ['-domain,_x,.y', ['-domain', '.y', '_x']],
])('%j are the tags %j', (tags, expected) => {
  expect(withField('tags', tags)).toMatchObject({ ok: true, value: { tags: expected } });
});

describe('a bad row is refused with its code', () => {
  test.each<[unknown, string]>([
    [undefined, 'not-a-row'],
    [null, 'not-a-row'],
    [1, 'not-a-row'],
    [['example.com'], 'not-a-row'],
    [{}, 'no-indicator'],
    [{ indicator: null }, 'no-indicator'],
    ['', 'no-indicator'],
    [{ indicator: 64500 }, 'wrong-type'],
    [{ indicator: 'example.com', uuid: '' }, 'unknown-field'],
    [JSON.parse('{"indicator":"example.com","__proto__":{"tlp":"clear"}}'), 'unknown-field'],
    [{ indicator: 'example.com', firsttime: '2026-07-09', lasttime: '2026-07-08' }, 'time-order'],
  ])('%j', (row, code) => {
    expect(parse(row)).toMatchObject({ ok: false, code });
  });
});

describe('a bad field is refused by its name', () => {
  test.each<[string, unknown, string]>([
    ['itype', 'domain', 'bad-value'],
    ['itype', 4, 'wrong-type'],
    ['provider', 'a/b', 'bad-value'],
    ['provider', 'a'.repeat(65), 'too-long'],
    ['group', ['everyone'], 'wrong-type'],
    ['tlp', 'blue', 'bad-value'],
    ['tags', 7, 'wrong-type'],
    ['tags', [7], 'wrong-type'],
    ['tags', ['a,b'], 'bad-value'],
    ['tags', 'ж', 'bad-value'],
    ['tags', Array(51).fill('a'), 'too-long'],
    ['tags', 'a'.repeat(65), 'too-long'],
    ['confidence', '11', 'out-of-range'],
    ['confidence', -1, 'out-of-range'],
    ['confidence', 'high', 'bad-value'],
    ['confidence', '0x8', 'bad-value'],
    ['confidence', true, 'wrong-type'],
    ['count', 0, 'out-of-range'],
    ['count', 1.5, 'bad-value'],
    ['count', observationLimits.countMax + 1, 'out-of-range'],
    ['firsttime', 'yesterday', 'bad-time'],
    ['lasttime', {}, 'wrong-type'],
    ['expiretime', '2099-01-01', 'bad-time'],
    ['description', 'a'.repeat(2_001), 'too-long'],
    ['description', 5, 'wrong-type'],
    ['description', 'a\0b', 'control-character'],
    ['description', 'a\ufffdb', 'encoding'],
    ['reference', 'a'.repeat(2_049), 'too-long'],
    ['portlist', '22;80', 'bad-value'],
    ['portlist', '65536', 'bad-value'],
    ['portlist', '90-80', 'bad-value'],
    ['portlist', '22,', 'bad-value'],
    ['portlist', Array(101).fill('1').join(','), 'too-long'],
    ['protocol', 'tcp udp', 'bad-value'],
    ['rdata', 'a'.repeat(1_025), 'too-long'],
    ['asn', 0, 'out-of-range'],
    ['asn', 'AS4294967296', 'out-of-range'],
    ['asn_desc', 'a'.repeat(257), 'too-long'],
    ['cc', 'NLD', 'bad-value'],
    ['cc', '00', 'bad-value'],
    ['latitude', 90.1, 'out-of-range'],
    ['longitude', '-180.1', 'out-of-range'],
  ])('%s %j', (name, value, code) => {
    const parsed = withField(name, value);
    expect(parsed).toMatchObject({ ok: false, code });
    expect(parsed.ok ? '' : parsed.reason).toMatch(new RegExp(`^${name}: .*(allowed|leave)`));
  });
});

describe('each field is taken at its limit', () => {
  test.each<[string, unknown]>([
    ['provider', 'a'.repeat(64)],
    ['tags', Array.from({ length: 50 }, (_, index) => `${index}`)],
    ['tags', 'a'.repeat(64)],
    ['tags', ['misp-galaxy:threat-actor="APT 28"']],
    ['confidence', 0],
    ['confidence', 10],
    ['count', observationLimits.countMax],
    ['description', 'a'.repeat(2_000)],
    ['portlist', 0],
    ['portlist', '65535'],
    ['protocol', 6],
    ['asn', 4_294_967_295],
    ['latitude', -90],
    ['longitude', 180],
  ])('%s %j', (name, value) => {
    expect(withField(name, value)).toMatchObject({ ok: true });
  });
});

test('-0 is stored as 0, which JSON gives back', () => {
  const parsed = withField('latitude', -0);
  expect(parsed.ok && Object.is(parsed.value.latitude, 0)).toBe(true);
});

describe('times', () => {
  const noonMs = Date.UTC(2026, 6, 9, 12, 0, 1);
  test.each<[string | number, number]>([
    ['2026-07-09T12:00:01Z', noonMs],
    ['2026-07-09t12:00:01z', noonMs],
    ['2026-07-09T12:00:01.5Z', noonMs + 500],
    ['2026-07-09T12:00:01.123456789Z', noonMs + 123],
    ['2026-07-09T14:30:01+02:30', noonMs],
    ['2026-07-09T05:00:01-0700', noonMs],
    ['2026-07-09 12:00:01 UTC', noonMs],
    ['2026-07-09 12:00:01 GMT', noonMs],
    ['2026-07-09 12:00:01', noonMs],
    ['2026-07-09 12:00', noonMs - 1_000],
    ['2026-07-09', Date.UTC(2026, 6, 9)],
    ['2024-02-29', Date.UTC(2024, 1, 29)],
    ['2016-12-31T23:59:60Z', Date.UTC(2017, 0, 1)],
    [noonMs / 1_000, noonMs],
    [`${noonMs / 1_000}`, noonMs],
    [noonMs, noonMs],
    [`${noonMs}`, noonMs],
    ['1783598401.25', noonMs + 250],
    ['1990-01-01', observationLimits.oldestMs],
    [nowMs + dayMs, nowMs + dayMs],
  ])('%j is read', (value, expected) => {
    expect(withField('lasttime', value)).toMatchObject({ ok: true, value: { lasttimeMs: expected } });
  });

  test.each<[string | number]>([
    [0],
    ['1970-01-01 00:00:00'],
    ['1989-12-31T23:59:59Z'],
    [nowMs + dayMs + 1],
    ['2026-02-30'],
    ['2026-13-01'],
    ['2026-07-09T24:00:00Z'],
    ['2026-07-09T12:60:00Z'],
    ['2026-07-09T12:00:01+99:00'],
    ['09/07/2026'],
    ['2026-07-09T'],
    ['0000-00-00 00:00:00'],
    [Number.NaN],
    [-1],
    [1e300],
  ])('%j is refused', (value) => {
    expect(withField('lasttime', value)).toMatchObject({ ok: false, code: 'bad-time' });
  });

  test.each([
    ['2026-07-01T10:00:00Z', '2026-07-01', Date.UTC(2026, 6, 1, 10)],
    ['2026-07-01', '2026-07-01', Date.UTC(2026, 6, 1)],
    ['2026-07-01', '2026-07-02', Date.UTC(2026, 6, 2)],
  ])('from %s to the day %s is in order, as a day lasts until its end', (firsttime, lasttime, expected) => {
    expect(parse({ indicator: 'example.com', firsttime, lasttime })).toMatchObject({
      ok: true,
      value: { lasttimeMs: expected },
    });
  });

  test.each([
    ['2026-07-02T00:00:00Z', '2026-07-01'],
    ['2026-07-01T10:00:00Z', '2026-07-01T09:59:59Z'],
  ])('from %s to %s is refused', (firsttime, lasttime) => {
    expect(parse({ indicator: 'example.com', firsttime, lasttime })).toMatchObject({ code: 'time-order' });
  });

  test('one time alone stands for both', () => {
    const both = { firsttimeMs: Date.UTC(2026, 6, 1), lasttimeMs: Date.UTC(2026, 6, 1) };
    expect(withField('firsttime', '2026-07-01')).toMatchObject({ value: both });
    expect(withField('lasttime', '2026-07-01')).toMatchObject({ value: both });
  });
});
