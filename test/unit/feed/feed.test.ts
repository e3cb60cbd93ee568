import { describe, expect, test } from 'vitest';
import type { Allowlist } from '../../../src/feed/allowlist/allowlist.ts';
import { ruleOf } from '../../../src/feed/defaults.ts';
import { createFeeds } from '../../../src/feed/feeds.ts';
import type { FeedCut, FeedPage } from '../../../src/feed/kept-feed.ts';
import { readPlace } from '../../../src/feed/order-key.ts';
import type { FeedQuestion } from '../../../src/feed/question.ts';
import { itypes } from '../../../src/indicator/types.ts';
import type { IndicatorStore } from '../../../src/store/store.ts';
import { everything, feedsOf, rowsOf, settableClock } from '../../support/feeds.ts';
import { dayMs, type Fields, nowMs, storeOf } from '../../support/records.ts';

const all: FeedCut = { limit: 50_000 };
const at = (daysAgo: number) => new Date(nowMs - daysAgo * dayMs).toISOString();
const sha256 = 'a'.repeat(64);

async function feedOf(rows: readonly Fields[], question: FeedQuestion = everything): Promise<FeedPage> {
  const { feeds } = await feedsOf(...rows);
  return feeds.page(question, all);
}

const indicators = (page: FeedPage) => rowsOf(page).map(({ indicator }) => indicator);

test('an empty store gives an empty feed', async () => {
  expect(await feedOf([])).toMatchObject({
    slices: [],
    count: 0,
    allowlisted: { count: 0, lists: {} },
    tooLarge: 0,
  });
});

test('a value is one row, whoever names it and in whichever group', async () => {
  const feed = await feedOf([
    { indicator: 'example.com', provider: 'one', tags: 'c2' },
    { indicator: 'a.example.com', provider: 'one' },
    { indicator: 'example.com', provider: 'two', tags: 'malware', group: 'partners' },
  ]);
  expect(rowsOf(feed).map(({ indicator, providers, tags }) => [indicator, providers, tags])).toEqual([
    ['example.com', ['one', 'two'], ['c2', 'malware']],
    ['a.example.com', ['one'], []],
  ]);
});

describe('filters', () => {
  const rows = [
    { indicator: 'example.com', provider: 'one', confidence: 9, tags: 'c2' },
    { indicator: 'example.com', provider: 'two', confidence: 3, tags: 'guess' },
  ];

  test('the confidence is that of all together: who is less sure is heard too', async () => {
    const confident = await feedOf(rows, { ...everything, confidence: { min: 8, max: 10 } });
    expect(rowsOf(confident)).toMatchObject([
      { providers: ['one', 'two'], tags: ['c2', 'guess'], confidence: 9 },
    ]);
    expect(rowsOf(await feedOf(rows, { ...everything, confidence: { min: 0, max: 8 } }))).toEqual([]);
  });

  test('a provider that is asked for is heard alone', async () => {
    const of = (any: string[]): FeedQuestion => ({
      ...everything,
      statements: { provider: { any, none: [] } },
    });
    expect(rowsOf(await feedOf(rows, of(['two'])))).toMatchObject([
      { providers: ['two'], tags: ['guess'], confidence: 3 },
    ]);
    expect(rowsOf(await feedOf(rows, of(['three'])))).toEqual([]);
  });

  test('tags are those of all together: one that must not be there keeps the whole value out', async () => {
    const any = await feedOf(rows, { ...everything, tags: { any: ['guess'], none: [] } });
    expect(rowsOf(any)).toMatchObject([{ tags: ['c2', 'guess'], confidence: 9 }]);
    expect(rowsOf(await feedOf(rows, { ...everything, tags: { any: [], none: ['guess'] } }))).toEqual([]);
  });
});

const exampleOf = {
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
} as const;

