import { describe, expect, test } from 'vitest';
import { defaultDays } from '../../../src/feed/defaults.ts';
import { type Feed, type FeedRequest, makeFeed } from '../../../src/feed/feed.ts';
import { itypes } from '../../../src/indicator/types.ts';
import type { IndicatorStore } from '../../../src/store/store.ts';
import { dayMs, type Fields, nowMs, storeOf } from '../../support/records.ts';

const all: FeedRequest = { filter: {}, limit: 50_000 };
const at = (daysAgo: number) => new Date(nowMs - daysAgo * dayMs).toISOString();
const sha256 = 'a'.repeat(64);

async function feedOf(rows: readonly Fields[], request: FeedRequest = all): Promise<Feed> {
  const { store } = await storeOf(...rows);
  return makeFeed(store, request, nowMs);
}

const indicators = ({ rows }: Feed) => rows.map(({ indicator }) => indicator);

test('an empty store gives an empty feed', async () => {
  expect(await feedOf([])).toEqual({ rows: [], allowlisted: 0 });
});

test('a value is one row, whoever names it and in whichever group', async () => {
  const feed = await feedOf([
    { indicator: 'example.com', provider: 'one', tags: 'c2' },
    { indicator: 'a.example.com', provider: 'one' },
    { indicator: 'example.com', provider: 'two', tags: 'malware', group: 'partners' },
  ]);
  expect(feed.rows.map(({ indicator, providers, tags }) => [indicator, providers, tags])).toEqual([
    ['example.com', ['one', 'two'], ['c2', 'malware']],
    ['a.example.com', ['one'], []],
  ]);
});

test('filters narrow the statements before they are united', async () => {
  const rows = [
    { indicator: 'example.com', provider: 'one', confidence: 9, tags: 'c2' },
    { indicator: 'example.com', provider: 'two', confidence: 3, tags: 'guess' },
  ];
  const confident = await feedOf(rows, { ...all, filter: { confidence: { min: 8, max: 10 } } });
  expect(confident.rows).toMatchObject([{ providers: ['one'], tags: ['c2'], confidence: 9 }]);
  const none = await feedOf(rows, { ...all, filter: { provider: { any: ['three'], none: [] } } });
  expect(none.rows).toEqual([]);
});

describe('windows', () => {
  test.each(itypes)(
    '%s: what was observed within the default days is in, what is older is not',
    async (itype) => {
      const values = {
        ipv4: '8.8.4.4',
        ipv6: '2606:4700::1111',
        fqdn: 'example.com',
        url: 'http://example.com/',
        email: 'a@example.com',
        md5: 'a'.repeat(32),
        sha1: 'a'.repeat(40),
        sha256,
        sha512: 'a'.repeat(128),
        asn: 'AS64500',
        ssdeep: '3:AXGBicFlgVNhBGcL6wCrFQEv:AXGHsNhxLsr2C',
        ja3: 'a'.repeat(32),
        btc: '1111111111111111111114oLvT2',
      };
      const days = defaultDays(itype);
      expect(days).toBe(itype.startsWith('ip') ? 21 : 45);
      const indicator = values[itype];
      expect(indicators(await feedOf([{ indicator, itype, lasttime: at(days) }]))).toEqual([indicator]);
      expect(indicators(await feedOf([{ indicator, itype, lasttime: at(days + 0.01) }]))).toEqual([]);
    },
  );

  test('a window that is asked for stands in place of the defaults, of all itypes', async () => {
    const rows = [
      { indicator: '8.8.4.4', lasttime: at(30) },
      { indicator: 'example.com', lasttime: at(50) },
    ];
    const since = { window: 'observed', ms: nowMs - 40 * dayMs } as const;
    expect(indicators(await feedOf(rows, { ...all, filter: { since } }))).toEqual(['8.8.4.4']);
  });
});

test('what has expired is left out, also beside a statement of the same value that has not', async () => {
  const feed = await feedOf([
    { indicator: 'a.example', expiretime: at(1) },
    { indicator: 'b.example', expiretime: at(-1), provider: 'one' },
    { indicator: 'b.example', expiretime: at(0), provider: 'two' },
  ]);
  expect(feed.rows.map(({ indicator, providers }) => [indicator, providers])).toEqual([
    ['b.example', ['one']],
  ]);
  expect(feed.allowlisted).toBe(0);
});

