import { simulatedClock } from 'tocsin/mesh';
import { expect, test } from 'vitest';
import { hlcMs } from '../../../src/event/hlc.ts';
import { replicateLimits } from '../../../src/replicate/limits.ts';
import { batchesOf, identityOf, observation } from '../../contract/store-contract.ts';
import { quietNetwork, startSimulatedNode, stepUntil } from '../../support/simulated-node.ts';

const batches = Array.from({ length: 40 }, (_, i) =>
  batchesOf(identityOf(1), i + 1, [observation(`h${i}.example.com`)]),
).flat();
/** Each question brings one batch, so that there are many. */
const limits = { ...replicateLimits, snapshotEventsMin: 3, creditBytes: 1 };

test('a newcomer asks for one part of the newest events after the other, and waits for no tick between them', async () => {
  const clock = simulatedClock(hlcMs(batches.at(-1)?.lastHlc ?? 0n));
  const network = quietNetwork(clock, 1);
  const full = await startSimulatedNode('h1', identityOf(1), network, clock, { limits });
  const newcomer = await startSimulatedNode('h2', identityOf(2), network, clock, { limits });
  await full.store.commit(batches);
  const [, replicator] = [full.start(), newcomer.start()];
  await stepUntil(clock, () => newcomer.store.count() === batches.length);
  const snapshotMs = clock.monotonicMs();
  const gap = newcomer.store.lastPosition();
  await stepUntil(
    clock,
    () => newcomer.store.lastPosition() === gap + batches.length || clock.monotonicMs() > snapshotMs + 60_000,
  );
  // A question, its answer and a write take no 20 ms.
  expect(clock.monotonicMs() - snapshotMs).toBeLessThan(batches.length * 20);
  expect(replicator.status().ready).toBe(true);
  await full.stop();
  await newcomer.stop();
});
