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
});
