import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';

import type { StartedNode } from '../../../src/cli/io.ts';
import { runCli } from '../../../src/cli/program.ts';
import type { Config } from '../../../src/config/settings.ts';
import { type TestIoOptions, testIo } from './support/io.ts';

function startedNode(parts: Partial<StartedNode> = {}) {
  let stops = 0;
  return {
    id: 'ab'.repeat(16),
    name: 'alpha',
    dataDirectory: '/srv/here/.tocsin/1',
    httpUrl: 'http://127.0.0.1:8480',
    streamEndpoint: 'tcp://127.0.0.1:8481',
    meshEndpoint: 'tcp://127.0.0.1:5001',
    gossipEndpoint: 'tcp://127.0.0.1:5002',
    discovery: 'Other nodes are found by beacon on this machine.',
    security: 'The mesh is in clear, for this machine only.',
    warnings: [],
    ready: Promise.resolve(),
    async stop() {
      stops += 1;
    },
    stops: () => stops,
    ...parts,
  };
}

function startingIo(node: StartedNode, options: TestIoOptions = {}) {
  const started: { config: Config; logLevel: string }[] = [];
  const io = testIo({
    cwd: '/srv/here',
    startNode: async (config, logLevel) => {
      started.push({ config, logLevel });
      return node;
    },
    ...options,
  });
  return { io, started };
}

test('start says what is bound, the token and three commands, and a signal stops the node', async () => {
  const node = startedNode({ adminToken: 'hush', warnings: ['The clock is odd.'] });
  const { io, started } = startingIo(node);
  const exit = runCli(['start', '--http-port', '8480', '--name', 'alpha'], io);
  await until(() => io.out().includes('Ready.'));
  for (const text of [
    'alpha',
    '8480/docs',
    '8481',
    '5001',
    '5002',
    'by beacon',
    '.tocsin/1',
    'Admin token: hush',
  ]) {
    expect(io.out()).toContain(text);
  }
  expect(io.out()).toContain('Warning: The clock is odd.');
  expect(io.out()).toMatch(
    / {2}tocsin tail\n {2}echo example\.com \| tocsin submit - .*\n {2}tocsin search example\.com\n/,
  );
  expect(started[0]?.config).toMatchObject({ httpPort: 8480, name: 'alpha' });
  io.send('SIGTERM');
  expect(await exit).toBe(0);
  expect(node.stops()).toBe(1);
  expect(io.exits).toEqual([]);
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('a second %s ends the process at once with %i', async (signal, code) => {
  let finish = () => {};
  const stop = () =>
    new Promise<void>((resolve) => {
      finish = resolve;
    });
  const { io } = startingIo(startedNode({ stop }));
  const exit = runCli([], io);
  await until(() => io.out().includes('Ready.'));
  io.send(signal);
  await until(() => io.out().includes('Stopping.'));
  io.send(signal);
  expect(io.exits).toEqual([code]);
  finish();
  await exit;
});

test('start is the command when none is named', async () => {
  const { io, started } = startingIo(startedNode());
  const exit = runCli(['--stream-port', '9000'], io);
  await until(() => io.out().includes('Ready.'));
  expect(started[0]?.config.streamPort).toBe(9000);
  io.send('SIGINT');
  expect(await exit).toBe(0);
});

test.each([
  ['/srv/here/.tocsin/2', {}, 'tocsin search example.com --node 2'],
  ['.tocsin/3', {}, 'tocsin search example.com --node 3'],
  ['/srv/data', {}, 'tocsin search example.com --data-dir ../data'],
  ['/srv/here/.tocsin/1', { npm_lifecycle_event: 'start' }, 'npx tocsin search example.com\n'],
])('the commands to try find the node of %s', async (dataDirectory, env, command) => {
  const { io } = startingIo(startedNode({ dataDirectory }), { env });
  const exit = runCli(['start'], io);
  await until(() => io.out().includes('Ready.'));
  expect(io.out()).toContain(command);
  io.send('SIGINT');
  await exit;
});

test('on a terminal the log is quiet unless a level is set by hand', async () => {
  for (const [argv, terminal, level] of [
    [[], 80, 'warn'],
    [['--log-level', 'debug'], 80, 'debug'],
    [[], undefined, 'info'],
  ] as const) {
    const { io, started } = startingIo(startedNode(), terminal === undefined ? {} : { terminal });
    const exit = runCli(['start', ...argv], io);
    await until(() => io.out().includes('Ready.'));
    expect(started[0]?.logLevel).toBe(level);
    io.send('SIGINT');
    await exit;
  }
});

test('bad settings are told all at once and nothing is started', async () => {
  const { io, started } = startingIo(startedNode(), { env: { TOCSIN_MESH_KEY: 'x', TOCSIN_HTTP_PORT: 'x' } });
  expect(await runCli(['start'], io)).toBe(2);
  expect(io.err()).toContain('TOCSIN_MESH_KEY is not readable');
  expect(io.err()).toContain('TOCSIN_HTTP_PORT is "x"');
  expect(started).toEqual([]);
});

test('a node that cannot start is one line and exit code 1', async () => {
  const locked = Object.assign(new Error('Another node uses /data; stop it or name another --data-dir.'), {
    code: 'LOCKED',
  });
  const io = testIo({ startNode: () => Promise.reject(locked) });
  expect(await runCli(['start'], io)).toBe(1);
  expect(io.err()).toBe(`The node did not start: ${locked.message}\n`);
});

/** Lets the command work until something is seen; the runner's own time limit ends a test that never sees it. */
async function until(seen: () => boolean): Promise<void> {
  while (!seen()) await turn();
}
