import { describe, expect, test } from 'vitest';
import type { IndicatorRecord } from '../../../src/indicator/types.ts';
import { type Asked, readAsked } from '../../../src/query/asked.ts';
import { everyRelation, noRelation, type Related } from '../../../src/query/match.ts';
import { type Query, runQuery } from '../../../src/query/query.ts';
import type { Sort } from '../../../src/query/sort.ts';
import type { IndicatorStore } from '../../../src/store/store.ts';
import { type Fields, nowMs, storeOf } from '../../support/records.ts';

const host = (i: number): Fields => ({ indicator: `host${i}.example.com`, confidence: i % 10 });
const hosts = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => host(from + i));
const name = ({ indicator }: IndicatorRecord) => indicator.split('.')[0];

const everything = { related: noRelation, filter: {} } as const;

/** A page whose records are at hand. Throws when the query is refused. */
async function page(store: IndicatorStore, query: Query) {
  const answer = await runQuery(store, query);
  if (!answer.ok) throw new Error(answer.reason);
  const { answers, next } = answer.value;
  return { records: answers.map(({ record }) => record), answers, next };
}

/** All pages of a query, one after another; between two pages `between` may write. */
async function pagesOf(
  store: IndicatorStore,
  query: Query,
  between: (page: number) => Promise<void> = async () => {},
): Promise<readonly (readonly IndicatorRecord[])[]> {
  const pages: (readonly IndicatorRecord[])[] = [];
  let after: string | undefined;
  do {
    const { records, next } = await page(store, { ...query, ...(after !== undefined && { after }) });
    pages.push(records);
    after = next;
    if (after !== undefined) await between(pages.length);
  } while (after !== undefined && pages.length < 1_000);
  return pages;
}

/** What is asked about, as `q` is read. */
function about(text: string): readonly Asked[] {
  const asked = readAsked(text, undefined);
  if (!asked.ok) throw new Error(asked.reason);
  return asked.value;
}

test('without a value the newest come first, up to the limit', async () => {
  const { store } = await storeOf(...hosts(1, 5));
  const { records, next } = await page(store, { ...everything, limit: 3 });
  expect(records.map(name)).toEqual(['host5', 'host4', 'host3']);
  expect(next).toBeDefined();
});

test('an empty store answers with an empty page', async () => {
  const { store } = await storeOf();
  expect(await runQuery(store, { ...everything, limit: 10 })).toEqual({ ok: true, value: { answers: [] } });
});

test.each([1, 3, 7, 500, 10_000])('pages of %i show every record once', async (limit) => {
  const { store } = await storeOf(...hosts(1, 40));
  const names = (await pagesOf(store, { ...everything, limit })).flat().map(name);
  expect(names).toEqual(
    hosts(1, 40)
      .map(({ indicator }) => indicator.split('.')[0])
      .reverse(),
  );
});

test('pages of a filtered question show every match once, however many records lie between', async () => {
  const { store } = await storeOf(...hosts(1, 1_500));
  const pages = await pagesOf(store, {
    ...everything,
    filter: { confidence: { min: 9, max: 10 } },
    limit: 40,
  });
  expect(pages.flat()).toHaveLength(150);
  expect(new Set(pages.flat().map(name)).size).toBe(150);
  for (const page of pages.slice(0, -1)) expect(page).toHaveLength(40);
});

test('writes between pages lose no record that they do not touch and show none twice', async () => {
  const { store, add } = await storeOf(...hosts(1, 30));
  const pages = await pagesOf(store, { ...everything, limit: 5 }, async (page) => {
    // A new one, one that was shown, and one that is still to come.
    await add(host(100 + page), host(30), host(3));
  });
  const shown = pages.flat().map(name);
  expect(new Set(shown).size).toBe(shown.length);
  expect(shown.sort()).toEqual(
    hosts(1, 30)
      .map(({ indicator }) => indicator.split('.')[0])
      // Updated before its page came: it stands at the front now.
      .filter((each) => each !== 'host3')
      .sort(),
  );
  const [front] = (await page(store, { ...everything, limit: 1 })).records;
  expect(front && name(front)).toBe('host3');
});

