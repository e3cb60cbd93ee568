import { expect, test } from 'vitest';
import type { IndicatorRecord } from '../../../src/indicator/types.ts';
import { type Query, runQuery } from '../../../src/query/query.ts';
import type { IndicatorStore } from '../../../src/store/store.ts';
import { type Fields, nowMs, storeOf } from '../../support/records.ts';

const host = (i: number): Fields => ({ indicator: `host${i}.example.com`, confidence: i % 10 });
const hosts = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => host(from + i));
const name = ({ indicator }: IndicatorRecord) => indicator.split('.')[0];

/** All pages of a query, one after another; between two pages `between` may write. */
async function pagesOf(
  store: IndicatorStore,
  query: Query,
  between: (page: number) => Promise<void> = async () => {},
): Promise<readonly (readonly IndicatorRecord[])[]> {
  const pages: (readonly IndicatorRecord[])[] = [];
  let after: string | undefined;
  do {
    const { records, next } = await runQuery(store, { ...query, ...(after !== undefined && { after }) });
    pages.push(records);
    after = next;
    if (after !== undefined) await between(pages.length);
  } while (after !== undefined && pages.length < 1_000);
  return pages;
}

test('without a value the newest come first, up to the limit', async () => {
  const { store } = await storeOf(...hosts(1, 5));
  const { records, next } = await runQuery(store, { filter: {}, limit: 3 });
  expect(records.map(name)).toEqual(['host5', 'host4', 'host3']);
  expect(next).toBeDefined();
});

test('an empty store answers with an empty page', async () => {
  const { store } = await storeOf();
  expect(await runQuery(store, { filter: {}, limit: 10 })).toEqual({ records: [] });
});

test.each([1, 3, 7, 500, 10_000])('pages of %i show every record once', async (limit) => {
  const { store } = await storeOf(...hosts(1, 40));
  const names = (await pagesOf(store, { filter: {}, limit })).flat().map(name);
  expect(names).toEqual(
    hosts(1, 40)
      .map(({ indicator }) => indicator.split('.')[0])
      .reverse(),
  );
});

test('pages of a filtered question show every match once, however many records lie between', async () => {
  const { store } = await storeOf(...hosts(1, 1_500));
  const pages = await pagesOf(store, { filter: { confidence: { min: 9, max: 10 } }, limit: 40 });
  expect(pages.flat()).toHaveLength(150);
  expect(new Set(pages.flat().map(name)).size).toBe(150);
  for (const page of pages.slice(0, -1)) expect(page).toHaveLength(40);
});

test('writes between pages lose no record that they do not touch and show none twice', async () => {
  const { store, add } = await storeOf(...hosts(1, 30));
  const pages = await pagesOf(store, { filter: {}, limit: 5 }, async (page) => {
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
  const [front] = (await runQuery(store, { filter: {}, limit: 1 })).records;
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
  const shown = (await pagesOf(racing, { filter: {}, limit: 3 })).flat().map(name);
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
  const { records, next } = await runQuery(counting, { filter, limit: 100 });
  expect(records.map(name)).toEqual(['host2000', 'host1999', 'host1998', 'host1997', 'host1996']);
  expect(next).toBeUndefined();
  expect(reads).toBe(1);
});

test('a value gives the records of all its providers and groups, newest first, and no other value', async () => {
  const indicator = 'http://example.com/a';
  const { store } = await storeOf(
    { indicator, provider: 'one' },
    { indicator: 'http://example.com/ab' },
    { indicator: 'example.com' },
    { indicator, provider: 'two' },
    { indicator, provider: 'two', group: 'partners' },
    { indicator, provider: 'one', count: 4 },
  );
  const value = { itype: 'url', indicator } as const;
  const { records, next } = await runQuery(store, { value, filter: {}, limit: 10 });
  expect(records.map(({ provider, group }) => [provider, group])).toEqual([
    ['one', 'everyone'],
    ['two', 'partners'],
    ['two', 'everyone'],
  ]);
  expect(records[0]?.count).toBe(5);
  expect(next).toBeUndefined();
});

test('a value with more providers than the limit is paged', async () => {
  const indicator = '192.0.2.1';
  const rows = Array.from({ length: 25 }, (_, i) => ({ indicator, provider: `provider${i}` }));
  const { store } = await storeOf(...rows);
  const value = { itype: 'ipv4', indicator } as const;
  const pages = await pagesOf(store, { value, filter: {}, limit: 10 });
  expect(pages.map(({ length }) => length)).toEqual([10, 10, 5]);
  expect(pages.flat().map(({ provider }) => provider)).toEqual(
    rows.map(({ provider }) => provider).reverse(),
  );
});

test('a filter narrows a value, too', async () => {
  const indicator = 'example.com';
  const { store } = await storeOf({ indicator, provider: 'one', tags: 'c2' }, { indicator, provider: 'two' });
  const filter = { tags: { any: ['c2'], none: [] } };
  const { records } = await runQuery(store, { value: { itype: 'fqdn', indicator }, filter, limit: 10 });
  expect(records.map(({ provider }) => provider)).toEqual(['one']);
});