describe('windows', () => {
  test.each(Object.entries(exampleOf))(
    '%s: what was observed within the default days is in, what is older is not',
    async (itype, indicator) => {
      const { days } = ruleOf(itype as keyof typeof exampleOf);
      expect(days).toBe(itype.startsWith('ip') ? 21 : 45);
      expect(indicators(await feedOf([{ indicator, lasttime: at(days) }]))).toEqual([indicator]);
      expect(indicators(await feedOf([{ indicator, lasttime: at(days + 0.01) }]))).toEqual([]);
    },
  );

  test('a default window moves at midnight UTC, one that was asked for with every millisecond', async () => {
    const { feeds, clock } = await feedsOf({ indicator: '8.8.4.4', lasttime: at(21) });
    const asked: FeedQuestion = { ...everything, window: { of: 'observed', ms: 21 * dayMs } };
    clock.set(nowMs + dayMs - 1);
    expect(indicators(await feeds.page(everything, all))).toEqual(['8.8.4.4']);
    expect(indicators(await feeds.page(asked, all))).toEqual([]);
    clock.set(nowMs + dayMs);
    expect(indicators(await feeds.page(everything, all))).toEqual([]);
  });

  test('a window that is asked for stands in place of the defaults, of all itypes', async () => {
    const rows = [
      { indicator: '8.8.4.4', lasttime: at(30) },
      { indicator: 'example.com', lasttime: at(50) },
    ];
    const window = { of: 'observed', ms: 40 * dayMs } as const;
    expect(indicators(await feedOf(rows, { ...everything, window }))).toEqual(['8.8.4.4']);
  });

  test('a window of what was reported does not look at when it was observed', async () => {
    const window = { of: 'reported', ms: dayMs } as const;
    const rows = [{ indicator: 'example.com', lasttime: at(300) }];
    expect(indicators(await feedOf(rows, { ...everything, window }))).toEqual(['example.com']);
  });
});

test('what has expired is left out, also beside a statement of the same value that has not', async () => {
  const feed = await feedOf([
    { indicator: 'a.example', expiretime: at(1) },
    { indicator: 'b.example', expiretime: at(-1), provider: 'one' },
    { indicator: 'b.example', expiretime: at(0), provider: 'two' },
  ]);
  expect(rowsOf(feed).map(({ indicator, providers }) => [indicator, providers])).toEqual([
    ['b.example', ['one']],
  ]);
  expect(feed.allowlisted.count).toBe(0);
});

test('special-purpose addresses, networks and their URLs are never in a feed, and are counted', async () => {
  const feed = await feedOf([
    { indicator: '10.0.0.1' },
    { indicator: '172.21.25.140' },
    { indicator: '172.21.25.140', provider: 'another' },
    { indicator: '192.0.0.0/16' },
    { indicator: 'fe80::1' },
    { indicator: 'http://127.0.0.1/x' },
    { indicator: 'http://example.com/x' },
    { indicator: '8.8.4.4' },
  ]);
  expect(indicators(feed)).toEqual(['8.8.4.4', 'http://example.com/x']);
  expect(feed.allowlisted).toEqual({
    count: 5,
    lists: {
      'IETF Protocol Assignments (RFC 6890)': 1,
      'Link-Local Unicast (RFC 4291)': 1,
      'Loopback (RFC 1122)': 1,
      'Private-Use (RFC 1918)': 2,
    },
  });
});

test('what the filter leaves out is not counted as allow-listed', async () => {
  const feed = await feedOf([{ indicator: '10.0.0.1', confidence: 2 }], {
    ...everything,
    confidence: { min: 8, max: 10 },
  });
  expect(feed).toMatchObject({ count: 0, allowlisted: { count: 0, lists: {} } });
});

test('a network that is too large is refused and counted; the largest that is not is taken', async () => {
  const feed = await feedOf([
    { indicator: '8.0.0.0/15' },
    { indicator: '8.0.0.0/16' },
    { indicator: '2606::/31' },
    { indicator: '2606:4700::/32' },
  ]);
  expect(indicators(feed)).toEqual(['8.0.0.0/16', '2606:4700::/32']);
  expect(feed.tooLarge).toBe(2);
});

test('a list that only says something of a value is named in its row, and keeps nothing out', async () => {
  const { feeds, list } = await feedsOf({ indicator: '8.8.4.4' }, { indicator: 'example.com' });
  list.context('8.8.4.4', 'cloud');
  const [first, second] = rowsOf(await feeds.page(everything, all));
  expect(first?.context).toEqual(['cloud']);
  expect(second).not.toHaveProperty('context');
});