test('a record that is updated while its page is read does not carry the cursor back to the front', async () => {
  const { store, add } = await storeOf(...hosts(1, 10));
  let updated = false;
  const racing: IndicatorStore = {
    ...store,
    async newest(after, limit) {
      const page = await store.newest(after, limit);
      if (updated) return page;
      updated = true;
      await add(host(8));
      const { records } = await store.newest(undefined, 1);
      return {
        ...page,
        records: page.records.map((record) => (name(record) === 'host8' ? (records[0] ?? record) : record)),
      };
    },
  };
  const shown = (await pagesOf(racing, { ...everything, limit: 3 })).flat().map(name);
  expect(shown).toEqual([
    'host10',
    'host9',
    'host8',
    'host7',
    'host6',
    'host5',
    'host4',
    'host3',
    'host2',
    'host1',
  ]);
});

test('a reported window ends the search where the older records begin', async () => {
  const { store } = await storeOf(...hosts(1, 2_000));
  let reads = 0;
  const counting: IndicatorStore = {
    ...store,
    newest(after, limit) {
      reads++;
      return store.newest(after, limit);
    },
  };
  const filter = { since: { window: 'reported', ms: nowMs + 1_996 } } as const;
  const { records, next } = await page(counting, { ...everything, filter, limit: 100 });
  expect(records.map(name)).toEqual(['host2000', 'host1999', 'host1998', 'host1997', 'host1996']);
  expect(next).toBeUndefined();
  expect(reads).toBe(1);
});

test('a reported window in the past is read from its end, and to its start', async () => {
  const { store } = await storeOf(...hosts(1, 2_000));
  let reads = 0;
  const counting: IndicatorStore = {
    ...store,
    newest(after, limit) {
      reads++;
      return store.newest(after, limit);
    },
  };
  const filter = { reported: { fromMs: nowMs + 100, toMs: nowMs + 103 } };
  const { records, next } = await page(counting, { ...everything, filter, limit: 100 });
  expect(records.map(name)).toEqual(['host103', 'host102', 'host101', 'host100']);
  expect(next).toBeUndefined();
  expect(reads).toBe(1);
});

test('a value gives the records of all its providers and groups side by side, and no other value', async () => {
  const indicator = 'http://example.com/a';
  const { store } = await storeOf(
    { indicator, provider: 'one' },
    { indicator: 'http://example.com/ab' },
    { indicator: 'example.com' },
    { indicator, provider: 'two' },
    { indicator, provider: 'two', group: 'partners' },
    { indicator, provider: 'one', count: 4 },
  );
  const query = { ...everything, asked: about(indicator), limit: 10 };
  const { records, next } = await page(store, query);
  expect(records.map(({ provider, group }) => [provider, group])).toEqual([
    ['one', 'everyone'],
    ['two', 'everyone'],
    ['two', 'partners'],
  ]);
  expect(records[0]?.count).toBe(5);
  expect(next).toBeUndefined();
  const newest = await page(store, { ...query, sort: { by: 'reporttime', descending: true } });
  expect(newest.records.map(({ provider, group }) => [provider, group])).toEqual([
    ['one', 'everyone'],
    ['two', 'partners'],
    ['two', 'everyone'],
  ]);
});

test.each([undefined, { by: 'lasttime', descending: true } as const])(
  'a value with more providers than the limit is paged, in the order %j',
  async (sort) => {
    const indicator = '192.0.2.1';
    const rows = Array.from({ length: 25 }, (_, i) => ({ indicator, provider: `provider${i}` }));
    const { store } = await storeOf(...rows);
    const query = { ...everything, asked: about(indicator), limit: 10, ...(sort && { sort }) };
    const pages = await pagesOf(store, query);
    expect(pages.map(({ length }) => length)).toEqual([10, 10, 5]);
    expect(pages.flat().map(({ provider }) => provider)).toEqual(rows.map(({ provider }) => provider).sort());
    // A page that is just full is the last one.
    expect(await pagesOf(store, { ...query, limit: 25 })).toHaveLength(1);
  },
);

