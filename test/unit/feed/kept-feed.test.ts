import { expect, test } from 'vitest';
import { createAsides } from '../../../src/feed/aside.ts';
import { createChangedValues } from '../../../src/feed/changed-values.ts';
import { createFeeds } from '../../../src/feed/feeds.ts';
import { feedLimits } from '../../../src/feed/limits.ts';
import { readPlace } from '../../../src/feed/order-key.ts';
import type { IndicatorStore } from '../../../src/store/store.ts';
import { takeSnapshot } from '../../contract/snapshot-contract.ts';
import {
  defaultQuestion,
  everything,
  exactAllowlist,
  feedsOf,
  rowsOf,
  settableClock,
  textOf,
} from '../../support/feeds.ts';
import { type Fields, nowMs, storeOf } from '../../support/records.ts';

const all = { limit: 100_000 };
const host = (i: number): Fields => ({ indicator: `h${String(i).padStart(5, '0')}.example.com` });

/** Feeds over a store that counts what is read of it. */
async function counted(...rows: readonly Fields[]) {
  const { store, add } = await storeOf(...rows);
  const read = { scans: 0, values: 0 };
  const watched: IndicatorStore = {
    ...store,
    scan(itype, after, isWanted) {
      read.scans++;
      return store.scan(itype, after, isWanted);
    },
    byValue(itype, indicator) {
      read.values++;
      return store.byValue(itype, indicator);
    },
  };
  const clock = settableClock();
  const list = exactAllowlist();
  const feeds = createFeeds({ store: watched, clock, allowlist: () => list.allowlist });
  const spent = async <T>(run: () => Promise<T>) => {
    Object.assign(read, { scans: 0, values: 0 });
    await run();
    return { ...read };
  };
  return { add, clock, list, feeds, spent };
}

test('a feed costs what changed: nothing, the values that did, or all of it on a new day', async () => {
  const { add, clock, list, feeds, spent } = await counted(...Array.from({ length: 50 }, (_, i) => host(i)));
  const page = () => feeds.page(everything, all);
  expect((await spent(page)).scans).toBeGreaterThan(0);
  expect(await spent(page)).toEqual({ scans: 0, values: 0 });
  await add(host(3), host(4), { ...host(4), provider: 'another' }, host(90));
  expect(await spent(page)).toEqual({ scans: 0, values: 3 });
  clock.set(nowMs + 60 * 60 * 1_000);
  expect(await spent(page)).toEqual({ scans: 0, values: 0 });
  list.suppress(host(7).indicator, 'ops');
  expect(await spent(page)).toEqual({ scans: 0, values: 1 });
  list.suppress('elsewhere.example', 'ops');
  expect(await spent(page)).toEqual({ scans: 0, values: 0 });
  clock.set(nowMs + 24 * 60 * 60 * 1_000);
  expect((await spent(page)).scans).toBeGreaterThan(0);
});

test('a page cuts the feed that is kept; a change outside of the kinds asked for costs nothing', async () => {
  const { add, feeds, spent } = await counted(...Array.from({ length: 50 }, (_, i) => host(i)));
  const names = { ...everything, statements: { itypes: ['fqdn'] as const } };
  await feeds.page(names, all);
  const after = readPlace('fqdn\0com.example.h00010.') ?? '';
  expect(await spent(() => feeds.page(names, { limit: 5, after }))).toEqual({ scans: 0, values: 0 });
  await add({ indicator: '8.8.4.4' });
  expect(await spent(() => feeds.page(names, all))).toEqual({ scans: 0, values: 0 });
});

test('a small page reads no more of the store than it needs', async () => {
  const { feeds, spent } = await counted({ indicator: '8.8.4.4' }, { indicator: '8.8.8.8' }, host(1));
  expect(await spent(() => feeds.page(everything, { limit: 1 }))).toEqual({ scans: 1, values: 0 });
});

