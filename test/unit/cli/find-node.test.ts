import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { type ConnectionOptions, findNodes } from '../../../src/cli/find-node.ts';
import { testIo } from './support/io.ts';

const deadPid = 2 ** 30;
let cwd: string;

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'tocsin-find-'));
});

afterEach(() => rm(cwd, { recursive: true }));

async function nodeIn(directory: string, port: number, pid = process.pid): Promise<void> {
  await mkdir(join(cwd, directory), { recursive: true });
  const content = { url: `http://127.0.0.1:${port}`, pid, token: `token-${port}`, id: 'aa', name: 'alpha' };
  await writeFile(join(cwd, directory, 'node.json'), JSON.stringify(content), { mode: 0o600 });
}

async function find(options: ConnectionOptions = {}, env: Record<string, string> = {}) {
  const nodes = await findNodes(options, testIo({ cwd, env }));
  return Promise.all(
    nodes.map(async ({ url, token }) => ({ url, token: typeof token === 'string' ? token : await token() })),
  );
}

test('the running node with the lowest number is found, with its token', async () => {
  await nodeIn('.tocsin/10', 8410);
  await nodeIn('.tocsin/2', 8402);
  await nodeIn('.tocsin/1', 8401, deadPid);
  expect(await find()).toEqual([{ url: 'http://127.0.0.1:8402', token: 'token-8402' }]);
});

test('--node and --data-dir choose another', async () => {
  await nodeIn('.tocsin/0', 8400);
  await nodeIn('.tocsin/3', 8403);
  await nodeIn('elsewhere', 8499);
  expect(await find({ node: '3' })).toMatchObject([{ url: 'http://127.0.0.1:8403' }]);
  expect(await find({ dataDir: 'elsewhere' })).toMatchObject([{ url: 'http://127.0.0.1:8499' }]);
  expect(await find({}, { TOCSIN_DATA_DIR: join(cwd, 'elsewhere') })).toMatchObject([
    { token: 'token-8499' },
  ]);
});

test('a flag wins over every variable', async () => {
  await nodeIn('.tocsin/3', 8403);
  const env = { TOCSIN_URL: 'http://192.0.2.1:8480', TOCSIN_TOKEN: 'from-env' };
  expect(await find({ node: '3' }, env)).toEqual([{ url: 'http://127.0.0.1:8403', token: 'from-env' }]);
  expect(await find({ url: ['http://192.0.2.2'], token: 't' }, env)).toEqual([
    { url: 'http://192.0.2.2', token: 't' },
  ]);
  expect(await find({}, env)).toEqual([{ url: 'http://192.0.2.1:8480', token: 'from-env' }]);
});

test('with --url the token comes from the local node of the same URL, and only from it', async () => {
  await nodeIn('.tocsin/0', 8400);
  expect(await find({ url: ['http://localhost:8400/'] })).toEqual([
    { url: 'http://localhost:8400', token: 'token-8400' },
  ]);
  expect(await find({ url: ['http://127.0.0.1:8401'] })).toEqual([
    { url: 'http://127.0.0.1:8401', token: undefined },
  ]);
  expect(await find({ url: ['http://localhost.example:8400'] })).toMatchObject([{ token: undefined }]);
});

test('several nodes are named with commas, or one after the other; each has its own token', async () => {
  await nodeIn('.tocsin/0', 8400);
  await nodeIn('.tocsin/1', 8401);
  expect(await find({ url: ['http://127.0.0.1:8401,http://192.0.2.1', 'http://127.0.0.1:8400'] })).toEqual([
    { url: 'http://127.0.0.1:8401', token: 'token-8401' },
    { url: 'http://192.0.2.1', token: undefined },
    { url: 'http://127.0.0.1:8400', token: 'token-8400' },
  ]);
  const env = { TOCSIN_URL: 'http://192.0.2.1,http://192.0.2.2' };
  expect(await find({ token: 't' }, env)).toHaveLength(2);
});

test.each([
  [{}, /No node runs in .*\.tocsin\. Start one with `tocsin start`/],
  [{ node: '4' }, /Node 4 does not run/],
  [{ dataDir: 'absent' }, /`tocsin start --data-dir absent`/],
])('without a node, %j says what to do', async (options, message) => {
  await expect(find(options)).rejects.toMatchObject({ exitCode: 3, message: expect.stringMatching(message) });
});

test.each([
  { url: ['localhost:8480'] },
  { url: ['tcp://127.0.0.1:8480'] },
  { url: ['http://192.0.2.1,'] },
  { node: '../x' },
])('%j is a usage error', async (options) => {
  await expect(find(options)).rejects.toMatchObject({ exitCode: 2 });
});

test('a half written node.json is no node', async () => {
  await mkdir(join(cwd, '.tocsin/0'), { recursive: true });
  await writeFile(join(cwd, '.tocsin/0/node.json'), '{"url":"http://127');
  await expect(find()).rejects.toMatchObject({ exitCode: 3 });
});