test('a filter narrows a value, too', async () => {
  const indicator = 'example.com';
  const { store } = await storeOf({ indicator, provider: 'one', tags: 'c2' }, { indicator, provider: 'two' });
  const filter = { tags: { any: ['c2'], none: [] } };
  const { records } = await page(store, { ...everything, asked: about(indicator), filter, limit: 10 });
  expect(records.map(({ provider }) => provider)).toEqual(['one']);
});

const world: readonly Fields[] = [
  '192.0.2.0/24',
  '192.0.2.0/28',
  '192.0.2.1',
  '192.0.2.200',
  '192.0.0.0/16',
  '198.51.100.1',
  '2001:db8::/32',
  '2001:db8::1',
  '2001:db8::/64',
  'example.com',
  'www.example.com',
  'a.www.example.com',
  'notexample.com',
  'login-example.net',
  'example.org',
  'http://example.com/a,b',
  'http://www.example.com/',
  'http://192.0.2.1/x',
  'http://[2001:db8::1]/x',
  'a@example.com',
  'b@www.example.com',
  'c@[192.0.2.1]',
  'd41d8cd98f00b204e9800998ecf8427e',
  'd41d8cd98f00b204e9800998ecf8427ed41d8cd9',
  'AS64500',
].map((indicator) => ({ indicator }));

