import { MemoryLevel } from 'memory-level';
import {
  beaconDiscovery,
  peerIdFromBytes,
  type SimulatedClock,
  type SimulatedNetwork,
  seededRandom,
  simulatedClock,
  simulatedNetwork,
  startMesh,
} from 'tocsin/mesh';
import { expect, test } from 'vitest';
import { hlcMs, hybridClock } from '../../../src/event/hlc.ts';
import { replicateLimits } from '../../../src/replicate/limits.ts';
import { startReplicator } from '../../../src/replicate/replicator.ts';
import { openStore } from '../../../src/store/level-store.ts';
import { batchesOf, identityOf, observation } from '../../contract/store-contract.ts';

const batches = Array.from({ length: 40 }, (_, i) =>
  batchesOf(identityOf(1), i + 1, [observation(`h${i}.example.com`)]),
).flat();
/** Each question brings one batch, so that there are many. */
const limits = { ...replicateLimits, snapshotEventsMin: 3, creditBytes: 1 };

async function startNode(n: number, network: SimulatedNetwork, clock: SimulatedClock) {
  const random = seededRandom(n);
  const { nodeId: origin } = identityOf(n);
  const store = await openStore(new MemoryLevel<string, string>());
  const mesh = await startMesh(
    {
      id: peerIdFromBytes(Buffer.from(origin, 'hex')),
      name: `h${n}`,
      headers: new Map(),
      bind: `tcp://h${n}:*`,
      discovery: [
        beaconDiscovery({ port: 5670, broadcastAddresses: () => ['everyone'], accepts: () => true }),
      ],
    },
    { clock, random, transport: network.transport(`h${n}`), datagrams: network.datagrams(`h${n}`) },
  );
  return {
    store,
    mesh,
    start: () =>
      startReplicator({
        mesh,
        store,
        hybridClock: hybridClock(clock, store.lastHlc()),
        clock,
        random,
        origin,
        limits,
        windowMs: 7 * 24 * 60 * 60_000,
        sayAnew: async () => {},
        onIdentityLost: (reason) => expect.fail(reason),
        warn: (message) => expect.fail(message),
      }),
  };
}

test('a newcomer asks for one part of the newest events after the other, and waits for no tick between them', async () => {
  const clock = simulatedClock(hlcMs(batches.at(-1)?.lastHlc ?? 0n));
  const network = simulatedNetwork(clock, seededRandom(1), {
    delayMsMin: 1,
    delayMsMax: 5,
    loss: 0,
    duplication: 0,
  });
  const run = async (until: () => boolean): Promise<void> => {
    while (!until() && clock.step()) await new Promise<void>((resolve) => setImmediate(resolve));
  };
  const [full, newcomer] = [await startNode(1, network, clock), await startNode(2, network, clock)];
  await full.store.commit(batches);
  const replicators = [full.start(), newcomer.start()];
  await run(() => newcomer.store.count() === batches.length);
  const snapshotMs = clock.monotonicMs();
  const gap = newcomer.store.lastPosition();
  await run(
    () => newcomer.store.lastPosition() === gap + batches.length || clock.monotonicMs() > snapshotMs + 60_000,
  );
  // A question, its answer and a write take no 20 ms.
  expect(clock.monotonicMs() - snapshotMs).toBeLessThan(batches.length * 20);
  expect(replicators[1]?.status().ready).toBe(true);
  for (const [i, { mesh, store }] of [full, newcomer].entries()) {
    let stopped = false;
    void Promise.all([replicators[i]?.stop(), mesh.stop()]).then(() => {
      stopped = true;
    });
    await run(() => stopped);
    await store.close();
  }
});
