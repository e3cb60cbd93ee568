import { randomBytes } from 'node:crypto';
import {
  type Discovery,
  gossipDiscovery,
  type Mesh,
  peerIdFromBytes,
  startMesh,
  systemClock,
  systemRandom,
  udpDatagrams,
  zeromqTransport,
} from 'tocsin/mesh';
import { describe, expect, test } from 'vitest';
import { spawnLines } from '../support/process.ts';
import { buildCzmqPeer, czmqPeer } from './czmq-peer.ts';

// Our node between peers that nobody here wrote: czmq's zgossip, as hub and as client, and its zbeacon.

const built = buildCzmqPeer();
const stranger = 'CC'.repeat(16);
const parts = {
  clock: systemClock,
  random: systemRandom,
  transport: zeromqTransport(),
  datagrams: udpDatagrams(),
};

/** Leases of seconds instead of half a minute. */
const quick = { leaseMs: 3_000, renewEveryMs: 500 };

function startNode(discovery: Discovery): Promise<Mesh> {
  return startMesh(
    {
      id: peerIdFromBytes(randomBytes(16)),
      name: 'ours',
      headers: new Map(),
      bind: 'tcp://127.0.0.1:*',
      discovery: [discovery],
    },
    parts,
  );
}

/** Resolves once the node has dialled a peer that never answers. */
function dialled(mesh: Mesh, id: string): Promise<string> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const peer = mesh.peers().find((known) => known.id === id);
      if (peer === undefined) return;
      clearInterval(timer);
      resolve(peer.endpoint);
    }, 20);
  });
}

describe.skipIf(!built)('our gossip and czmq’s', () => {
  test('as a client of a czmq hub we teach it our endpoint and learn what it holds', async () => {
    await using hub = await spawnLines(czmqPeer, ['hub', 'tcp://127.0.0.1:*', stranger, 'tcp://127.0.0.1:1']);
    const endpoint = (await hub.line(/^bound /)).slice('bound '.length);
    await using ours = await startNode(gossipDiscovery({ bind: 'tcp://127.0.0.1:*', seeds: [endpoint] }));
    expect(await hub.line(new RegExp(`^tuple ${ours.id} `))).toBe(`tuple ${ours.id} ${ours.endpoint}`);
    expect(await dialled(ours, stranger)).toBe('tcp://127.0.0.1:1');
  });

  test('a czmq hub that forgets silent clients still knows us after two seconds', async () => {
    await using hub = await spawnLines(czmqPeer, ['hub', 'tcp://127.0.0.1:*']);
    const endpoint = (await hub.line(/^bound /)).slice('bound '.length);
    await using ours = await startNode(gossipDiscovery({ bind: 'tcp://127.0.0.1:*', seeds: [endpoint] }));
    await hub.line(/^tuple /);
    // The hub's own limit is one second of silence; only our PINGs keep us in its memory.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    hub.write(`publish ${stranger} tcp://127.0.0.1:1`);
    expect(await dialled(ours, stranger)).toBe('tcp://127.0.0.1:1');
  });

  test('as a hub we serve a czmq client both ways', async () => {
    await using ours = await startNode(gossipDiscovery({ bind: 'tcp://127.0.0.1:*', seeds: [] }));
    const endpoint = ours.discoveryEndpoints.get('gossip') ?? '';
    await using client = await spawnLines(czmqPeer, ['client', endpoint, stranger, 'tcp://127.0.0.1:1']);
    expect(await client.line(new RegExp(`^tuple ${ours.id} `))).toBe(`tuple ${ours.id} ${ours.endpoint}`);
    expect(await dialled(ours, stranger)).toBe('tcp://127.0.0.1:1');
  });

  test('a czmq hub that is started anew at the same place is taught our endpoint again', async () => {
    const first = await spawnLines(czmqPeer, ['hub', 'tcp://127.0.0.1:*']);
    const endpoint = (await first.line(/^bound /)).slice('bound '.length);
    await using ours = await startNode(gossipDiscovery({ bind: 'tcp://127.0.0.1:*', seeds: [endpoint] }));
    await first.line(/^tuple /);
    await first.stop('SIGKILL');
    await using again = await spawnLines(czmqPeer, ['hub', endpoint]);
    expect(await again.line(new RegExp(`^tuple ${ours.id} `))).toBe(`tuple ${ours.id} ${ours.endpoint}`);
  });

  test('a czmq hub that hangs is given up, and found again when it runs on', async () => {
    await using hub = await spawnLines(czmqPeer, ['hub', 'tcp://127.0.0.1:*']);
    const endpoint = (await hub.line(/^bound /)).slice('bound '.length);
    await using ours = await startNode(gossipDiscovery({ bind: 'tcp://127.0.0.1:*', seeds: [endpoint] }));
    await hub.line(/^tuple /);
    process.kill(hub.pid, 'SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 7_000));
    process.kill(hub.pid, 'SIGCONT');
    hub.write(`publish ${stranger} tcp://127.0.0.1:1`);
    expect(await dialled(ours, stranger)).toBe('tcp://127.0.0.1:1');
  });

  test('beyond a czmq hub, which hands no renewal on, living nodes stay known and a dead one is forgotten', async () => {
    await using hub = await spawnLines(czmqPeer, ['hub', 'tcp://127.0.0.1:*']);
    const middle = (await hub.line(/^bound /)).slice('bound '.length);
    const bind = 'tcp://127.0.0.1:*';
    await using near = await startNode(gossipDiscovery({ bind, seeds: [middle], timing: quick }));
    await using far = await startNode(gossipDiscovery({ bind, seeds: [middle], timing: quick }));
    await dialled(far, near.id);
    // The hub teaches this one for ever; the node that hears of it does so for one lease.
    hub.write(`publish ${stranger} tcp://127.0.0.1:1`);
    await dialled(far, stranger);
    await new Promise((resolve) => setTimeout(resolve, 2 * quick.leaseMs));
    const seeds = [far.discoveryEndpoints.get('gossip') ?? ''];
    await using newcomer = await startNode(gossipDiscovery({ bind, seeds, timing: quick }));
    expect(await dialled(newcomer, near.id)).toBe(near.endpoint);
    expect(newcomer.peers().map(({ id }) => id)).not.toContain(stranger);
  });
});
