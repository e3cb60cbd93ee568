import { curvePairOf } from 'tocsin/mesh';
import { expect, test } from 'vitest';

import { runCli } from '../../../src/cli/program.ts';
import { testIo } from './support/io.ts';

test('the general help lists every command', async () => {
  const io = testIo();
  expect(await runCli(['--help'], io)).toBe(0);
  for (const name of [
    'start',
    'submit',
    'search',
    'searches',
    'feed',
    'allowlist',
    'tail',
    'peers',
    'mesh',
    'status',
    'keygen',
    'version',
  ]) {
    expect(io.out()).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
  }
});

test.each(['start', 'submit', 'search', 'feed', 'tail', 'peers', 'status'])(
  'the help of %s, either way of asking, tells its exit codes',
  async (name) => {
    for (const argv of [
      [name, '--help'],
      ['help', name],
    ]) {
      const io = testIo();
      expect(await runCli(argv, io)).toBe(0);
      expect(io.out()).toContain('Exit codes:');
      expect(io.err()).toBe('');
    }
  },
);

test('a mistyped command is answered with the one that was meant', async () => {
  const io = testIo();
  expect(await runCli(['serach', 'example.com'], io)).toBe(2);
  expect(io.err()).toBe('serach is no command. Did you mean search? `tocsin --help` lists them.\n');
});

test.each([
  [['search'], /missing required argument 'value'/],
  [['search', 'a', 'b', '--sort', 'lasttime'], /--sort is for one value/],
  [['search', '-', '--cursor', 'x'], /--cursor is for one value/],
  [['peers', 'a'], /too many arguments/],
  [['feed', '--fromat', 'csv'], /unknown option '--fromat'.*\(Did you mean --format\?\)/s],
  [['feed', '--format', 'xml'], /Allowed choices are table, json, csv, ndjson/],
  [['tail', '--count', '0'], /--count is "0": a number from 1 is allowed/],
  [['submit', '-', '--confidence', '11'], /--confidence is "11": a number from 0 to 10 is allowed/],
  [['submit', '-', '--batch', '0'], /--batch is "0": a number from 1 to 50000 is allowed/],
  [['submit', '-', '--tlp', 'pink'], /Allowed choices are clear/],
])('%j is a usage error that says what is allowed', async (argv, message) => {
  const io = testIo();
  expect(await runCli(argv, io)).toBe(2);
  expect(io.err()).toMatch(message);
  expect(io.out()).toBe('');
});

test('version prints the version of the package', async () => {
  const io = testIo();
  expect(await runCli(['version'], io)).toBe(0);
  expect(io.out()).toMatch(/^tocsin \d+\.\d+\.\d+ \(Node v\d+/);
});

test('keygen prints a new key of 32 bytes and, beside it, whom to give it to', async () => {
  const [one, two] = [testIo(), testIo()];
  await runCli(['keygen'], one);
  await runCli(['keygen'], two);
  const [, key = ''] = /^TOCSIN_MESH_KEY=([\w-]+)\n$/.exec(one.out()) ?? [];
  expect(Buffer.from(key, 'base64url')).toHaveLength(32);
  expect(one.out()).not.toBe(two.out());
  expect(one.err()).toContain('to nobody else');
});

test('keygen --pair prints the pair of the key that is set, for other programs, and else of a new one', async () => {
  const key = Buffer.alloc(32, 7);
  const env = { TOCSIN_STREAM_KEY: key.toString('base64url') };
  const io = testIo({ env });
  expect(await runCli(['keygen', '--pair'], io)).toBe(0);
  const { publicKey, secretKey } = curvePairOf(key);
  expect(io.out()).toContain(`public key: ${publicKey}\nsecret key: ${secretKey}\n`);
  expect(io.out()).toContain(`socket.curve_serverkey = b'${publicKey}'\n`);
  expect(io.out()).not.toContain('TOCSIN_STREAM_KEY');
  const made = testIo();
  await runCli(['keygen', '--pair'], made);
  const [, fresh = ''] = /^TOCSIN_STREAM_KEY=([\w-]{43})$/m.exec(made.out()) ?? [];
  expect(made.out()).toContain(curvePairOf(Buffer.from(fresh, 'base64url')).secretKey);
  const mesh = testIo({ env: { TOCSIN_MESH_KEY: env.TOCSIN_STREAM_KEY } });
  await runCli(['keygen', '--pair', 'mesh'], mesh);
  expect(mesh.out()).toBe(io.out());
  const bad = testIo({ env: { TOCSIN_STREAM_KEY: 'secret' } });
  expect(await runCli(['keygen', '--pair'], bad)).toBe(2);
  expect(bad.err()).not.toContain('secret"');
});

test('a reader of the output that goes away is no error', async () => {
  const gone = Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' });
  const stdout = { isTTY: false, columns: undefined, write: () => Promise.reject(gone) };
  const io = testIo({ stdout });
  expect(await runCli(['version'], io)).toBe(0);
  expect(io.err()).toBe('');
});
