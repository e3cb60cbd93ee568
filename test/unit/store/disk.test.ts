import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openDisk } from '../../../src/store/disk.ts';
import { openStore } from '../../../src/store/level-store.ts';
import { batchesOf, identityOf, observation } from '../../contract/store-contract.ts';

async function temporary(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tocsin-disk-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
}

async function writtenStore(): Promise<string> {
  const directory = await temporary();
  await using store = await openStore(await openDisk(directory));
  await store.commit(batchesOf(identityOf(1), 1, [observation('example.com')]));
  return directory;
}

test('a directory that is not there is made, with its parents', async () => {
  await using level = await openDisk(join(await temporary(), 'new', 'db'));
  expect(level.status).toBe('open');
});

test.each(['CURRENT', 'MANIFEST-'])('a damaged %s is told as damage, with what to do', async (name) => {
  const directory = await writtenStore();
  for (const file of await readdir(directory)) {
    if (file.startsWith(name)) await writeFile(join(directory, file), 'not what LevelDB wrote');
  }
  await expect(openDisk(directory)).rejects.toMatchObject({
    name: 'StoreError',
    code: 'CORRUPT',
    message: expect.stringContaining('move it away'),
  });
});

test('a file in place of the directory is refused by name', async () => {
  const file = join(await temporary(), 'file');
  await writeFile(file, '');
  await expect(openDisk(file)).rejects.toMatchObject({
    name: 'StoreError',
    code: 'FAILED',
    message: expect.stringContaining(file),
  });
});
