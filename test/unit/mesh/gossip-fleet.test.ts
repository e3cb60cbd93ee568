import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../mesh/clock.ts';
import { gossipDiscovery } from '../../../mesh/discovery/gossip.ts';
import { type PeerId, peerIdFromBytes } from '../../../mesh/ids.ts';
import type { Mesh } from '../../../mesh/mesh.ts';
import { startMesh } from '../../../mesh/node.ts';
import { seededRandom, systemRandom } from '../../../mesh/random.ts';
import { simulatedClock, simulatedNetwork } from '../../../mesh/transport/simulated.ts';
import { udpDatagrams } from '../../../mesh/transport/udp.ts';
import { zeromqTransport } from '../../../mesh/transport/zeromq.ts';

const gossipPort = 5671;

/** Hosts h0, h1, ... on a simulated network, whose nodes know of one another by gossip alone. */
function startWorld(seed = 1) {
  const clock = simulatedClock(0);
  const random = seededRandom(seed);
  const network = simulatedNetwork(clock, random, { delayMsMin: 1, delayMsMax: 20, loss: 0, duplication: 0 });
  const running = new Map<string, Mesh>();
  const exits: string[] = [];

  async function start(host: string, seeds: readonly string[]): Promise<Mesh> {
    const mesh = await startMesh(
      {
        id: idOf(host),
        name: host,
        headers: new Map(),
        bind: `tcp://${host}:*`,
        discovery: [gossipDiscovery({ bind: `tcp://${host}:${gossipPort}`, seeds })],
      },
      { clock, random, transport: network.transport(host), datagrams: network.datagrams(host) },
    );
    mesh.subscribe((event) => {
      if (event.kind === 'peer-exited') exits.push(`${host}: ${event.name} ${event.reason}`);
    });
    running.set(host, mesh);
    return mesh;
  }

  async function runFor(ms: number): Promise<void> {
    const endMs = clock.monotonicMs() + ms;
    for (let steps = 0; ; steps++) {
      // Names are resolved by promises.
      if (steps % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
      if ((clock.nextMs() ?? Number.POSITIVE_INFINITY) > endMs) return;
      clock.step();
    }
  }

  /** Whom each host has as a peer that answers. */
  function views(): Record<string, readonly string[]> {
    const seen = [...running].map(
      ([host, mesh]) =>
        [
          host,
          mesh
            .peers()
            .flatMap(({ name, ready }) => (ready ? [name] : []))
            .sort(),
        ] as const,
    );
    return Object.fromEntries(seen);
  }

  function full(): Record<string, readonly string[]> {
    const hosts = [...running.keys()];
    return Object.fromEntries(hosts.map((host) => [host, hosts.filter((other) => other !== host).sort()]));
  }

  return {
    clock,
    network,
    exits,
    start,
    runFor,
    views,
    full,
    mesh: (host: string) => running.get(host),
    /** The host's power fails: nobody is told. */
    async crash(host: string): Promise<void> {
      network.crash(host);
      const mesh = running.get(host);
      running.delete(host);
      void mesh?.stop();
      await runFor(0);
    },
    async stop(): Promise<void> {
      const stopping = Promise.all([...running.values()].map((mesh) => mesh.stop()));
      await runFor(2_000);
      await stopping;
    },
  };
}

function idOf(host: string): PeerId {
  return peerIdFromBytes(Buffer.alloc(16, host));
}

function at(host: string): string {
  return `tcp://${host}:${gossipPort}`;
}

describe('hubs in a chain', () => {
  test('all hosts meet, and one that dies is forgotten everywhere when its lease ends', async () => {
    const world = startWorld();
    for (let i = 0; i < 6; i++) await world.start(`h${i}`, i === 0 ? [] : [at(`h${i - 1}`)]);
    await world.runFor(10_000);
    expect(world.views()).toEqual(world.full());
    await world.crash('h5');
    // Newcomers are told of it for a while, and must not make that while longer.
    await world.runFor(20_000);
    await world.start('n0', [at('h0')]);
    await world.runFor(11_000);
    for (const host of ['n0', 'h0', 'h4']) await world.start(`after-${host}`, [at(host)]);
    await world.runFor(10_000);
    expect(world.views()).toEqual(world.full());
    for (const host of ['after-n0', 'after-h0', 'after-h4'])
      expect(
        world
          .mesh(host)
          ?.peers()
          .map(({ id }) => id),
      ).not.toContain(idOf('h5'));
    await world.stop();
    expect(world.clock.pending).toBe(0);
  });

  test('owners keep their entries alive over all hubs: a newcomer after an hour meets all at once', async () => {
    const world = startWorld();
    for (let i = 0; i < 5; i++) await world.start(`h${i}`, i === 0 ? [] : [at(`h${i - 1}`)]);
    await world.runFor(60 * 60_000);
    await world.start('n', [at('h4')]);
    await world.runFor(2_000);
    expect(world.views()).toEqual(world.full());
    expect(world.exits).toEqual([]);
    await world.stop();
  });
});

describe('seeds', () => {
  test('one that comes up later, or again, is found then', async () => {
    const world = startWorld();
    await world.start('h1', [at('h0')]);
    await world.start('h2', [at('h0')]);
    await world.runFor(5 * 60_000);
    expect(world.views()).toEqual({ h1: [], h2: [] });
    await world.start('h0', []);
    await world.runFor(15_000);
    expect(world.views()).toEqual(world.full());
    await world.stop();
  });

  test('a name that stands for all hosts, ourselves too, makes a full mesh; so do those that join and leave the answer', async () => {
    const world = startWorld();
    const hosts = Array.from({ length: 12 }, (_, i) => `h${i}`);
    world.network.names.set('mesh.test', [...hosts, 'dead-1', 'dead-2']);
    for (const host of hosts) await world.start(host, [`dns://mesh.test:${gossipPort}`]);
    await world.runFor(60_000);
    expect(world.views()).toEqual(world.full());
    await world.crash('h3');
    world.network.names.set('mesh.test', [...hosts.filter((host) => host !== 'h3'), 'late']);
    await world.start('late', [`dns://mesh.test:${gossipPort}`]);
    await world.runFor(90_000);
    expect(world.views()).toEqual(world.full());
    await world.stop();
    expect(world.clock.pending).toBe(0);
  });

  test('names that do not resolve at first are asked until they do, and when they do not any more nobody is lost', async () => {
    const world = startWorld();
    world.network.names.set('mesh.test', []);
    for (const host of ['h0', 'h1', 'h2']) await world.start(host, [`dns://mesh.test:${gossipPort}`]);
    await world.runFor(60_000);
    expect(world.mesh('h0')?.counters().get('dns no-such-name')).toBeGreaterThan(3);
    world.network.names.set('mesh.test', ['h0', 'h1']);
    await world.runFor(60_000);
    expect(world.views()).toEqual(world.full());
    world.network.names.set('mesh.test', []);
    await world.runFor(30 * 60_000);
    expect(world.views()).toEqual(world.full());
    expect(world.exits).toEqual([]);
    await world.stop();
  });

  test('halves that were apart for ten minutes meet again by a name, whomever each had chosen meanwhile', async () => {
    const world = startWorld();
    const hosts = Array.from({ length: 10 }, (_, i) => `h${i}`);
    world.network.names.set('mesh.test', hosts);
    for (const host of hosts) await world.start(host, [`dns://mesh.test:${gossipPort}`]);
    await world.runFor(30_000);
    world.network.partition([hosts.slice(0, 5), hosts.slice(5)]);
    await world.runFor(10 * 60_000);
    expect(world.views()['h0']).toEqual(hosts.slice(1, 5));
    world.network.heal();
    await world.runFor(60_000);
    expect(world.views()).toEqual(world.full());
    await world.stop();
  });
});

describe('peers that nothing names any more', () => {
  test('meet again from memory after an hour less than they are remembered for: their one seed is dead for good', async () => {
    const world = startWorld();
    await world.start('h0', []);
    for (const host of ['h1', 'h2']) await world.start(host, [at('h0')]);
    await world.runFor(30_000);
    await world.crash('h0');
    world.network.partition([['h1'], ['h2']]);
    await world.runFor(30 * 60_000);
    expect(world.views()).toEqual({ h1: [], h2: [] });
    world.network.heal();
    await world.runFor(6 * 60_000);
    expect(world.views()).toEqual(world.full());
    await world.stop();
  });
});

describe('over real sockets', () => {
  const stops: (() => unknown)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });

  async function start(name: string, bind: string, seeds: readonly string[]): Promise<Mesh> {
    const mesh = await startMesh(
      {
        id: peerIdFromBytes(systemRandom.bytes(16)),
        name,
        headers: new Map(),
        bind: 'tcp://127.0.0.1:*',
        discovery: [gossipDiscovery({ bind, seeds })],
      },
      { clock: systemClock, random: systemRandom, transport: zeromqTransport(), datagrams: udpDatagrams() },
    );
    stops.push(() => mesh.stop());
    return mesh;
  }

  /** A balancer in front of hubs: counts who comes, and takes each to the next hub. */
  async function startBalancer(hubs: () => readonly number[]) {
    const sockets = new Set<Socket>();
    const state = { connections: 0, open: 0 };
    const { connect } = await import('node:net');
    const server: Server = createServer((from) => {
      const ports = hubs();
      state.open++;
      from.on('close', () => state.open--);
      const to = connect(ports[state.connections++ % ports.length] ?? 1, '127.0.0.1');
      for (const [socket, other] of [
        [from, to],
        [to, from],
      ] as const) {
        sockets.add(socket);
        socket.pipe(other);
        socket.on('error', () => other.destroy());
        socket.on('close', () => other.destroy());
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    stops.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    return { state, endpoint: `tcp://127.0.0.1:${port}` };
  }

  test('a hub that is led to itself by a balancer notices and lets go', async () => {
    const ports: number[] = [];
    const balancer = await startBalancer(() => ports);
    const mesh = await start('a', 'tcp://127.0.0.1:*', [balancer.endpoint]);
    ports.push(Number(mesh.discoveryEndpoints.get('gossip')?.split(':').at(-1)));
    const untilMs = performance.now() + 10_000;
    let quietSinceMs = performance.now();
    let seen = -1;
    // It dials again until it meets itself, and not after that.
    while (performance.now() < untilMs && performance.now() - quietSinceMs < 2_000) {
      if (balancer.state.connections !== seen) {
        seen = balancer.state.connections;
        quietSinceMs = performance.now();
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(balancer.state.connections).toBeGreaterThan(0);
    expect(balancer.state.open).toBe(0);
    expect(performance.now()).toBeLessThan(untilMs);
  });

  test('a hub does not even dial its own address', async () => {
    const port = await freePort();
    const mesh = await start('a', `tcp://0.0.0.0:${port}`, [`tcp://127.0.0.1:${port}`]);
    const other = await start('b', 'tcp://127.0.0.1:*', [`tcp://127.0.0.1:${port}`]);
    const meets = (one: Mesh) => one.peers().some(({ ready }) => ready);
    while (!meets(other) || !meets(mesh)) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(mesh.peers().map(({ name }) => name)).toEqual(['b']);
    expect(mesh.counters().size).toBe(0);
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}