test('an entry of the allowlist is no row, whatever else it says', async () => {
  const feed = await feedOf([
    { indicator: 'a.example', tags: 'allowlist,malware', confidence: 10 },
    { indicator: 'b.example', tags: 'allowlist-context', confidence: 10 },
    { indicator: 'c.example', tags: 'phishing', provider: 'one' },
    { indicator: 'c.example', tags: 'allowlist-context', provider: 'two' },
  ]);
  expect(rowsOf(feed)).toMatchObject([{ indicator: 'c.example', providers: ['one'], tags: ['phishing'] }]);
});

describe('without an allowlist', () => {
  test('there is no feed, and it comes back with the list', async () => {
    const { store } = await storeOf({ indicator: '8.8.4.4' });
    const { list } = await feedsOf();
    let loaded: Allowlist | undefined;
    const feeds = createFeeds({ store, clock: settableClock(), allowlist: () => loaded });
    const code = { code: 'ALLOWLIST_NOT_LOADED' };
    await expect(feeds.page(everything, all)).rejects.toMatchObject(code);
    await expect(feeds.explain('ipv4', '8.8.4.4', everything)).rejects.toMatchObject(code);
    loaded = list.allowlist;
    expect(indicators(await feeds.page(everything, all))).toEqual(['8.8.4.4']);
    loaded = undefined;
    await expect(feeds.page(everything, all)).rejects.toMatchObject(code);
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
  const withoutReport = (page: FeedPage) =>
    JSON.stringify(rowsOf(page).map((row) => ({ ...row, reporttime: '' })));
  expect(withoutReport(reversed)).toBe(withoutReport(feed));
});

test('only the itypes that are asked for are read', async () => {
  const { store } = await storeOf(...mixed);
  const read = new Set<string>();
  const watched: IndicatorStore = {
    ...store,
    scan(itype, after, isWanted) {
      read.add(itype);
      return store.scan(itype, after, isWanted);
    },
  };
  const { list } = await feedsOf();
  const feeds = createFeeds({ store: watched, clock: settableClock(), allowlist: () => list.allowlist });
  const feed = await feeds.page({ ...everything, statements: { itypes: ['fqdn', 'url'] } }, all);
  expect(indicators(feed)).toEqual(['a.example', 'b.example', 'a.b.example', 'http://b.example/']);
  expect([...read]).toEqual(['fqdn', 'url']);
});

test.each([1, 2, 3, 10])(
  'pages of %i rows give the whole feed, whatever was written in between',
  async (limit) => {
    const { feeds, add } = await feedsOf(...mixed);
    const whole = indicators(await feeds.page(everything, all));
    const shown: string[] = [];
    let next: string | undefined;
    do {
      const after = next === undefined ? undefined : readPlace(next);
      const page = await feeds.page(everything, { limit, ...(after !== undefined && { after }) });
      expect(page.count).toBeLessThanOrEqual(limit);
      shown.push(...indicators(page));
      next = page.next;
      // Before the cursor, and one that was there.
      await add(
        { indicator: '1.0.0.1' },
        { indicator: '9.0.0.1', provider: 'three' },
        { indicator: '8.8.4.4' },
      );
    } while (next !== undefined);
    expect(shown).toEqual(whole);
  },
);

test('values that lie on either side of a page of the store are still one row each', async () => {
  const rows = Array.from({ length: 4_500 }, (_, i) => ({
    indicator: `http://example.com/${String(Math.floor(i / 3)).padStart(4, '0')}`,
    provider: `provider${i % 3}`,
  }));
  const feed = await feedOf(rows);
  expect(feed.count).toBe(1_500);
  for (const { providers } of rowsOf(feed)) expect(providers).toHaveLength(3);
});

test('every kind of indicator has a rule', () => {
  for (const itype of itypes) {
    const { days, holdsDays, halfLifeDays } = ruleOf(itype);
    expect(days).toBeGreaterThanOrEqual(holdsDays);
    expect(halfLifeDays).toBeGreaterThan(0);
  }
});
