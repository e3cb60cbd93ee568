import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { curvePairOf } from 'tocsin/mesh';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  eventually,
  type Fleet,
  type FleetNode,
  getJson,
  main,
  nodeFlags,
  startFleet,
} from '../e2e/fleet.ts';
import { type LineProcess, spawnLines } from '../support/process.ts';
import { requirementMet } from '../support/requirement.ts';

// A ZRE peer in Python, written from RFC 36 over python3-zmq, in the group INDICATORS of a fleet of three.

const python = '/usr/bin/python3';
const usable = requirementMet(
  spawnSync(python, ['-c', 'import zmq']).status === 0 ? undefined : 'no python3-zmq',
);
const script = join(import.meta.dirname, '../../examples/zre_indicators.py');

test.skipIf(!usable)(
  'with a mesh key, a foreign peer needs the pair of it',
  { timeout: 60_000 },
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'tocsin-foreign-'));
    const key = randomBytes(32);
    const env = {
      TOCSIN_DATA_DIR: directory,
      TOCSIN_HTTP_PORT: '0',
      TOCSIN_STREAM_PORT: '0',
      TOCSIN_DISCOVERY: 'gossip',
      TOCSIN_MESH_KEY: key.toString('base64url'),
    };
    await using running = await spawnLines(process.execPath, [...nodeFlags, main, 'start'], { env });
    await running.line(/^Ready/, { deadlineMs: 30_000 });
    const { url, token } = JSON.parse(await readFile(join(directory, 'node.json'), 'utf8'));
    const node = { n: 1, url, token, process: running };
    const { endpoints } = (await getJson(node, '/mesh')) as { endpoints: { mesh: string } };
    const { publicKey, secretKey } = curvePairOf(key);
    await using open = await spawnLines(python, [script, 'open', endpoints.mesh]);
    await using holder = await spawnLines(python, [script, 'holder', endpoints.mesh], {
      env: { TOCSIN_MESH_PUBLIC: publicKey, TOCSIN_MESH_SECRET: secretKey },
    });
    await holder.line(/^entered /, { from: 'stderr' });
    holder.write('"from-holder.example.com"');
    // It is told what it said itself: that is new as well.
    expect(await holder.line(/from-holder/)).toContain('"provider":"holder"');
    expect([...open.output('stdout'), ...open.output('stderr')]).toEqual([]);
    const peers = (await getJson(node, '/mesh/peers')) as unknown as readonly { name: string }[];
    expect(peers.map(({ name }) => name)).toEqual(['holder']);
    await running.stop();
    await rm(directory, { recursive: true, force: true });
  },
);

type Shown = { readonly indicator: string; readonly provider: string; readonly count: number };

