import { randomBytes } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../../mesh/clock.ts';
import { beaconDiscovery, beaconOptionsFor } from '../../../mesh/discovery/beacon.ts';
import type { Discovery } from '../../../mesh/discovery/discovery.ts';
import { gossipDiscovery } from '../../../mesh/discovery/gossip.ts';
import type { MeshEvent } from '../../../mesh/events.ts';
import { peerIdFromBytes } from '../../../mesh/ids.ts';
import type { Mesh } from '../../../mesh/mesh.ts';
import { startMesh } from '../../../mesh/node.ts';
import { systemRandom } from '../../../mesh/random.ts';
import { udpDatagrams } from '../../../mesh/transport/udp.ts';
import { zeromqTransport } from '../../../mesh/transport/zeromq.ts';

// Real ZeroMQ and UDP sockets on loopback.
const parts = {
  clock: systemClock,
  random: systemRandom,
  transport: zeromqTransport(),
  datagrams: udpDatagrams(),
};
const running: Mesh[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((mesh) => mesh.stop()));
});

async function start(name: string, discovery: readonly Discovery[]): Promise<Mesh> {
  const mesh = await startMesh(
    {
      id: peerIdFromBytes(randomBytes(16)),
      name,
      headers: new Map([['X-ROLE', name]]),
      bind: 'tcp://127.0.0.1:*',
      discovery,
    },
    parts,
  );
  running.push(mesh);
  return mesh;
}

/** Resolves with the first event that `wanted` accepts. */
function heard<E extends MeshEvent>(mesh: Mesh, wanted: (event: MeshEvent) => event is E): Promise<E> {
  return new Promise((resolve) => {
    mesh.subscribe((event) => {
      if (wanted(event)) resolve(event);
    });
  });
}

function isKind<K extends MeshEvent['kind']>(kind: K) {
  return (event: MeshEvent): event is Extract<MeshEvent, { kind: K }> => event.kind === kind;
}

test('two nodes find one another by beacon, whisper, shout, and say goodbye', async () => {
  const port = 20_000 + Math.floor(Math.random() * 20_000);
  const beacon = () => [beaconDiscovery(beaconOptionsFor('127.0.0.1', port))];
  const a = await start('a', beacon());
  a.join('CHAT');
  const b = await start('b', beacon());
  const joined = await heard(b, isKind('peer-joined'));
  expect(joined).toEqual({ kind: 'peer-joined', id: a.id, group: 'CHAT' });
  expect(b.peers()[0]).toMatchObject({ name: 'a', ready: true, groups: ['CHAT'] });

  await heard(a, isKind('peer-entered'));
  // It was b's beacon that made a greet; a's own may still be a second away.
  expect(a.peers()[0]?.foundBy).toEqual(['beacon']);
  const shouted = heard(a, isKind('shout'));
  expect(b.shout('CHAT', [Buffer.from('hi'), Buffer.alloc(0)])).toBe(1);
  expect((await shouted).content.map(String)).toEqual(['hi', '']);
  const whispered = heard(b, isKind('whisper'));
  expect(a.whisper(b.id, [Buffer.from('psst')])).toBe(true);
  expect(String((await whispered).content[0])).toBe('psst');

  const exited = heard(a, isKind('peer-exited'));
  await b.stop();
  expect(await exited).toMatchObject({ id: b.id, name: 'b', reason: 'goodbye' });
});

test('three nodes meet through the gossip of one', async () => {
  const seed = await start('seed', [gossipDiscovery({ bind: 'tcp://127.0.0.1:*', seeds: [] })]);
  const at = seed.discoveryEndpoints.get('gossip') ?? '';
  const b = await start('b', [gossipDiscovery({ bind: 'tcp://127.0.0.1:*', seeds: [at] })]);
  const c = await start('c', [gossipDiscovery({ bind: 'tcp://127.0.0.1:*', seeds: [at] })]);
  const meets = (mesh: Mesh, name: string) =>
    heard(
      mesh,
      (event): event is Extract<MeshEvent, { kind: 'peer-entered' }> =>
        event.kind === 'peer-entered' && event.peer.name === name,
    );
  await Promise.all([meets(b, 'c'), meets(c, 'b'), meets(seed, 'b'), meets(seed, 'c')]);
  expect(b.peers()).toHaveLength(2);
});
