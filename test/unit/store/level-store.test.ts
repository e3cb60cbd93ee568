import { MemoryLevel } from 'memory-level';
import { expect, test } from 'vitest';
import { openStore } from '../../../src/store/level-store.ts';
import { allOf } from '../../../src/store/value-ranges.ts';
import { batchesOf, identityOf, observation } from '../../contract/store-contract.ts';
import { recordChanges } from '../../support/changes.ts';
import { faultyLevel } from '../../support/faulty-level.ts';

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
    expect(recordChanges(changes).map(({ position, record }) => [position, record.indicator])).toEqual([
      [i + 1, `h${i}.example.com`],
    ]);
  }
});

test('a page that takes the last record says that it is the last', async () => {
  await using store = await openStore(new MemoryLevel<string, string>());
  await store.commit(batchesOf(origin, 1, hosts(4)));
  for (const read of [
    store.newest,
    (after?: string, limit = 0) => store.inRanges([allOf('fqdn')], after, limit),
  ]) {
    const first = await read(undefined, 2);
    expect(first.records).toHaveLength(2);
    expect(first.next).toBeDefined();
    const second = await read(first.next, 2);
    expect(second.records).toHaveLength(2);
    expect(second.next).toBeUndefined();
  }
});

test('a listener that throws does not make a written commit look failed, and the others still hear of it', async () => {
  await using store = await openStore(new MemoryLevel<string, string>());
  const bug = new Error('a bug of a listener');
  const thrown: unknown[] = [];
  // The runner's own handlers would take it for a failure of the run.
  const handlers = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.once('uncaughtException', (error) => thrown.push(error));
  const heard: number[] = [];
  store.onCommitted(() => {
    throw bug;
  });
  store.onCommitted(({ changes }) => heard.push(changes.length));
  const { changes } = await store.commit(batchesOf(origin, 1, hosts(2)));
  await new Promise((resolve) => setImmediate(resolve));
  for (const handler of handlers) process.on('uncaughtException', handler);
  expect(changes).toHaveLength(2);
  expect(heard).toEqual([2]);
  expect(thrown).toEqual([bug]);
});

test('after a write that failed nothing is written until the store is opened again; what is there can be read', async () => {
  const disk = faultyLevel();
  const told: string[] = [];
  await using store = await openStore(disk.level, ({ code }) => told.push(code));
  await store.commit(batchesOf(origin, 1, hosts(1)));
  expect(store.failure()).toBeUndefined();
  disk.failAt(disk.writes() + 1, 'for once');
  await expect(store.commit(batchesOf(origin, 2, hosts(1)))).rejects.toMatchObject({ code: 'NO_SPACE' });
  // The disk would take it now; LevelDB may lose what is written behind a row that was cut off.
  await expect(store.commit(batchesOf(identityOf(2), 1, hosts(1)))).rejects.toMatchObject({
    code: 'NO_SPACE',
  });
  await expect(store.trimLog({ sinceMs: 0, bytesMax: 0 })).rejects.toMatchObject({ code: 'NO_SPACE' });
  expect(store.failure()?.code).toBe('NO_SPACE');
  expect(told).toEqual(['NO_SPACE']);
  expect((await store.byValue('fqdn', 'h0.example.com'))[0]?.count).toBe(1);
  expect((await store.digest()).records).toBe(1);
});
