import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadOrCreateIdentity } from '../../src/data-directory.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tocsin-identity-'));
});
afterEach(() => rm(directory, { recursive: true }));

test('a node with its log keeps its identity', async () => {
  const first = await loadOrCreateIdentity(directory, false);
  expect((await loadOrCreateIdentity(directory, true)).nodeId).toBe(first.nodeId);
});

test('a node whose log is gone takes a new identity, so that no seq is signed twice', async () => {
  const first = await loadOrCreateIdentity(directory, false);
  expect((await loadOrCreateIdentity(directory, false)).nodeId).not.toBe(first.nodeId);
});

test('a log without its key is refused with the way out', async () => {
  await expect(loadOrCreateIdentity(directory, true)).rejects.toThrow(/--data-dir/);
});

test('a new identity that cannot be written leaves the one before', async () => {
  const first = await loadOrCreateIdentity(directory, false);
  await mkdir(join(directory, 'identity.pem.new'));
  await expect(loadOrCreateIdentity(directory, false)).rejects.toThrow(
    /identity\.pem cannot be written .*: check/,
  );
  expect((await loadOrCreateIdentity(directory, true)).nodeId).toBe(first.nodeId);
});

test('the key is for its owner alone, and nothing else is left of its making', async () => {
  await loadOrCreateIdentity(directory, false);
  expect(await readdir(directory)).toEqual(['identity.pem']);
  expect((await stat(join(directory, 'identity.pem'))).mode & 0o777).toBe(0o600);
});
