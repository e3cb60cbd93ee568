import { cp, mkdtemp, readdir, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openDisk } from '../../../src/store/disk.ts';
import { openStore } from '../../../src/store/level-store.ts';
import { flush, newRows } from '../../../src/store/rows.ts';
import { batchesOf, identityOf, observation } from '../../contract/store-contract.ts';

const origin = identityOf(1);
const values = ['a.example.com', 'b.example.com', 'c.example.com'];

test('wherever a crash cuts the last write off, records, index, log, vector and positions are in step', async () => {
  const root = await mkdtemp(join(tmpdir(), 'tocsin-crash-'));
  onTestFinished(() => rm(root, { recursive: true }));
  const [live, crashed, reopened] = ['live', 'crashed', 'reopened'].map((name) => join(root, name));
  if (live === undefined || crashed === undefined || reopened === undefined) throw new Error('no paths');

  const store = await openStore(await openDisk(live));
  for (let seq = 1; seq <= 8; seq++) {
    await store.commit(batchesOf(origin, seq, [observation(values[seq % values.length] ?? '')]));
  }
  // What the disk holds while the node runs is what a killed node leaves.
  await cp(live, crashed, { recursive: true });
  await store.close();
  const writeAhead = (await readdir(crashed)).find((name) => name.endsWith('.log')) ?? '';
  const { size } = await stat(join(crashed, writeAhead));

  const reached = new Set<number>();
  // An odd step meets headers, keys and values of LevelDB's records alike.
  for (let bytes = 0; bytes <= size + 96; bytes += 97) {
    await rm(reopened, { recursive: true, force: true });
    await cp(crashed, reopened, { recursive: true });
    await truncate(join(reopened, writeAhead), Math.min(bytes, size));
    await using survivor = await openStore(await openDisk(reopened));
    const upTo = survivor.vector().get(origin.nodeId)?.upTo ?? 0;
    const { records } = await survivor.digest();
    expect(records).toBe(Math.min(upTo, values.length));
    expect(survivor.count()).toBe(records);
    expect((await survivor.newest(undefined, 100)).records).toHaveLength(records);
    expect(survivor.lastPosition()).toBe(upTo);
    expect(await survivor.changesAfter(0, 100)).toHaveLength(upTo);
    expect(await survivor.batches(origin.nodeId, { from: 1, to: 100 }, 1e9)).toHaveLength(upTo);
    reached.add(upTo);
  }
  expect([...reached]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
});

test('what was written soon is in tables once it was flushed, whatever becomes of the write-ahead log', async () => {
  const root = await mkdtemp(join(tmpdir(), 'tocsin-crash-'));
  onTestFinished(() => rm(root, { recursive: true }));
  const [live, crashed] = [join(root, 'live'), join(root, 'crashed')];
  await using level = await openDisk(live);
  const table = level.sublevel<string, string>('records', {});
  const rows = newRows(level);
  rows.put(table, 'key', 'value');
  await rows.writeSoon();
  await flush(level);
  await cp(live, crashed, { recursive: true });
  for (const name of await readdir(crashed)) if (name.endsWith('.log')) await truncate(join(crashed, name));
  await using survivor = await openDisk(crashed);
  expect(await survivor.sublevel<string, string>('records', {}).get('key')).toBe('value');
});
