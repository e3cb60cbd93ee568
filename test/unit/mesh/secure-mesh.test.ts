import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, expect, test } from 'vitest';
import { Context, Dealer } from 'zeromq';
import { systemClock } from '../../../mesh/clock.ts';
import { gossipDiscovery } from '../../../mesh/discovery/gossip.ts';
import type { MeshEvent } from '../../../mesh/events.ts';
import { type PeerId, peerIdFromBytes } from '../../../mesh/ids.ts';
import type { Mesh } from '../../../mesh/mesh.ts';
import { startMesh } from '../../../mesh/node.ts';
import { systemRandom } from '../../../mesh/random.ts';
import { type CurvePair, curvePairOf } from '../../../mesh/security/curve.ts';
import { udpDatagrams } from '../../../mesh/transport/udp.ts';
import { zeromqTransport } from '../../../mesh/transport/zeromq.ts';

// Real ZeroMQ sockets on loopback.
const transport = zeromqTransport();
const parts = { clock: systemClock, random: systemRandom, transport, datagrams: udpDatagrams() };
const [oldPair, newPair] = [pairOf(1), pairOf(2)];
const running: Mesh[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((mesh) => mesh.stop()));
});

function pairOf(fill: number): CurvePair {
  return curvePairOf(new Uint8Array(32).fill(fill));
}

async function start(keys: readonly CurvePair[], seeds: readonly string[] = []): Promise<Mesh> {
  const mesh = await startMesh(
    {
      id: peerIdFromBytes(systemRandom.bytes(16)),
      name: 'node',
      headers: new Map(),
      bind: 'tcp://127.0.0.1:*',
      discovery: [gossipDiscovery({ bind: 'tcp://127.0.0.1:*', seeds })],
      keys,
    },
    parts,
  );
  running.push(mesh);
  return mesh;
}

function gossipOf(mesh: Mesh): string {
  return mesh.discoveryEndpoints.get('gossip') ?? '';
}

function told(mesh: Mesh, isIt: (event: MeshEvent) => boolean): Promise<MeshEvent> {
  return new Promise((resolve) => {
    const end = mesh.subscribe((event) => {
      if (!isIt(event)) return;
      resolve(event);
      queueMicrotask(() => end());
    });
  });
}

function entered(mesh: Mesh, id: PeerId): Promise<MeshEvent> {
  return told(mesh, (event) => event.kind === 'peer-entered' && event.peer.id === id);
}

/** Each sees the other, and hears it. */
async function meet(a: Mesh, b: Mesh): Promise<void> {
  await Promise.all([entered(a, b.id), entered(b, a.id)]);
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    const heard = told(to, (event) => event.kind === 'whisper' && event.from === from.id);
    expect(from.whisper(to.id, [Buffer.from('hello')])).toBe(true);
    await heard;
  }
}

test('nodes with one key meet', async () => {
  const a = await start([newPair]);
  await meet(a, await start([newPair], [gossipOf(a)]));
});

test.each([
  ['old and both', [oldPair], [newPair, oldPair]],
  ['both and old', [newPair, oldPair], [oldPair]],
  ['both and both', [newPair, oldPair], [newPair, oldPair]],
  // Whoever has both dials either: in the second step the seeds come first.
  ['new and both', [newPair], [newPair, oldPair]],
])('while keys rotate, %s meet', async (_what, seed, other) => {
  const a = await start(seed);
  await meet(a, await start(other, [gossipOf(a)]));
});

test('old and new never meet', async () => {
  const both = await start([newPair, oldPair]);
  const old = await start([oldPair], [gossipOf(both)]);
  const fresh = await start([newPair]);
  const dialler = await start([newPair, oldPair], [gossipOf(fresh), gossipOf(both)]);
  await Promise.all([entered(dialler, both.id), entered(dialler, old.id), entered(dialler, fresh.id)]);
  await Promise.all([entered(both, fresh.id), entered(fresh, both.id)]);
  expect(old.peers().map(({ id }) => id)).not.toContain(fresh.id);
  expect(fresh.peers().map(({ id }) => id)).not.toContain(old.id);
});

async function refusedBy(mesh: Mesh, dial: () => void): Promise<string> {
  const refused = told(mesh, (event) => event.kind === 'stranger-refused');
  dial();
  const event = await refused;
  return event.kind === 'stranger-refused' ? event.reason : '';
}

test.each([
  ['another key', 'wrong-key', [oldPair]],
  ['no key', 'no-key', []],
] as const)('a node with %s is turned away, counted and not seen', async (_what, reason, keys) => {
  const mesh = await start([newPair]);
  const stranger = await start(keys);
  const link = transport.dial(mesh.endpoint, {
    pair: keys[0],
    queueMessagesMax: 10,
    queueBytesMax: 1_000,
    onRefused: () => {},
  });
  expect(await refusedBy(mesh, () => link.send([Buffer.from('hello')]))).toBe(reason);
  expect(mesh.counters().get(reason)).toBeGreaterThan(0);
  expect(mesh.peers()).toEqual([]);
  expect(stranger.peers()).toEqual([]);
  await link.close(0);
});

test('who has the public key of the mesh and not its secret is turned away', async () => {
  const mesh = await start([newPair]);
  const dealer = new Dealer({
    context: new Context(),
    linger: 0,
    curveServerKey: newPair.publicKey,
    curvePublicKey: oldPair.publicKey,
    curveSecretKey: oldPair.secretKey,
  });
  expect(await refusedBy(mesh, () => dealer.connect(mesh.endpoint))).toBe('wrong-key');
  dealer.close();
});

test('strangers that are no nodes cost nobody anything', async () => {
  const mesh = await start([newPair]);
  const [, port = ''] = /:(\d+)$/.exec(mesh.endpoint) ?? [];
  const garbage = connect(Number(port), '127.0.0.1');
  const silent = connect(Number(port), '127.0.0.1');
  garbage.on('error', () => {});
  silent.on('error', () => {});
  const ended = new Promise((resolve) => garbage.on('close', resolve));
  garbage.write(Buffer.alloc(4_096, 0x41));
  garbage.resume();
  await ended;
  await meet(mesh, await start([newPair], [gossipOf(mesh)]));
  silent.destroy();
});

const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
);
if (!hasIpv6) console.log('skipped: this machine has no IPv6 loopback');

test.skipIf(!hasIpv6)('a mailbox at an IPv6 address is dialled there', async () => {
  let hear: (text: string) => void = () => {};
  const heard = new Promise<string>((resolve) => {
    hear = resolve;
  });
  const listener = await transport.listen('tcp://[::1]:*', { pair: newPair, frameBytesMax: 1_000 });
  listener.receive((_from, frames) => hear(String(frames[0])));
  const link = transport.dial(listener.endpoint, { pair: newPair, queueMessagesMax: 1, queueBytesMax: 100 });
  link.send([Buffer.from('hello')]);
  expect(await heard).toBe('hello');
  await link.close(0);
  await listener.close();
});
