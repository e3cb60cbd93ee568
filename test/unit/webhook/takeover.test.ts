import { setImmediate as nextTurn } from 'node:timers/promises';
import { MemoryLevel } from 'memory-level';
import { seededRandom } from 'tocsin/mesh';
import { expect, test } from 'vitest';
import { openBatch } from '../../../src/event/batch.ts';
import { hybridClock } from '../../../src/event/hlc.ts';
import { createIdentity } from '../../../src/event/identity.ts';
import { readSubscription } from '../../../src/facade/subscription.ts';
import { standardDefaults } from '../../../src/indicator/observation.ts';
import { createIntake } from '../../../src/intake/intake.ts';
import { openStore } from '../../../src/store/level-store.ts';
import { createStreamLog } from '../../../src/stream/stream-log.ts';
import type { Posted, Poster } from '../../../src/webhook/post.ts';
import { startWebhooks } from '../../../src/webhook/webhooks.ts';
import { ackLocally } from '../../support/ack-locally.ts';
import { manualClock } from '../../support/rooms.ts';

type Clock = ReturnType<typeof manualClock>;
type Network = { readonly post: (body: string) => Posted };

/** A node that delivers over a simulated network, until it is killed: then it says and sends nothing more. */
async function startNode(seed: number, clock: Clock, network: Network, random: () => number) {
  const identity = createIdentity(new Uint8Array(32).fill(seed));
  const store = await openStore(new MemoryLevel<string, string>());
  const log = createStreamLog(store, identity.nodeId, clock);
  const intake = createIntake({
    store,
    identity,
    hybridClock: hybridClock(clock, 0n),
    clock,
    acknowledged: ackLocally,
  });
  let isAlive = true;
  let isOwner = false;
  const never = new Promise<never>(() => undefined);
  const poster: Poster = {
    post: async ({ body }) => (isAlive ? network.post(body) : never),
    refusal: async () => undefined,
  };
  const webhooks = await startWebhooks({
    store,
    log,
    clock,
    random,
    randomBytes: (length) => new Uint8Array(length).fill(seed),
    poster,
    say: (sayings, wish) => (isAlive ? intake.say(sayings, wish) : never),
    isOwner: () => isOwner && isAlive,
    readSubscription,
    version: '0.0.0-test',
    told: { info: () => undefined, warn: () => undefined },
  });
  return {
    store,
    webhooks,
    origin: identity.nodeId,
    submit: async (name: string) => {
      const row = { row: 1, value: name };
      const { events } = await intake.submit([row], { ...standardDefaults, provider: 'test' });
      return events?.first ?? '';
    },
    own() {
      isOwner = true;
    },
    kill() {
      isAlive = false;
    },
  };
}

type Node = Awaited<ReturnType<typeof startNode>>;

/** What each has said, the other one has too. */
async function replicate(nodes: readonly Node[], origins: readonly Node[]): Promise<void> {
  for (const from of nodes) {
    for (const to of nodes) {
      if (from === to) continue;
      for (const { origin } of origins) {
        const held = to.store.vector().get(origin)?.upTo ?? 0;
        const batches = await from.store.batches(origin, { from: held + 1, to: 1_000_000 }, 100_000_000);
        const opened = batches.map(({ bytes }) => openBatch(bytes));
        await to.store.commit(opened.flatMap((batch) => (batch.ok ? [batch.value] : [])));
      }
    }
  }
}

/** Three owners, of which two are killed at some moment, over a receiver that fails now and then. */
async function run(seed: number) {
  const { next } = seededRandom(seed);
  const clock = manualClock();
  const delivered: string[] = [];
  let health = 0.7;
  const network: Network = {
    post(body) {
      if (next() > health) return next() < 0.5 ? { kind: 'failed', reason: 'ECONNRESET' } : answer(500);
      const event = JSON.parse(body) as { type: string; id: string; data: { items: { id: string }[] } };
      delivered.push(...(event.type === 'tocsin.digest' ? event.data.items.map(({ id }) => id) : [event.id]));
      return answer(200);
    },
  };
  const answer = (status: number): Posted => ({ kind: 'answered', status, retryAfter: undefined, text: '' });
  const nodes: Node[] = [];
  for (let n = 1; n <= 4; n++) nodes.push(await startNode(n, clock, network, next));
  const [first] = nodes;
  if (first === undefined) throw new Error('no node');
  await first.webhooks.desk.create({ name: 'x', url: 'https://hooks.example.com/', kinds: ['indicator'] });
  await replicate(nodes, nodes);
  const submitted: string[] = [];
  const live = [...nodes];

  async function step(): Promise<void> {
    // Now and then minutes pass: longer than the margin by which another node goes back.
    clock.advance(next() < 0.05 ? 300_000 : 50 + Math.floor(next() * 400));
    for (let i = 0; i < 10; i++) await nextTurn();
    if (next() < 0.8) await replicate(live, nodes);
  }

  for (let n = 0; n < 3; n++) {
    live[0]?.own();
    const steps = 20 + Math.floor(next() * 60);
    for (let i = 0; i < steps; i++) {
      if (next() < 0.1) health = next() < 0.5 ? 0 : 0.7;
      const burst = next() < 0.05 ? 150 : Math.floor(next() * 4);
      for (let k = 0; k < burst; k++) {
        const at = live[Math.floor(next() * live.length)];
        submitted.push((await at?.submit(`e${submitted.length}.example.com`)) ?? '');
      }
      // Acknowledged is what another node has.
      if (burst > 0) await replicate(live, nodes);
      await step();
    }
    if (n < 2) live.shift()?.kill();
  }
  health = 1;
  const [last] = live;
  for (let i = 0; i < 3_000 && !isDone(); i++) {
    clock.advance(1_000);
    for (let k = 0; k < 5; k++) await nextTurn();
  }
  function isDone(): boolean {
    const seen = new Set(delivered);
    return submitted.every((id) => seen.has(id)) && last?.webhooks.numbers().pending === 0;
  }
  const seen = new Set(delivered);
  const lost = submitted.filter((id) => !seen.has(id));
  await last?.webhooks.stop();
  for (const { store } of nodes) await store.close();
  return { lost, submitted: submitted.length, twice: delivered.length - seen.size };
}

test('owners are killed at any moment over a receiver that fails now and then: no event is lost', {
  timeout: 120_000,
}, async () => {
  let [submitted, twice] = [0, 0];
  for (let seed = 1; seed <= 3; seed++) {
    const of = await run(seed);
    expect(of.lost, `seed ${seed}`).toEqual([]);
    submitted += of.submitted;
    twice += of.twice;
  }
  console.log(`${submitted} events, ${twice} of them again`);
  expect(twice).toBeLessThan(submitted / 5);
});
