import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryLevel } from 'memory-level';
import { expect, test } from 'vitest';
import { openDisk } from '../../src/store/disk.ts';
import { openStore } from '../../src/store/level-store.ts';
import { documentContract } from './document-contract.ts';
import { indexContract } from './index-contract.ts';
import { rangesContract } from './ranges-contract.ts';
import { snapshotContract } from './snapshot-contract.ts';
import { type StorePlace, storeContract } from './store-contract.ts';
import { upkeepContract } from './upkeep-contract.ts';

async function onDisk(): Promise<StorePlace> {
  const directory = await mkdtemp(join(tmpdir(), 'tocsin-store-'));
  return {
    open: async () => openStore(await openDisk(directory)),
    remove: () => rm(directory, { recursive: true }),
  };
}

async function inMemory(): Promise<StorePlace> {
  const level = new MemoryLevel<string, string>();
  return {
    async open() {
      await level.open();
      return openStore(level);
    },
    async remove() {},
  };
}

for (const contract of [
  storeContract,
  rangesContract,
  snapshotContract,
  upkeepContract,
  indexContract,
  documentContract,
]) {
  contract('over LevelDB on disk', onDisk);
  contract('over LevelDB in memory', inMemory);
}

test('a directory that is in use says so, and what to do', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tocsin-store-'));
  const level = await openDisk(directory);
  await expect(openDisk(directory)).rejects.toMatchObject({ code: 'LOCKED', message: /--data-dir/ });
  await level.close();
  await rm(directory, { recursive: true });
});

test.each([
  ['newer', '99', 'NEWER_VERSION', /upgrade/],
  ['earlier', '1', 'OLDER_VERSION', /move the directory away/],
])('data of a %s release is refused with the way out', async (_, version, code, message) => {
  const level = new MemoryLevel<string, string>();
  await level.sublevel<string, string>('meta', {}).put('version', version);
  await expect(openStore(level)).rejects.toMatchObject({ code, message });
});