describe('a question about', () => {
  test.each<[string, readonly string[], Related?]>([
    ['192.0.2.1', ['exact 192.0.2.1', 'covers 192.0.0.0/16', 'covers 192.0.2.0/24', 'covers 192.0.2.0/28']],
    ['192.0.2.99', ['covers 192.0.0.0/16', 'covers 192.0.2.0/24']],
    [
      '192.0.2.0/24',
      [
        'exact 192.0.2.0/24',
        'covers 192.0.0.0/16',
        'inside 192.0.2.0/28',
        'inside 192.0.2.1',
        'inside 192.0.2.200',
      ],
    ],
    ['192.0.2.0/24', ['exact 192.0.2.0/24', 'covers 192.0.0.0/16'], new Set(['covers'])],
    ['192.0.2.0/24', ['exact 192.0.2.0/24'], noRelation],
    [
      '192.0.2.0/25',
      ['covers 192.0.0.0/16', 'covers 192.0.2.0/24', 'inside 192.0.2.0/28', 'inside 192.0.2.1'],
    ],
    ['2001:db8::1', ['exact 2001:db8::1', 'covers 2001:db8::/32', 'covers 2001:db8::/64']],
    ['2001:db8::/48', ['covers 2001:db8::/32', 'inside 2001:db8::/64', 'inside 2001:db8::1']],
    ['::ffff:192.0.2.200', ['exact 192.0.2.200', 'covers 192.0.0.0/16', 'covers 192.0.2.0/24']],
    [
      'example[.]com',
      [
        'exact example.com',
        'subdomain www.example.com',
        'subdomain a.www.example.com',
        'url http://example.com/a,b',
        'url http://www.example.com/',
        'email a@example.com',
        'email b@www.example.com',
      ],
    ],
    // Without the names below it, what is at the name itself.
    [
      'example.com',
      ['exact example.com', 'url http://example.com/a,b', 'email a@example.com'],
      new Set(['url', 'email']),
    ],
    [
      'example.com',
      ['exact example.com', 'subdomain www.example.com', 'subdomain a.www.example.com'],
      new Set(['subdomain']),
    ],
    ['http://www.example.com/other', ['host www.example.com']],
    ['http://www.example.com/', ['exact http://www.example.com/', 'host www.example.com']],
    ['http://www.example.com/', ['exact http://www.example.com/'], new Set(['covers'])],
    [
      'http://192.0.2.1/x',
      [
        'exact http://192.0.2.1/x',
        'host 192.0.2.1',
        'covers 192.0.0.0/16',
        'covers 192.0.2.0/24',
        'covers 192.0.2.0/28',
      ],
    ],
    ['http://[2001:db8::1]/', ['host 2001:db8::1', 'covers 2001:db8::/32', 'covers 2001:db8::/64']],
    ['a@example.com', ['exact a@example.com', 'host example.com']],
    [
      'c@[192.0.2.1]',
      [
        'exact c@[192.0.2.1]',
        'host 192.0.2.1',
        'covers 192.0.0.0/16',
        'covers 192.0.2.0/24',
        'covers 192.0.2.0/28',
      ],
    ],
    ['D41D8CD98F00B204E9800998ECF8427E', ['exact d41d8cd98f00b204e9800998ecf8427e']],
    [
      'd41d8cd98*',
      ['pattern d41d8cd98f00b204e9800998ecf8427e', 'pattern d41d8cd98f00b204e9800998ecf8427ed41d8cd9'],
    ],
    ['AS64500', ['exact AS64500']],
    ['*.example.com', ['pattern www.example.com', 'pattern a.www.example.com']],
    ['*.EXAMPLE[.]com', ['pattern www.example.com', 'pattern a.www.example.com']],
    [
      '*example.com',
      [
        'pattern notexample.com',
        'pattern example.com',
        'pattern www.example.com',
        'pattern a.www.example.com',
      ].sort(byKey),
    ],
    ['example.*', ['pattern example.com', 'pattern example.org']],
    ['*login*', ['pattern login-example.net']],
    ['*.nothing.test', []],
    ['example.net', []],
  ])('%s is answered', async (text, expected, related = everyRelation) => {
    const { store } = await storeOf(...world);
    for (const limit of [1, 2, 3, 100]) {
      const shown: string[] = [];
      let after: string | undefined;
      do {
        const query = {
          asked: about(text),
          related,
          filter: {},
          limit,
          ...(after !== undefined && { after }),
        };
        const { answers, next } = await page(store, query);
        shown.push(...answers.map(({ match, record }) => `${match} ${record.indicator}`));
        expect(answers.length).toBeLessThanOrEqual(limit);
        after = next;
      } while (after !== undefined);
      expect(shown).toEqual(expected);
    }
  });

  test('several values shows a record that answers two of them once, for the first', async () => {
    const { store } = await storeOf(...world);
    const asked = about('www.example.com, example.com,192.0.2.1,192.0.2.0/24,*.com');
    for (const limit of [1, 4, 100]) {
      const shown = (await pagesOf(store, { asked, related: everyRelation, filter: {}, limit })).flat();
      expect(new Set(shown.map(({ indicator }) => indicator)).size).toBe(shown.length);
      expect(shown.map(({ indicator }) => indicator)).toEqual([
        'www.example.com',
        'a.www.example.com',
        'http://www.example.com/',
        'b@www.example.com',
        'example.com',
        'http://example.com/a,b',
        'a@example.com',
        '192.0.2.1',
        '192.0.0.0/16',
        '192.0.2.0/24',
        '192.0.2.0/28',
        '192.0.2.200',
        'notexample.com',
      ]);
    }
  });

  test('a domain, of one itype, is answered by its records of that itype', async () => {
    const { store } = await storeOf(...world);
    const query = { asked: about('example.com'), related: everyRelation, limit: 10 };
    const { records } = await page(store, { ...query, filter: { itypes: ['url'] } });
    expect(records.map(({ indicator }) => indicator)).toEqual([
      'http://example.com/a,b',
      'http://www.example.com/',
    ]);
  });
});

/** As keys sort: by labels from the right. */
function byKey(a: string, b: string): number {
  const [x, y] = [a, b].map((of) => `${of.split(' ')[1]?.split('.').reverse().join('.')}.`);
  return (x ?? '') < (y ?? '') ? -1 : 1;
}

