import { generateKeyPairSync, sign } from 'node:crypto';
import { expect, test } from 'vitest';
import { beaconDiscovery } from '../../../mesh/discovery/beacon.ts';
import { type PeerId, peerIdFromBytes, peerIdToBytes } from '../../../mesh/ids.ts';
import type { Mesh } from '../../../mesh/mesh.ts';
import { startMesh } from '../../../mesh/node.ts';
import { seededRandom } from '../../../mesh/random.ts';
import { securityHeaders } from '../../../mesh/security/hello.ts';
import { type Identity, idOfPublicKey } from '../../../mesh/security/identity.ts';
import { type SimulatedClock, simulatedClock, simulatedNetwork } from '../../../mesh/transport/simulated.ts';
import { encodeBeacon } from '../../../mesh/wire/beacon.ts';
import { encodeZre } from '../../../mesh/wire/zre.ts';
import { stepUntil } from '../../support/simulated-node.ts';

// A mesh in clear, where anybody can say anything: an id stays with whom it was first.
const random = seededRandom(1);
const evilEndpoint = 'tcp://evil:6666';

function newWorld() {
  const clock = simulatedClock(0);
  const network = simulatedNetwork(clock, random, { delayMsMin: 1, delayMsMax: 2, loss: 0, duplication: 0 });
  return { clock, network };
}
type World = ReturnType<typeof newWorld>;

async function start(
  { clock, network }: World,
  host: string,
  id: PeerId,
  identity?: Identity,
): Promise<Mesh> {
  return startMesh(
    {
      id,
      name: host,
      headers: new Map(),
      bind: `tcp://${host}:*`,
      discovery: [beaconDiscovery({ port: 5670, broadcastAddresses: () => ['all'], accepts: () => true })],
      ...(identity && { identity }),
    },
    { clock, random, transport: network.transport(host), datagrams: network.datagrams(host) },
  );
}

function newIdentity(): Identity {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  return { publicKey: raw, sign: (bytes) => sign(undefined, bytes, privateKey) };
}

function run(clock: SimulatedClock, ms: number): void {
  const endMs = clock.monotonicMs() + ms;
  while ((clock.nextMs() ?? Number.POSITIVE_INFINITY) <= endMs) clock.step();
}

/** Says HELLO to `to` in the name of `id`, from another host. */
function impersonate(
  { network }: World,
  to: Mesh,
  id: PeerId,
  headers: Iterable<readonly [string, string]>,
): void {
  const link = network.transport('evil').dial(to.endpoint, {
    routingId: Uint8Array.from([1, ...peerIdToBytes(id)]),
    queueMessagesMax: 10,
    queueBytesMax: 10_000,
  });
  link.send(
    encodeZre({
      kind: 'hello',
      sequence: 1,
      endpoint: evilEndpoint,
      groups: [],
      status: 0,
      name: 'evil',
      headers: new Map(headers),
    }),
  );
}

test('nobody takes the id of a node that has shown that it is its own, alive or gone', async () => {
  const world = newWorld();
  const identity = newIdentity();
  const id = idOfPublicKey(identity.publicKey);
  const observer = await start(world, 'observer', peerIdFromBytes(random.bytes(16)));
  const owner = await start(world, 'owner', id, identity);
  run(world.clock, 100);
  expect(observer.peers()).toMatchObject([{ name: 'owner', ready: true }]);

  impersonate(world, observer, id, []);
  impersonate(
    world,
    observer,
    id,
    securityHeaders({ endpoint: evilEndpoint, publicKey: undefined }, id, newIdentity()),
  );
  run(world.clock, 100);
  expect(observer.counters().get('id-taken')).toBe(1);
  expect(observer.counters().get('forged-hello')).toBe(1);
  expect(observer.peers()).toMatchObject([{ name: 'owner', ready: true }]);

  let stopped = false;
  void owner.stop().then(() => {
    stopped = true;
  });
  await stepUntil(world.clock, () => stopped);
  // Its goodbye went to a connection that the stranger has taken over: its silence tells.
  await stepUntil(world.clock, () => observer.peers().length === 0);
  impersonate(world, observer, id, []);
  run(world.clock, 100);
  expect(observer.counters().get('id-taken')).toBe(2);
  expect(observer.peers()).toEqual([]);
});

test('nobody takes the id of a stock peer that lives; when it is gone, the id is free', async () => {
  const world = newWorld();
  const id = peerIdFromBytes(random.bytes(16));
  const observer = await start(world, 'observer', peerIdFromBytes(random.bytes(16)));
  await start(world, 'owner', id);
  run(world.clock, 20_000);
  impersonate(world, observer, id, []);
  run(world.clock, 100);
  expect(observer.counters().get('id-taken')).toBe(1);
  expect(observer.peers()).toMatchObject([{ name: 'owner', ready: true }]);

  world.network.partition([['owner'], ['observer', 'evil']]);
  // Its last beacon lets it be silent for this long.
  run(world.clock, 12_500);
  impersonate(world, observer, id, []);
  run(world.clock, 10);
  expect(observer.peers()).toMatchObject([{ name: 'evil' }]);
});

test('a goodbye beacon in another’s name removes nobody', async () => {
  const world = newWorld();
  const id = peerIdFromBytes(random.bytes(16));
  const observer = await start(world, 'observer', peerIdFromBytes(random.bytes(16)));
  await start(world, 'owner', id);
  run(world.clock, 100);
  const socket = await world.network.datagrams('owner').open({ port: 5670, onDatagram: () => {} });
  socket.send(encodeBeacon({ version: 1, id, port: 0 }), 'all');
  run(world.clock, 60_000);
  expect(observer.peers()).toMatchObject([{ name: 'owner', ready: true }]);
});