describe.skipIf(!usable)('a foreign peer in the group INDICATORS', { timeout: 120_000 }, () => {
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await startFleet(3);
  });
  afterAll(() => fleet[Symbol.asyncDispose]());

  async function peer(name: string, nodes: readonly FleetNode[] = fleet.nodes): Promise<LineProcess> {
    const endpoints = await Promise.all(
      nodes.map(async (node) => {
        const { endpoints: of } = (await getJson(node, '/mesh')) as { endpoints: { mesh: string } };
        return of.mesh;
      }),
    );
    const started = await spawnLines(python, [script, name, ...endpoints]);
    await started.lines(nodes.length, /^entered /, { from: 'stderr' });
    await eventually('its membership is known', async () => {
      const groups = await Promise.all(nodes.map((node) => getJson(node, '/mesh/peers')));
      const all = (groups as unknown as { name: string; groups: string[] }[][]).every((of) =>
        of.some((one) => one.name === name && one.groups.includes('INDICATORS')),
      );
      return all ? true : undefined;
    });
    return started;
  }

  async function submit(n: number, rows: readonly unknown[]): Promise<void> {
    const node = nodeAt(n);
    const answer = await fetch(`${node.url}/indicators?ack=all`, {
      method: 'POST',
      headers: { authorization: `Bearer ${node.token}`, 'content-type': 'application/json' },
      body: JSON.stringify(rows),
    });
    expect(answer.status).toBe(201);
  }

  function nodeAt(n: number): FleetNode {
    const node = fleet.nodes[n - 1];
    if (node === undefined) throw new Error(`no node ${n}`);
    return node;
  }

  async function known(n: number, value: string): Promise<readonly Shown[]> {
    const { data } = await getJson(nodeAt(n), `/indicators?q=${value}&nolog=1`);
    return data as Shown[];
  }

  test('is told each new indicator once, whichever node it came to, and what is for all alone', async () => {
    await using foreign = await peer('observer');
    for (const n of [1, 2, 3]) {
      const own = Array.from({ length: 100 }, (_, i) => ({
        indicator: `n${n}-${i}.example.com`,
        tlp: 'green',
      }));
      await submit(n, [
        ...own,
        { indicator: `red-${n}.example.com`, tlp: 'red' },
        { indicator: `strict-${n}.example.com`, tlp: 'amber+strict' },
        { indicator: `team-${n}.example.com`, group: 'team' },
        { indicator: `fine-${n}.example.com`, tags: ['allowlist'] },
      ]);
      // Said again, by the same provider: nothing new.
      await submit(n, own);
    }
    await submit(1, [{ indicator: 'last.example.com', tlp: 'clear' }]);
    await foreign.line(/last\.example\.com/);
    const told = foreign.output('stdout').map((line) => JSON.parse(line) as Shown);
    const names = told.map(({ indicator }) => indicator);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => /^n\d-/.test(name))).toHaveLength(300);
    expect(names.filter((name) => !/^n\d-/.test(name))).toEqual(['last.example.com']);
    expect(told[0]).toMatchObject({
      itype: 'fqdn',
      tlp: 'green',
      group: 'everyone',
      count: 1,
      id: expect.any(String),
    });
  });

  test('is heard once by all nodes together, under its own name, and a word to one node is enough', async () => {
    await using foreign = await peer('honey pot/7');
    await using other = await peer('listener');
    for (let i = 0; i < 50; i++)
      foreign.write(
        JSON.stringify({ indicator: `h${i}.example.net`, provider: 'forged', group: 'team', tlp: 'green' }),
      );
    foreign.write('["one.example.net",{"indicator":"192.0.2.77"}]');
    foreign.write('no JSON, and no indicator');
    foreign.write('whisper {"indicator":"whispered.example.net"}');
    const values = [...Array.from({ length: 50 }, (_, i) => `h${i}`), 'one', 'whispered'].map(
      (n) => `${n}.example.net`,
    );
    for (const n of [1, 2, 3])
      for (const value of [...values, '192.0.2.77'])
        await eventually(value, async () => (await known(n, value))[0]);
    // Longer than the next in line would wait to take it as well.
    await new Promise((resolve) => setTimeout(resolve, 7_500));
    for (const n of [1, 2, 3]) {
      for (const value of values)
        expect(await known(n, value)).toMatchObject([
          { provider: 'honey-pot-7', group: 'everyone', count: 1 },
        ]);
      expect(await known(n, 'h1.example.net')).toMatchObject([{ tlp: 'green' }]);
    }
    // What came in so is new to the others, once, and to nobody again.
    const told = other.output('stdout').map((line) => (JSON.parse(line) as Shown).indicator);
    expect(told.filter((name) => name.endsWith('example.net')).sort()).toEqual([...values].sort());
    foreign.write(JSON.stringify({ indicator: 'h0.example.net' }));
    await eventually('it was counted', async () =>
      (await known(1, 'h0.example.net'))[0]?.count === 2 ? true : undefined,
    );
    expect(other.output('stdout').filter((line) => line.includes('"h0.example.net"'))).toHaveLength(1);
  });

  test('that knows one node only is heard all the same, by that node when the owner did not', async () => {
    await using foreign = await peer('lonely', [nodeAt(2)]);
    for (let i = 0; i < 12; i++) foreign.write(JSON.stringify({ indicator: `lonely-${i}.example.net` }));
    for (let i = 0; i < 12; i++)
      await eventually(`lonely-${i}`, async () => (await known(3, `lonely-${i}.example.net`))[0]);
    for (let i = 0; i < 12; i++)
      expect(await known(1, `lonely-${i}.example.net`)).toMatchObject([{ provider: 'lonely', count: 1 }]);
  });

  test('leaves, and nothing waits for it', async () => {
    const foreign = await peer('brief');
    await foreign.stop('SIGKILL');
    await submit(
      1,
      Array.from({ length: 500 }, (_, i) => `gone-${i}.example.org`),
    );
    await using again = await peer('next');
    await submit(1, ['after.example.org']);
    await again.line(/after\.example\.org/);
    expect(again.output('stdout')).toHaveLength(1);
  });

  test('is heard while a node dies, by the next in line for what was that node’s', async () => {
    const doomed = await fleet.add();
    await using foreign = await peer('witness', fleet.nodes);
    // Killed without a word: for half a minute the others take it for a member.
    await doomed.process.stop('SIGKILL');
    for (let i = 0; i < 20; i++) foreign.write(JSON.stringify({ indicator: `witness-${i}.example.net` }));
    for (let i = 0; i < 20; i++)
      await eventually(`witness-${i}`, async () => (await known(1, `witness-${i}.example.net`))[0]);
    for (let i = 0; i < 20; i++)
      expect(await known(2, `witness-${i}.example.net`)).toMatchObject([{ provider: 'witness', count: 1 }]);
  });
});
