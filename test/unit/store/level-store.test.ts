import { MemoryLevel } from 'memory-level';
import { expect, test } from 'vitest';
import { openStore } from '../../../src/store/level-store.ts';
import { batchesOf, identityOf, observation } from '../../contract/store-contract.ts';

const origin = identityOf(1);

function hosts(count: number): ReturnType<typeof observation>[] {
  return Array.from({ length: count }, (_, i) => observation(`h${i}.example.com`));
}

test('a digest taken at any moment of a commit has the vector of its records', async () => {
  // A write is in the records some turns before the store takes note of it: ask in each of them.
  for (let turns = 0; turns < 40; turns++) {
    await using store = await openStore(new MemoryLevel<string, string>());
    const committed = store.commit(batchesOf(origin, 1, hosts(3)));
    for (let i = 0; i < turns; i++) await Promise.resolve();
    const { records, vector } = await store.digest();
    expect(records).toBe(vector.get(origin.nodeId)?.upTo ?? 0);
    await committed;
  }
});

test('a batch that several callers hand in at once is the first one’s', async () => {
  await using store = await openStore(new MemoryLevel<string, string>());
  const batches = batchesOf(origin, 1, hosts(1));
  const commits = await Promise.all([
    store.commit([]),
    store.commit(batches),
    store.commit(batches),
    store.commit([...batches, ...batches]),
  ]);
  expect(commits.map((commit) => [commit.batches.length, commit.changes.length])).toEqual([
    [0, 0],
    [1, 1],
    [0, 0],
    [0, 0],
  ]);
});

test('callers whose batches share a write each get their own changes', async () => {
  await using store = await openStore(new MemoryLevel<string, string>());
  const calls = hosts(300).map((body, i) =>
    batchesOf(identityOf(1 + (i % 3)), 1 + Math.floor(i / 3), [body]),
  );
  const commits = await Promise.all(calls.map((batches) => store.commit(batches)));
  for (const [i, { batches, changes }] of commits.entries()) {
    expect(batches).toEqual(calls[i]);
    expect(changes.map(({ position, record }) => [position, record.indicator])).toEqual([
      [i + 1, `h${i}.example.com`],
    ]);
  }
});

test('a page that takes the last record says that it is the last', async () => {
  await using store = await openStore(new MemoryLevel<string, string>());
  await store.commit(batchesOf(origin, 1, hosts(4)));
  for (const read of [store.newest, (after?: string, limit = 0) => store.byItype('fqdn', after, limit)]) {
    const first = await read(undefined, 2);
    expect(first.records).toHaveLength(2);
    expect(first.next).toBeDefined();
    const second = await read(first.next, 2);
    expect(second.records).toHaveLength(2);
    expect(second.next).toBeUndefined();
  }
});
