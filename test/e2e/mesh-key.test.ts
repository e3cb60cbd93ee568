import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type LineProcess, spawnLines } from '../support/process.ts';
import { eventually, main, nodeFlags } from './fleet.ts';

// Real processes whose mesh has a key. One seed, as in a cloud: it is what key rotation has to get along with.
type Keys = { readonly key?: string; readonly previous?: string };
type Node = { readonly url: string; readonly token: string; readonly process: LineProcess };

const newKey = (): string => randomBytes(32).toString('base64url');

describe('a mesh with a key', { timeout: 180_000 }, () => {
  let directory: string;
  let seedPort: number;
  const nodes = new Map<number, Node>();
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tocsin-key-'));
    seedPort = await freePort();
  });
  afterEach(async () => {
    await Promise.all([...nodes.values()].map(({ process }) => process.stop()));
    nodes.clear();
    await rm(directory, { recursive: true, force: true });
  });

  async function start(n: number, { key, previous }: Keys): Promise<Node> {
    const data = join(directory, String(n));
    const env = {
      TOCSIN_DATA_DIR: data,
      TOCSIN_HTTP_PORT: '0',
      TOCSIN_STREAM_PORT: '0',
      TOCSIN_DISCOVERY: 'gossip',
      TOCSIN_MESH_KEY: key,
      TOCSIN_MESH_KEY_PREVIOUS: previous,
      ...(n === 1
        ? { TOCSIN_GOSSIP_PORT: String(seedPort) }
        : { TOCSIN_SEEDS: `tcp://127.0.0.1:${seedPort}` }),
    };
    const process_ = await spawnLines(process.execPath, [...nodeFlags, main, 'start'], { env });
    await process_.line(/^Try, in another/, { deadlineMs: 20_000 });
    const { url, token } = JSON.parse(await readFile(join(data, 'node.json'), 'utf8'));
    const node = { url, token, process: process_ };
    nodes.set(n, node);
    return node;
  }

  async function restart(n: number, keys: Keys): Promise<void> {
    await nodes.get(n)?.process.stop();
    await start(n, keys);
    await eventually(`node ${n} is ready beside two others`, async () => {
      const peers = await get(n, '/mesh/peers');
      const { status } = await fetch(`${nodes.get(n)?.url}/health/ready`);
      return status === 200 && Array.isArray(peers) && peers.length === 2 ? true : undefined;
    });
  }

  async function get(n: number, path: string): Promise<unknown> {
    const { url, token } = nodeAt(n);
    const response = await fetch(url + path, { headers: { authorization: `Bearer ${token}` } });
    return response.json();
  }

  function nodeAt(n: number): Node {
    const node = nodes.get(n);
    if (node === undefined) throw new Error(`no node ${n} runs`);
    return node;
  }

  async function submit(n: number, value: string): Promise<Response> {
    const { url, token } = nodeAt(n);
    return fetch(`${url}/indicators`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ indicator: value, tags: ['phishing'], confidence: 8 }),
    });
  }

  test('the key is changed on a running fleet, node by node, and nothing is lost', async () => {
    const [old, fresh] = [newKey(), newKey()];
    for (const n of [1, 2, 3]) await start(n, { key: old });
    const acknowledged: string[] = [];
    let writing = true;
    const writers = [1, 2, 3].map(async (n) => {
      for (let i = 0; writing; i++) {
        const value = `host-${n}-${i}.example.com`;
        // A node that is being restarted takes nothing; what it does not acknowledge it does not promise.
        const response = await submit(n, value).catch(() => undefined);
        if (response?.ok) acknowledged.push(value);
        else await new Promise((resolve) => setImmediate(resolve));
      }
    });
    for (const n of [1, 2, 3]) await restart(n, { key: fresh, previous: old });
    for (const n of [1, 2, 3]) await restart(n, { key: fresh });
    writing = false;
    await Promise.all(writers);

    expect(acknowledged.length).toBeGreaterThan(50);
    await eventually('three equal digests', async () => {
      const digests = await Promise.all([1, 2, 3].map((n) => get(n, '/mesh/digest')));
      const [first, ...others] = digests.map((digest) => JSON.stringify(digest));
      return others.every((digest) => digest === first) ? true : undefined;
    });
    for (const n of [1, 2, 3]) {
      const { records } = (await get(n, '/mesh/digest')) as { records: number };
      expect(records).toBeGreaterThanOrEqual(acknowledged.length);
      for (const value of [acknowledged[0], acknowledged.at(-1)]) {
        expect(await get(n, `/indicators?q=${value}`)).toMatchObject({ data: [{ indicator: value }] });
      }
    }
  });

  test('a node with another key, and one with none, are told what to do and never get in', async () => {
    const key = newKey();
    await start(1, { key });
    await start(2, { key });
    await start(3, { key: newKey() });
    await start(4, {});
    const { process: seed } = nodeAt(1);
    await eventually('both were turned away', async () => {
      const warnings = seed.output('stderr').filter((line) => line.includes('turned away'));
      return warnings.some((line) => line.includes('another mesh key')) &&
        warnings.some((line) => line.includes('without a mesh key'))
        ? true
        : undefined;
    });
    await eventually('both know why', async () =>
      [3, 4].every((n) =>
        nodeAt(n)
          .process.output('stderr')
          .some((line) => line.includes('a seed does not let this node in')),
      )
        ? true
        : undefined,
    );
    await eventually('the two that may have met', async () => {
      const peers = await get(1, '/mesh/peers');
      return Array.isArray(peers) && peers.length === 1 ? true : undefined;
    });
    expect((await submit(1, 'secret.example.com')).status).toBe(201);
    for (const n of [3, 4]) {
      expect(await get(n, '/mesh/peers')).toEqual([]);
      expect(await get(n, '/indicators?q=secret.example.com')).toMatchObject({ data: [] });
    }
    expect(await get(2, '/mesh/peers')).toHaveLength(1);
  });
});

/** Free until somebody else takes it, which the system does not do at once. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('the system gave no port');
  return address.port;
}