test('after a snapshot the feed is that of its records', async () => {
  const { store, feeds } = await feedsOf(host(1), host(2));
  expect((await feeds.page(everything, all)).count).toBe(2);
  const other = await feedsOf(host(3));
  await takeSnapshot(other.store, store);
  expect(rowsOf(await feeds.page(everything, all)).map(({ indicator }) => indicator)).toEqual([
    'h00003.example.com',
  ]);
});

test('what is committed while a feed is made is in the next one, and nothing is lost or twice', async () => {
  const { store, add, clock, list, feeds } = await feedsOf(
    ...Array.from({ length: 6_000 }, (_, i) => host(2 * i)),
  );
  for (let round = 0; round < 5; round++) {
    const pages = [feeds.page(everything, all), feeds.page(everything, { limit: 100 })];
    const adds = Array.from({ length: 10 }, (_, i) => add(host(2 * (i * 600 + round) + 1), host(i * 600)));
    pages.push(feeds.page(everything, all));
    await Promise.all([...pages, ...adds]);
    const fresh = createFeeds({ store, clock, allowlist: () => list.allowlist });
    expect((await feeds.page(everything, all)).digest).toBe((await fresh.page(everything, all)).digest);
    fresh.stop();
  }
});

test('a page that was given keeps its rows, whatever happens to the feed', async () => {
  const { add, feeds } = await feedsOf(host(1), host(2));
  const page = await feeds.page(everything, all);
  const before = textOf(page);
  await add({ ...host(1), provider: 'another' }, host(3));
  await feeds.page(everything, all);
  expect(textOf(page)).toBe(before);
});

test('a store that fails once does not leave half a feed', async () => {
  const { store } = await storeOf(host(1), { indicator: 'http://example.com/' });
  let fails = true;
  const faulty: IndicatorStore = {
    ...store,
    scan(itype, after, isWanted) {
      if (fails && itype === 'url') throw new Error('the disk is gone');
      return store.scan(itype, after, isWanted);
    },
  };
  const { list } = await feedsOf();
  const feeds = createFeeds({ store: faulty, clock: settableClock(), allowlist: () => list.allowlist });
  await expect(feeds.page(everything, all)).rejects.toThrow('the disk is gone');
  fails = false;
  expect((await feeds.page(everything, all)).count).toBe(2);
});

test('more questions than are kept are answered all the same', async () => {
  const { feeds } = await feedsOf({ ...host(1), confidence: 9 });
  for (let i = 0; i < feedLimits.feedsKept * 2; i++) {
    const question = { ...defaultQuestion, confidence: { min: i / 10, max: 10 } };
    expect((await feeds.page(question, all)).count).toBe(1);
  }
});

test('of changed values so many are known, and it is known when they are not all', () => {
  const changes = createChangedValues(3);
  for (let i = 0; i < 4; i++) changes.push('fqdn', `${i}`);
  expect(changes.since(1)?.map(({ indicator }) => indicator)).toEqual(['1', '2', '3']);
  for (let i = 4; i < 10; i++) changes.push('fqdn', `${i}`);
  expect(changes.position()).toBe(10);
  expect(changes.since(1)).toBeUndefined();
  expect(changes.since(8)?.map(({ indicator }) => indicator)).toEqual(['8', '9']);
  changes.forget();
  expect(changes.since(10)).toBeUndefined();
  expect(changes.since(changes.position())).toEqual([]);
});

test('more values left aside than are kept are counted, and it is known that they are not all there', () => {
  const asides = createAsides();
  const aside = { itype: 'ipv4', untilMs: 1, kind: 'allowlisted', list: 'ops' } as const;
  for (let i = 0; i < feedLimits.asideMax; i++) asides.set(`A${i}`, { ...aside, indicator: `${i}` });
  expect(asides.isOverflown()).toBe(false);
  asides.set('B', { ...aside, indicator: 'b' });
  expect(asides.isOverflown()).toBe(true);
  expect(asides.size()).toBe(feedLimits.asideMax);
  expect(asides.leftOut(undefined, undefined).allowlisted.count).toBe(feedLimits.asideMax + 1);
});
