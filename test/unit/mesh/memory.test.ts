import { expect, test } from 'vitest';
import { dueOf, entered, exited, type Memory, noMemory } from '../../../mesh/discovery/memory.ts';
import { type PeerId, peerIdFromBytes } from '../../../mesh/ids.ts';
import { seededRandom } from '../../../mesh/random.ts';

const address = { endpoint: 'tcp://192.0.2.2:2000', publicKey: undefined };
const them = 'BB'.repeat(16) as PeerId;
const here = entered(noMemory, them, address, 0);
const random = seededRandom(1);

/** When a lost peer is tried, until `endMs`. */
function triesOf(start: Memory, endMs: number): readonly number[] {
  let memory = start;
  const tries: number[] = [];
  for (let nowMs = 0; nowMs < endMs; nowMs += 1_000) {
    const step = dueOf(memory, nowMs, random);
    memory = step.memory;
    if (step.due.has(them)) tries.push(nowMs);
  }
  return tries;
}

test('a peer that was here and fell silent is tried again with a growing wait, for an hour', () => {
  const tries = triesOf(exited(here, them, 'expired', 60_000, 256), 3 * 60 * 60_000);
  const waits = tries.slice(1).map((atMs, i) => atMs - (tries[i] ?? 0));
  expect(tries[0]).toBe(65_000);
  expect(waits[0]).toBeLessThan(15_000);
  expect(Math.max(...waits)).toBeGreaterThan(4 * 60_000);
  expect(Math.max(...waits)).toBeLessThanOrEqual(6.1 * 60_000);
  expect(tries.at(-1)).toBeLessThan(60_000 + 60 * 60_000);
  expect(tries.length).toBeLessThan(30);
});

test.each(['goodbye', 'replaced'] as const)('a peer that left by %s is not tried', (reason) => {
  expect(exited(here, them, reason, 60_000, 256).lost.size).toBe(0);
});

test('a passer-by is not remembered, and one that comes back is forgotten as lost', () => {
  expect(exited(here, them, 'expired', 5_000, 256).lost.size).toBe(0);
  const lost = exited(here, them, 'gap', 60_000, 256);
  expect(lost.lost.get(them)?.address).toEqual(address);
  expect(entered(lost, them, address, 61_000).lost.size).toBe(0);
});

test('starting over keeps the time since when it is here', () => {
  const restarted = entered(exited(here, them, 'restarted', 60_000, 256), them, address, 60_000);
  expect(restarted.here.get(them)?.sinceMs).toBe(0);
});

test('who was lost first makes room for others', () => {
  let memory = noMemory;
  for (let i = 0; i < 5; i++) {
    const id = peerIdFromBytes(Buffer.alloc(16, i));
    memory = exited(entered(memory, id, address, 0), id, 'expired', 60_000 + i, 3);
  }
  expect([...memory.lost.keys()].map((id) => id.slice(0, 2))).toEqual(['02', '03', '04']);
  expect(memory.here.size).toBe(0);
});