describe('an order', () => {
  const rows: readonly Fields[] = [
    { indicator: 'c.example.com', confidence: 3, lasttime: '2026-03-01' },
    { indicator: 'a.example.com', confidence: 9, lasttime: '2026-01-01' },
    { indicator: 'b.example.com', confidence: 3, lasttime: '2026-02-01' },
    { indicator: 'http://example.com/', confidence: 5, lasttime: '2026-04-01' },
  ];
  test.each<[string, Sort, string]>([
    ['reporttime', { by: 'reporttime', descending: false }, 'c a b h'],
    ['-reporttime', { by: 'reporttime', descending: true }, 'h b a c'],
    ['lasttime', { by: 'lasttime', descending: false }, 'a b c h'],
    ['-lasttime', { by: 'lasttime', descending: true }, 'h c b a'],
    ['confidence', { by: 'confidence', descending: false }, 'b c h a'],
    ['-confidence', { by: 'confidence', descending: true }, 'a h b c'],
    ['indicator', { by: 'indicator', descending: false }, 'a b c h'],
    ['-indicator', { by: 'indicator', descending: true }, 'h c b a'],
  ])('%s sorts all answers, in pages too', async (_, sort, expected) => {
    const { store } = await storeOf(...rows);
    for (const limit of [1, 3, 10]) {
      const query = { asked: about('example.com'), related: everyRelation, filter: {}, sort, limit };
      const shown = (await pagesOf(store, query)).flat();
      expect(shown.map(({ indicator }) => indicator[0]).join(' ')).toBe(expected);
    }
  });

  test('of everything is what there is an index of: newest first, or by value', async () => {
    const { store } = await storeOf(...rows);
    const ask = (sort: Sort) => runQuery(store, { ...everything, sort, limit: 2 });
    expect(await ask({ by: 'lasttime', descending: true })).toMatchObject({ ok: false, code: 'bad-sort' });
    expect(await ask({ by: 'indicator', descending: true })).toMatchObject({ ok: false, code: 'bad-sort' });
    expect(await ask({ by: 'reporttime', descending: true })).toEqual(
      await runQuery(store, { ...everything, limit: 2 }),
    );
    const byValue = await pagesOf(store, {
      ...everything,
      sort: { by: 'indicator', descending: false },
      limit: 3,
    });
    expect(byValue.flat().map(({ indicator }) => indicator[0])).toEqual(['a', 'b', 'c', 'h']);
  });

  test('of more answers than are sorted is refused', async () => {
    const { store } = await storeOf(...hosts(1, 10_001));
    const sort = { by: 'confidence', descending: true } as const;
    const query = { asked: about('example.com'), related: everyRelation, filter: {}, sort, limit: 2 };
    expect(await runQuery(store, query)).toMatchObject({ ok: false, code: 'too-many-to-sort' });
    const narrowed = await runQuery(store, { ...query, filter: { confidence: { min: 9, max: 10 } } });
    expect(narrowed).toMatchObject({ ok: true, value: { answers: [{ record: { confidence: 9 } }, {}] } });
  });
});

test('a place that is none is refused', async () => {
  const { store } = await storeOf(...world);
  const query = { ...everything, asked: about('example.com'), limit: 1 };
  for (const after of ['', 'x', ':', '-1:x', 'NaN x'])
    expect(await runQuery(store, { ...query, after })).toMatchObject({ ok: false, code: 'bad-position' });
  const sort = { by: 'lasttime', descending: true } as const;
  expect(await runQuery(store, { ...query, sort, after: '0:x' })).toMatchObject({ ok: false });
});

test('a rare match among many names ends its page after so many records, and is found on a later one', async () => {
  const { store } = await storeOf({ indicator: 'example.com' });
  // Ranges of a store that never ends in sight: every page is full of what does not fit.
  const [record] = (await store.byValue('fqdn', 'example.com')).slice(0, 1);
  if (record === undefined) throw new Error('no record');
  let reads = 0;
  const vast: IndicatorStore = {
    ...store,
    async inRanges(_, after, limit) {
      reads++;
      return { records: Array.from({ length: limit }, () => record), next: `${Number(after ?? 0) + limit}` };
    },
  };
  const query = { ...everything, asked: about('*login*'), limit: 5 };
  const first = await page(vast, query);
  expect(first).toMatchObject({ answers: [], next: '0:100000' });
  expect(reads).toBe(100);
});
