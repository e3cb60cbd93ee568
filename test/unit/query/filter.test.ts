import { describe, expect, test } from 'vitest';
import { type Filter, matches } from '../../../src/query/filter.ts';
import { dayMs, nowMs, recordOf } from '../../support/records.ts';

const record = recordOf(
  {
    indicator: 'example.com',
    provider: 'urlhaus',
    group: 'partners',
    tags: ['c2', 'malware'],
    confidence: 7,
    tlp: 'green',
    asn: 64500,
    cc: 'DE',
    firsttime: '2026-03-01',
    lasttime: '2026-05-01T00:00:00Z',
  },
  nowMs,
);
const lasttimeMs = Date.UTC(2026, 4, 1);

describe('a record', () => {
  test.each<[string, boolean, Filter]>([
    ['an open filter', true, {}],
    ['its itype', true, { itypes: ['url', 'fqdn'] }],
    ['other itypes', false, { itypes: ['url', 'ipv4'] }],
    ['no itype at all', false, { itypes: [] }],
    ['one of its tags', true, { tags: { any: ['phishing', 'c2'], none: [] } }],
    ['other tags', false, { tags: { any: ['phishing'], none: [] } }],
    ['the absence of other tags', true, { tags: { any: [], none: ['phishing'] } }],
    ['the absence of one of its tags', false, { tags: { any: [], none: ['malware'] } }],
    ['one of its tags and the absence of another', false, { tags: { any: ['c2'], none: ['malware'] } }],
    ['its provider', true, { provider: { any: ['urlhaus'], none: [] } }],
    ['a part of its provider', false, { provider: { any: ['url'], none: [] } }],
    ['the absence of its provider', false, { provider: { any: [], none: ['urlhaus'] } }],
    ['its group', true, { group: { any: ['everyone', 'partners'], none: [] } }],
    ['another group', false, { group: { any: ['everyone'], none: [] } }],
    ['its confidence as the least', true, { confidence: { min: 7, max: 10 } }],
    ['its confidence as the most', true, { confidence: { min: 0, max: 7 } }],
    ['a higher confidence', false, { confidence: { min: 7.5, max: 10 } }],
    ['a lower confidence', false, { confidence: { min: 0, max: 6.9 } }],
    ['observed since just then', true, { since: { window: 'observed', ms: lasttimeMs } }],
    ['observed since later', false, { since: { window: 'observed', ms: lasttimeMs + 1 } }],
    [
      'reported since, though observed long before',
      true,
      { since: { window: 'reported', ms: nowMs - dayMs } },
    ],
    ['reported since later', false, { since: { window: 'reported', ms: nowMs + 1 } }],
    ['observed in a time that begins just then', true, { observed: { fromMs: lasttimeMs } }],
    ['observed in a time that ends just then', true, { observed: { toMs: lasttimeMs } }],
    ['observed later', false, { observed: { fromMs: lasttimeMs + 1 } }],
    ['observed before', false, { observed: { toMs: lasttimeMs - 1 } }],
    ['reported then', true, { reported: { fromMs: nowMs, toMs: nowMs } }],
    ['reported before, though observed before', false, { reported: { toMs: nowMs - 1 } }],
    ['its autonomous system', true, { asn: { any: ['64500', '64501'], none: [] } }],
    ['another autonomous system', false, { asn: { any: ['64501'], none: [] } }],
    ['the absence of its autonomous system', false, { asn: { any: [], none: ['64500'] } }],
    ['its country', true, { cc: { any: ['DE'], none: ['FR'] } }],
    ['another country', false, { cc: { any: ['FR'], none: [] } }],
    ['its label', true, { tlp: { any: ['clear', 'green'], none: [] } }],
    ['other labels', false, { tlp: { any: ['clear'], none: [] } }],
    ['all of several parts', true, { itypes: ['fqdn'], confidence: { min: 5, max: 8 } }],
    ['one of several parts only', false, { itypes: ['fqdn'], confidence: { min: 8, max: 10 } }],
  ])('is asked for %s: %s', (_, expected, filter) => {
    expect(matches(filter, record)).toBe(expected);
  });

  test('without tags, or without a country, is found by the absence of one only', () => {
    const untagged = recordOf({ indicator: 'example.com' });
    expect(matches({ tags: { any: ['c2'], none: [] } }, untagged)).toBe(false);
    expect(matches({ tags: { any: [], none: ['c2'] } }, untagged)).toBe(true);
    expect(matches({ asn: { any: ['64500'], none: [] } }, untagged)).toBe(false);
    expect(matches({ cc: { any: [], none: ['DE'] } }, untagged)).toBe(true);
  });
});
