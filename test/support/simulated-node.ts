import { MemoryLevel } from 'memory-level';
import {
  beaconDiscovery,
  type Mesh,
  peerIdFromBytes,
  type SimulatedClock,
  type SimulatedNetwork,
  seededRandom,
  simulatedNetwork,
  startMesh,
} from 'tocsin/mesh';
import { hybridClock } from '../../src/event/hlc.ts';
import type { Identity } from '../../src/event/identity.ts';
import type { ReplicateLimits } from '../../src/replicate/limits.ts';
import { type Replicator, startReplicator } from '../../src/replicate/replicator.ts';
import { openStore } from '../../src/store/level-store.ts';
import type { IndicatorStore } from '../../src/store/store.ts';

/*
 * Nodes that replicate over a simulated network on which nothing goes wrong, without intake and without faults; the fleet
 * under test/sim has both.
 */

export function quietNetwork(clock: SimulatedClock, seed: number): SimulatedNetwork {
  return simulatedNetwork(clock, seededRandom(seed), {
    delayMsMin: 1,
    delayMsMax: 5,
    loss: 0,
    duplication: 0,
  });
}

export type SimulatedNode = {
  readonly store: IndicatorStore;
  /** Replication begins with the first call. A warning or a lost identity throws. */
  start(): Replicator;
  /** Steps the clock until it has stopped. */
  stop(): Promise<void>;
};

export type SimulatedNodeOptions = {
  readonly limits?: ReplicateLimits;
  /** What replication gets in the place of the mesh. */
  readonly around?: (mesh: Mesh) => Mesh;
};

export async function startSimulatedNode(
  host: string,
  identity: Identity,
  network: SimulatedNetwork,
  clock: SimulatedClock,
  { limits, around = (mesh) => mesh }: SimulatedNodeOptions = {},
): Promise<SimulatedNode> {
  const { nodeId: origin } = identity;
  const random = seededRandom(Number.parseInt(origin.slice(0, 8), 16));
  const store = await openStore(new MemoryLevel<string, string>());
  const mesh = await startMesh(
    {
      id: peerIdFromBytes(Buffer.from(origin, 'hex')),
      identity,
      name: host,
      headers: new Map(),
      bind: `tcp://${host}:*`,
      discovery: [
        beaconDiscovery({ port: 5670, broadcastAddresses: () => ['everyone'], accepts: () => true }),
      ],
    },
    { clock, random, transport: network.transport(host), datagrams: network.datagrams(host) },
  );
  let replicator: Replicator | undefined;
  const fail = (reason: string): never => {
    throw new Error(reason);
  };
  return {
    store,
    start() {
      replicator ??= startReplicator({
        mesh: around(mesh),
        store,
        hybridClock: hybridClock(clock, store.lastHlc()),
        clock,
        random,
        origin,
        windowMs: 7 * 24 * 60 * 60_000,
        sayAnew: async () => {},
        onIdentityLost: fail,
        warn: fail,
        ...(limits && { limits }),
      });
      return replicator;
    },
    async stop() {
      let stopped = false;
      const stopping = Promise.all([replicator?.stop(), mesh.stop()]).finally(() => {
        stopped = true;
      });
      await stepUntil(clock, () => stopped);
      await stopping;
      await store.close();
    },
  };
}

/** Steps until it is so, or until nothing is left to happen. */
export async function stepUntil(clock: SimulatedClock, isSo: () => boolean): Promise<void> {
  while (!isSo() && clock.step()) {
    // What a step set going on a disk in memory ends before the next one.
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

export async function stepFor(clock: SimulatedClock, ms: number): Promise<void> {
  let reached = false;
  clock.after(ms, () => {
    reached = true;
  });
  await stepUntil(clock, () => reached);
}
