import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryLevel } from 'memory-level';
import { expect, test } from 'vitest';
import { openDisk } from '../../src/store/disk.ts';
import { openStore } from '../../src/store/level-store.ts';
import { storeContract } from './store-contract.ts';

storeContract('over LevelDB on disk', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tocsin-store-'));
  return {
    open: async () => openStore(await openDisk(directory)),
    remove: () => rm(directory, { recursive: true }),
  };
});

storeContract('over LevelDB in memory', async () => {
  const level = new MemoryLevel<string, string>();
  return {
    async open() {
      await level.open();
      return openStore(level);
    },
    async remove() {},
  };
});

test('a directory that is in use says so, and what to do', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tocsin-store-'));
  const level = await openDisk(directory);
  await expect(openDisk(directory)).rejects.toMatchObject({ code: 'LOCKED', message: /--data-dir/ });
  await level.close();
  await rm(directory, { recursive: true });
});

test('data of a newer release is refused with the way out', async () => {
  const level = new MemoryLevel<string, string>();
  await level.sublevel<string, string>('meta', {}).put('version', '99');
  await expect(openStore(level)).rejects.toMatchObject({ code: 'NEWER_VERSION', message: /upgrade/ });
});
