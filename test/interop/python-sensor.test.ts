import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually, main, nodeFlags } from '../e2e/fleet.ts';
import { type LineProcess, spawnLines } from '../support/process.ts';
import { requirementMet } from '../support/requirement.ts';

// A sensor and a subscriber in Python, which know nothing of us but a port and, with a stream key, a pair.

const root = join(import.meta.dirname, '../..');
const python = '/usr/bin/python3';
const usable = requirementMet(
  spawnSync(python, ['-c', 'import zmq']).status === 0 ? undefined : 'no python3-zmq',
);
const sensorScript = join(root, 'examples/sensor.py');

/** Three lines as `tocsin keygen --pair` prints them, then a subscription. */
const subscriberScript = `
import sys, zmq
socket = zmq.Context.instance().socket(zmq.SUB)
exec(sys.argv[2])
socket.connect(sys.argv[1])
socket.subscribe("")
while True:
    print(socket.recv_multipart()[0].decode(), flush=True)
`;

type Pair = { readonly publicKey: string; readonly secretKey: string; readonly lines: string };

describe.skipIf(!usable)('a sensor in Python', { timeout: 120_000 }, () => {
  let directory: string;
  let node: LineProcess;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tocsin-pull-'));
  });
  afterEach(async () => {
    await node.stop();
    await rm(directory, { recursive: true, force: true });
  });

  async function start(env: Readonly<Record<string, string>> = {}) {
    node = await spawnLines(process.execPath, [...nodeFlags, main, 'start'], {
      env: {
        TOCSIN_DATA_DIR: directory,
        TOCSIN_HTTP_PORT: '0',
        TOCSIN_STREAM_PORT: '0',
        TOCSIN_PULL_PORT: '0',
        TOCSIN_DISCOVERY: 'gossip',
        ...env,
      },
    });
    await node.line(/^Ready/, { deadlineMs: 30_000 });
    const about = JSON.parse(await readFile(join(directory, 'node.json'), 'utf8'));
    const headers = { authorization: `Bearer ${about.token}` };
    return {
      pull: String(about.pullEndpoint),
      stream: String(about.streamEndpoint),
      records: async (value: string): Promise<unknown[]> => {
        const answer = await fetch(`${about.url}/indicators?q=${value}&nolog=1`, { headers });
        return ((await answer.json()) as { data: unknown[] }).data;
      },
      metrics: async () => (await fetch(`${about.url}/metrics`, { headers })).text(),
    };
  }

  async function sense(endpoint: string, value: string, pair?: Pair): Promise<LineProcess> {
    const env = pair && { TOCSIN_STREAM_PUBLIC: pair.publicKey, TOCSIN_STREAM_SECRET: pair.secretKey };
    const sensor = await spawnLines(python, [sensorScript, endpoint, 'honeypot'], { env: { ...env } });
    sensor.write(value);
    sensor.endInput();
    return sensor;
  }

  async function known(of: Awaited<ReturnType<typeof start>>, value: string): Promise<unknown> {
    return eventually(value, async () => (await of.records(value))[0]);
  }

  test('is heard without a key at loopback, and what it sent is stored', async () => {
    const running = await start();
    await using sensor = await sense(running.pull, 'plain.example.com');
    expect(await known(running, 'plain.example.com')).toMatchObject({ provider: 'honeypot', count: 1 });
    expect(await sensor.ended).toMatchObject({ code: 0 });
    expect(await running.metrics()).toContain('tocsin_pull_events_total{reason="accepted"} 1\n');
  });

  test('with a stream key needs its pair, and so does a subscriber', async () => {
    const key = /^TOCSIN_STREAM_KEY=(.*)$/m.exec(await keygen(['--stream']))?.[1] ?? '';
    const pair = pairOf(await keygen(['--pair'], { TOCSIN_STREAM_KEY: key }));
    const made = await keygen(['--pair']);
    expect(made).toMatch(/^TOCSIN_STREAM_KEY=[\w-]{43}$/m);
    const running = await start({ TOCSIN_STREAM_KEY: key });

    const subscriber = (lines: string) => spawnLines(python, ['-c', subscriberScript, running.stream, lines]);
    await using holder = await subscriber(pair.lines);
    await using stranger = await subscriber(pairOf(made).lines);
    await using anyone = await subscriber('');
    await using open = await sense(running.pull, 'open.example.com');
    await using wrong = await sense(running.pull, 'wrong.example.com', pairOf(made));
    await eventually('both were turned away', async () =>
      Number(/reason="wrong-key"} (\d+)/.exec(await running.metrics())?.[1] ?? 0) >= 2 ? true : undefined,
    );
    for (let i = 0; holder.output('stdout').length === 0; i++) {
      await using sensor = await sense(running.pull, `right-${i}.example.com`, pair);
      expect(await known(running, `right-${i}.example.com`)).toMatchObject({ provider: 'honeypot' });
      expect(await sensor.ended).toMatchObject({ code: 0 });
    }
    expect(holder.output('stdout')[0]).toBe('indicator/fqdn/amber/');
    expect([...stranger.output('stdout'), ...anyone.output('stdout')]).toEqual([]);
    for (const value of ['open', 'wrong']) expect(await running.records(`${value}.example.com`)).toEqual([]);
    expect([open, wrong].map((sensor) => sensor.output('stderr'))).toEqual([[], []]);
  });

  test('that sends while the node stops loses nothing that the node had read', async () => {
    const running = await start();
    await using sensor = await spawnLines(python, [sensorScript, running.pull, 'honeypot']);
    for (let i = 0; i < 3_000; i++) sensor.write(`h${i}.example.com`);
    await known(running, 'h0.example.com');
    expect(await node.stop()).toEqual({ code: 0, signal: null });
  });
});

test('PULL at an address that others reach is refused without a stream key, with what to do', async () => {
  await using node = await spawnLines(process.execPath, [
    main,
    'start',
    '--pull-port',
    '0',
    '--pull-host',
    '0.0.0.0',
  ]);
  expect(await node.ended).toMatchObject({ code: 2 });
  expect(node.output('stderr').join('\n')).toMatch(
    /tocsin keygen --stream.*TOCSIN_STREAM_KEY.*--pull-host 127/s,
  );
});

async function keygen(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  await using made = await spawnLines(process.execPath, [main, 'keygen', ...args], { env });
  await made.ended;
  return made.output('stdout').join('\n');
}

function pairOf(printed: string): Pair {
  const publicKey = /^public key: (.{40})$/m.exec(printed)?.[1] ?? '';
  const secretKey = /^secret key: (.{40})$/m.exec(printed)?.[1] ?? '';
  return { publicKey, secretKey, lines: (printed.match(/^socket\..*$/gm) ?? []).join('\n') };
}
