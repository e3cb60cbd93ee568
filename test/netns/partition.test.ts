import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'vitest';
import { fullMesh, type LabNode, startLabNode } from '../support/lab-node.ts';
import { type Lab, labsUsable, startLab } from '../support/netlab.ts';

// What a network does to a mesh that stands.

const hosts = [1, 2, 3, 4, 5];
/** A peer expires after 30 s: both sides have given the other one up by then. */
const apartMs = 60_000;

describe.skipIf(!labsUsable())('a mesh of five hosts', { timeout: 170_000 }, () => {
  let lab: Lab;
  let directory: string;
  beforeEach(async () => {
    lab = await startLab({ hosts: hosts.length });
    directory = await mkdtemp(join(tmpdir(), 'tocsin-partition-'));
  });
  afterEach(async () => {
    await lab[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  function startOn(host: number, way: string, ...flags: readonly string[]): Promise<LabNode> {
    return startLabNode(lab, host, join(directory, `${way}-${host}`), [
      ...['--mesh-host', lab.address(host), '--discovery', way],
      ...flags,
    ]);
  }

  function startGossip(): Promise<readonly LabNode[]> {
    const seeds = ['--seeds', `tcp://${lab.address(1)}:5671`];
    return Promise.all(
      hosts.map((host) => startOn(host, 'gossip', ...(host === 1 ? ['--gossip-port', '5671'] : seeds))),
    );
  }

  test('a partition of 60 s heals by the one seed, and an interface that was down so long is used again by each way', async () => {
    const meshes = [
      await startGossip(),
      await Promise.all([4, 5].map((host) => startOn(host, 'beacon'))),
      await Promise.all([4, 5].map((host) => startOn(host, 'mdns'))),
    ];
    await Promise.all(meshes.map((nodes) => fullMesh(nodes, 20_000)));
    await lab.partition([1, 2], [3, 4]);
    await lab.setLink(5, 'down');
    await new Promise((resolve) => setTimeout(resolve, apartMs));
    await Promise.all(meshes.map((nodes) => nobodyBeyond(nodes)));
    await lab.heal();
    await lab.setLink(5, 'up');
    await Promise.all(meshes.map((nodes) => fullMesh(nodes, 40_000)));
  });

  test('losing 20 % of all frames costs no peer, neither when they meet nor later', async () => {
    await lab.lose(20);
    const nodes = await startGossip();
    await fullMesh(nodes, 40_000);
    const untilMs = performance.now() + 20_000;
    while (performance.now() < untilMs) await fullMesh(nodes, 0);
  });
});

/** Each node has given up whom it cannot reach; else the end of a partition would prove nothing. */
async function nobodyBeyond(nodes: readonly LabNode[]): Promise<void> {
  for (const { host, peers } of nodes) {
    const names = (await peers()).filter(({ ready }) => ready).map(({ name }) => name);
    const side = { 1: ['host-2'], 2: ['host-1'], 3: ['host-4'], 4: ['host-3'] }[host] ?? [];
    const beyond = names.filter((name) => !side.includes(name));
    if (beyond.length > 0) throw new Error(`host ${host} still has ${beyond.join(', ')}`);
  }
}