test('special-purpose addresses, networks and their URLs are never in a feed, and are counted', async () => {
  const feed = await feedOf([
    { indicator: '10.0.0.1' },
    { indicator: '172.21.25.140' },
    { indicator: '172.21.25.140', provider: 'another' },
    { indicator: '192.0.0.0/8' },
    { indicator: 'fe80::1' },
    { indicator: 'http://127.0.0.1/x' },
    { indicator: 'http://example.com/x' },
    { indicator: '8.8.4.4' },
  ]);
  expect(indicators(feed)).toEqual(['8.8.4.4', 'http://example.com/x']);
  expect(feed.allowlisted).toBe(5);
});

test('what the filter leaves out is not counted as allow-listed', async () => {
  const request = { ...all, filter: { confidence: { min: 8, max: 10 } } };
  expect(await feedOf([{ indicator: '10.0.0.1', confidence: 2 }], request)).toEqual({
    rows: [],
    allowlisted: 0,
  });
});

const mixed: readonly Fields[] = [
  { indicator: sha256 },
  { indicator: 'b.example' },
  { indicator: '8.8.8.8' },
  { indicator: '8.8.4.4' },
  { indicator: '100.0.0.1' },
  { indicator: 'a.b.example' },
  { indicator: '9.0.0.1', provider: 'two' },
  { indicator: 'http://b.example/' },
  { indicator: 'a.example' },
  { indicator: '2606:4700::1111' },
  { indicator: '9.0.0.1' },
];

test('rows are in the order of values, the same bytes in whichever order they came', async () => {
  const feed = await feedOf(mixed);
  expect(indicators(feed)).toEqual([
    '8.8.4.4',
    '8.8.8.8',
    '9.0.0.1',
    '100.0.0.1',
    '2606:4700::1111',
    'a.example',
    'b.example',
    'a.b.example',
    'http://b.example/',
    sha256,
  ]);
  const reversed = await feedOf([...mixed].reverse());
  const withoutReport = ({ rows }: Feed) => JSON.stringify(rows.map((row) => ({ ...row, reporttime: '' })));
  expect(withoutReport(reversed)).toBe(withoutReport(feed));
});

test('only the itypes that are asked for are read', async () => {
  const { store } = await storeOf(...mixed);
  const read = new Set<string>();
  const watched: IndicatorStore = {
    ...store,
    byItype(itype, after, limit) {
      read.add(itype);
      return store.byItype(itype, after, limit);
    },
  };
  const feed = await makeFeed(watched, { ...all, filter: { itypes: ['fqdn', 'url'] } }, nowMs);
  expect(indicators(feed)).toEqual(['a.example', 'b.example', 'a.b.example', 'http://b.example/']);
  expect([...read]).toEqual(['fqdn', 'url']);
});

test.each([1, 2, 3, 10])(
  'pages of %i rows give the whole feed, whatever was written in between',
  async (limit) => {
    const { store, add } = await storeOf(...mixed);
    const whole = indicators(await makeFeed(store, all, nowMs));
    const shown: string[] = [];
    let after: string | undefined;
    do {
      const feed = await makeFeed(store, { ...all, limit, ...(after !== undefined && { after }) }, nowMs);
      expect(feed.rows.length).toBeLessThanOrEqual(limit);
      shown.push(...indicators(feed));
      after = feed.next;
      // Before the cursor, and one that was there.
      await add(
        { indicator: '1.0.0.1' },
        { indicator: '9.0.0.1', provider: 'three' },
        { indicator: '8.8.4.4' },
      );
    } while (after !== undefined);
    expect(shown).toEqual(whole);
  },
);

test('values that lie on either side of a page of the store are still one row each', async () => {
  const rows = Array.from({ length: 1_500 }, (_, i) => ({
    indicator: `http://example.com/${String(Math.floor(i / 3)).padStart(4, '0')}`,
    provider: `provider${i % 3}`,
  }));
  const feed = await feedOf(rows);
  expect(feed.rows).toHaveLength(500);
  for (const { providers } of feed.rows) expect(providers).toHaveLength(3);
});
