import { appendFile, cp, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openDisk } from '../../../src/store/disk.ts';
import { damageOf } from '../../../src/store/disk-check.ts';
import { openStore } from '../../../src/store/level-store.ts';
import { areSoundBlocks, crc32c } from '../../../src/store/leveldb-format.ts';
import type { Digest } from '../../../src/store/store.ts';
import { batchesOf, identityOf, observation } from '../../contract/store-contract.ts';

async function temporary(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tocsin-disk-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
}

const origin = identityOf(1);
const hosts = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => observation(`h${(from + i) * 7_919}.example.com`));

test('a directory that is not there is made, with its parents, for its owner alone', async () => {
  const root = await temporary();
  await using level = await openDisk(join(root, 'new', 'db'));
  expect(level.status).toBe('open');
  for (const path of [join(root, 'new'), join(root, 'new', 'db')]) {
    expect((await stat(path)).mode & 0o777).toBe(0o700);
  }
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

test('a directory that was being made when the node died is none that is damaged', async () => {
  const directory = await temporary();
  await writeFile(join(directory, 'MANIFEST-000001'), '');
  await using level = await openDisk(directory);
  expect(level.status).toBe('open');
});

describe('a damaged directory', () => {
  let whole: string;
  let digest: Digest;
  beforeAll(async () => {
    whole = await mkdtemp(join(tmpdir(), 'tocsin-disk-'));
    // Each opening makes a table of the log before it; the last log stays.
    for (const from of [1, 101]) {
      await using store = await openStore(await openDisk(whole));
      for (let seq = from; seq < from + 100; seq += 20)
        await store.commit(batchesOf(origin, seq, hosts(seq, 20)));
      digest = await store.digest();
    }
    return () => rm(whole, { recursive: true });
  });

  const files = async (pattern: RegExp) => (await readdir(whole)).filter((name) => pattern.test(name));

  /** A copy in which `damage` was done to each file that matches. */
  async function damaged(pattern: RegExp, damage: (path: string) => Promise<unknown>): Promise<string> {
    const directory = await temporary();
    await cp(whole, directory, { recursive: true });
    const names = await files(pattern);
    expect(names).not.toEqual([]);
    for (const name of names) await damage(join(directory, name));
    return directory;
  }

  async function flip(path: string, at: number): Promise<void> {
    const bytes = await readFile(path);
    bytes.writeUInt8(bytes.readUInt8(at) ^ 0x11, at);
    await writeFile(path, bytes);
  }

  test('a whole one is not taken for one', async () => {
    expect(damageOf(whole)).toBeUndefined();
    expect([await files(/ldb$/), await files(/\d\.log$/)].map(({ length }) => length)).toEqual([1, 1]);
  });

  const remedy = /is damaged \(.+\): stop the node, move it away and start again; .* peers/;
  test.each<[string, RegExp, (path: string) => Promise<unknown>]>([
    ['CURRENT is gone', /^CURRENT$/, (path) => rm(path)],
    ['CURRENT is empty', /^CURRENT$/, (path) => truncate(path)],
    ['CURRENT is garbled', /^CURRENT$/, (path) => flip(path, 3)],
    ['CURRENT names another MANIFEST', /^CURRENT$/, (path) => flip(path, 14)],
    ['the MANIFEST is gone', /^MANIFEST/, (path) => rm(path)],
    ['the MANIFEST is empty', /^MANIFEST/, (path) => truncate(path)],
    ['the MANIFEST is cut off', /^MANIFEST/, (path) => truncate(path, 60)],
    ['the MANIFEST is garbled', /^MANIFEST/, (path) => flip(path, 20)],
    ['a table is gone', /ldb$/, (path) => rm(path)],
    ['a table is empty', /ldb$/, (path) => truncate(path)],
    ['a table is cut off', /ldb$/, (path) => truncate(path, 1_000)],
    ['a table is longer', /ldb$/, (path) => appendFile(path, 'more')],
    ['the write-ahead log is gone', /\d\.log$/, (path) => rm(path)],
    ['a commit in the write-ahead log is garbled', /\d\.log$/, (path) => flip(path, 1_000)],
    [
      'the write-ahead log begins with zeros',
      /\d\.log$/,
      (path) => writeFile(path, Buffer.alloc(900), { flag: 'r+' }),
    ],
  ])('%s: it is told, with what to do, and nothing is touched', async (_, pattern, damage) => {
    const directory = await damaged(pattern, damage);
    const before = await readdir(directory);
    for (const attempt of [1, 2]) {
      await expect(openDisk(directory), `attempt ${attempt}`).rejects.toMatchObject({
        name: 'StoreError',
        code: 'CORRUPT',
        message: expect.stringMatching(remedy),
      });
    }
    const isLogOfLevelDb = (name: string) => /^LOG/.test(name);
    const after = await readdir(directory);
    expect(after.filter((name) => !isLogOfLevelDb(name))).toEqual(
      before.filter((name) => !isLogOfLevelDb(name)),
    );
  });

  test('a byte anywhere in a table is noticed, but for the padding of its footer', async () => {
    const directory = await damaged(/^CURRENT$/, async () => undefined);
    const [name = ''] = await files(/ldb$/);
    const path = join(directory, name);
    const bytes = await readFile(path);
    const unnoticed: number[] = [];
    for (let at = 0; at < bytes.length; at += 97) {
      await flip(path, at);
      if (damageOf(directory) === undefined) unnoticed.push(at);
      await flip(path, at);
    }
    for (const at of unnoticed) expect(bytes.length - at).toBeLessThan(48);
  });

  test('a byte anywhere in the write-ahead log is noticed, or lies in its last commit, which a crash may cut off', async () => {
    const [name = ''] = await files(/\d\.log$/);
    const { size } = await stat(join(whole, name));
    let noticed = 0;
    for (let at = 0; at < size; at += 997) {
      const directory = await damaged(/\d\.log$/, (path) => flip(path, at));
      const opened = await openDisk(directory).catch((error: { code: string }) => error.code);
      if (typeof opened === 'string') {
        expect(opened).toBe('CORRUPT');
        noticed++;
        continue;
      }
      await using store = await openStore(opened);
      expect(store.vector().get(origin.nodeId)).toEqual({ upTo: 180, above: [] });
      expect((await store.digest()).records).toBe(180);
    }
    expect(noticed).toBeGreaterThan(10);
  });

  test('one that is moved away and put back opens with all that it had', async () => {
    await using store = await openStore(await openDisk(await damaged(/^CURRENT$/, async () => undefined)));
    expect(await store.digest()).toEqual(digest);
  });

  test('half-written files of a node that runs are no damage', async () => {
    const directory = await damaged(/^CURRENT$/, async () => undefined);
    await using level = await openDisk(directory);
    expect(level.status).toBe('open');
    for (const name of await files(/ldb$/)) await truncate(join(directory, name), 10).catch(() => undefined);
    await expect(openDisk(directory)).rejects.toMatchObject({ code: 'LOCKED' });
  });
});

test('a checksum is CRC-32C', () => {
  // RFC 3720, B.4.
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
  expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43);
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
});

test('blocks are told apart by their checksums, also where one fits by chance, and damage is told in time that grows with the size', () => {
  const block = (data: Buffer) => {
    const typed = Buffer.concat([data, Buffer.from([0])]);
    const crc = crc32c(typed);
    const checksum = Buffer.alloc(4);
    checksum.writeUInt32LE((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0);
    return Buffer.concat([typed, checksum]);
  };
  const plain = (i: number) => block(Buffer.from(`the data of block ${i} `.repeat(50)));
  const deceptive = block(
    Buffer.concat([block(Buffer.from('looks like an end')), Buffer.from('and is none')]),
  );
  const few = Buffer.concat([plain(1), deceptive, plain(2), deceptive]);
  expect(areSoundBlocks(few, 0, few.length)).toBe(true);
  expect(areSoundBlocks(few, 0, few.length - 1)).toBe(false);

  const many = Buffer.concat(Array.from({ length: 4_000 }, (_, i) => plain(i)));
  expect(areSoundBlocks(many, 0, many.length)).toBe(true);
  many.writeUInt8(many.readUInt8(many.length / 2) ^ 1, many.length / 2);
  const startMs = performance.now();
  expect(areSoundBlocks(many, 0, many.length)).toBe(false);
  expect(performance.now() - startMs).toBeLessThan(2_000);
});
