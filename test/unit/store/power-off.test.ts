import { MemoryLevel } from 'memory-level';
import { expect, test } from 'vitest';
import { readBatch } from '../../../src/event/batch.ts';
import { hybridClock } from '../../../src/event/hlc.ts';
import { eventId } from '../../../src/event/types.ts';
import { lastSeqOf } from '../../../src/event/vector.ts';
import { standardDefaults } from '../../../src/indicator/observation.ts';
import { createIntake, IntakeError } from '../../../src/intake/intake.ts';
import { StoreError } from '../../../src/store/errors.ts';
import { openStore } from '../../../src/store/level-store.ts';
import type { IndicatorStore } from '../../../src/store/store.ts';
import { all, chunksOf, expectInStep, putChunk } from '../../contract/snapshot-contract.ts';
import { batchesOf, identityOf, observation } from '../../contract/store-contract.ts';
import { ackLocally as acknowledged } from '../../support/ack-locally.ts';
import { recordChanges } from '../../support/changes.ts';
import { faultyLevel, type WriteFault } from '../../support/faulty-level.ts';
import { manualClock, startMs } from '../../support/rooms.ts';

/*
 * A node's life in a dozen steps, cut off at each of its writes in turn. Whatever the last write was: what is found opens,
 * is in step, has all that was acknowledged, and comes to the same records as a life that nothing cut off.
 */

const self = identityOf(1);
const peer = identityOf(2);
const other = identityOf(3);
const anew = identityOf(4);
const clock = manualClock();
const hostsOf = (name: string, count: number) =>
  Array.from({ length: count }, (_, i) => observation(`h${i}.${name}.example.com`));

const peers = {
  first: batchesOf(peer, 1, hostsOf('common', 8)),
  live: batchesOf(peer, 9, hostsOf('live', 2)),
  others: batchesOf(other, 1, [
    ...hostsOf('common', 3),
    observation('192.0.2.1', { expiretime: Date.UTC(2026, 0, 3) }),
  ]),
};

/** A peer that was there for some of it: it knows the first submission, and none of the later ones. */
async function giver(): Promise<IndicatorStore> {
  const store = await openStore(new MemoryLevel<string, string>());
  await store.commit([...peers.first, ...peers.others, ...(await ownFirst)]);
  return store;
}

type Life = { readonly store: IndicatorStore; readonly acknowledged: Set<number> };
/** A step may be run again after it was cut off; `isDone` tells of one that must not be. */
type Step = { readonly run: (life: Life) => Promise<void>; readonly isDone?: (life: Life) => boolean };

function submit(name: string, from: number): Step {
  return {
    isDone: ({ store }) => lastSeqOf(store.vector().get(self.nodeId)) >= from,
    async run({ store, acknowledged: seqs }) {
      // A step's time does not depend on when it is run, so that its events are the same.
      const at = { ...clock, wallMs: () => startMs + from * 60_000 };
      const intake = createIntake({
        store,
        identity: self,
        hybridClock: hybridClock(at, store.lastHlc()),
        clock: at,
        acknowledged,
      });
      const rows = [0, 1].map((i) => ({ row: i + 1, value: `h${i}.${name}.example.com` }));
      const { events } = await intake.submit(rows, { ...standardDefaults, provider: 'test' });
      const seqOf = (id = '') => Number(id.slice(id.indexOf('-') + 1));
      for (const seq of [seqOf(events?.first), seqOf(events?.last)]) {
        expect(seqs.has(seq)).toBe(false);
        seqs.add(seq);
      }
    },
  };
}

const commit = (batches: (typeof peers)['first']): Step => ({
  run: async ({ store }) => void (await store.commit(batches)),
});

const snapshot: Step = {
  async run({ store }) {
    await using from = await giver();
    const source = await from.snapshot();
    const sink = await store.receiveSnapshot();
    for (const [i, chunk] of (await chunksOf(source, 700)).entries()) {
      if (i === 1) await store.commit(peers.live);
      await putChunk(sink, chunk);
    }
    await sink.install(source.state);
  },
};

/** Said anew like the rest, by another name, as the node's own numbers are the submissions' here. */
const sayUnsaid: Step = {
  async run({ store }) {
    for (const body of await all(store.unsaid(0))) {
      const seq = lastSeqOf(store.vector().get(anew.nodeId)) + 1;
      await store.commit(batchesOf(anew, seq, [body]));
    }
    await store.forgetUnsaid();
  },
};

const steps: readonly Step[] = [
  submit('own1', 1),
  commit(peers.first.slice(0, 1)),
  submit('own2', 3),
  // Nothing of it is in the log any more: what the snapshot does not know of it is to be said anew.
  { run: async ({ store }) => void (await store.trimLog({ sinceMs: Date.UTC(2099), bytesMax: 0 })) },
  submit('own3', 5),
  snapshot,
  submit('own4', 7),
  sayUnsaid,
  { run: async ({ store }) => void (await store.backfill(peers.first)) },
  { run: async ({ store }) => void (await store.sweep(Date.UTC(2026, 0, 3) + 1)) },
  commit(peers.live),
  snapshot,
  sayUnsaid,
  { run: async ({ store }) => void (await store.sweep(Date.UTC(2026, 0, 3) + 1)) },
  submit('own5', 9),
];

const ownFirst = (async () => {
  await using store = await openStore(new MemoryLevel<string, string>());
  await submit('own1', 1).run({ store, acknowledged: new Set() });
  const logged = await store.batches(self.nodeId, { from: 1, to: 2 }, 1e9);
  return logged.map(({ bytes }) => readBatch(bytes));
})();

/** Lives on from the step at which it was cut off; answers at which it was cut off now. */
async function live(life: Life, from = 0): Promise<number> {
  for (const [i, step] of steps.entries()) {
    if (i < from || (i === from && step.isDone?.(life))) continue;
    try {
      await step.run(life);
    } catch (error) {
      if (error instanceof StoreError || error instanceof IntakeError) return i;
      throw error;
    }
  }
  return steps.length;
}

/** All of one life's end: the records without what depends on the number of times that something was said anew. */
async function endOf(store: IndicatorStore) {
  const { sha256, vector } = await store.digest();
  return { sha256, own: vector.get(self.nodeId), peer: vector.get(peer.nodeId) };
}

async function check(store: IndicatorStore, acknowledgedSeqs: ReadonlySet<number>): Promise<void> {
  await expectInStep(store);
  const last = lastSeqOf(store.vector().get(self.nodeId));
  expect(last).toBeGreaterThanOrEqual(Math.max(0, ...acknowledgedSeqs));
  let bytes = 0;
  for (const { nodeId } of [self, peer, other, anew]) {
    for (const batch of await store.batches(nodeId, { from: 1, to: 1_000 }, 1e9)) {
      expect(batch.lastSeq).toBeLessThanOrEqual(lastSeqOf(store.vector().get(nodeId)));
      bytes += batch.bytes.byteLength;
    }
  }
  expect(store.logBytes()).toBe(bytes);
  const changes = recordChanges(await store.changesAfter(0, 1_000));
  expect(changes.at(-1)?.position ?? 0).toBeLessThanOrEqual(store.lastPosition());
  expect(new Set(changes.map(({ event }) => eventId(event))).size).toBe(changes.length);
  expect(new Set(changes.map(({ position }) => position)).size).toBe(changes.length);
  // What was acknowledged is among the records, or is still to be said.
  const unsaid = new Set(
    (await all(store.unsaid(0))).flatMap(({ body }) => ('indicator' in body ? [body.indicator] : [])),
  );
  for (const seq of acknowledgedSeqs) {
    const value = `h${(seq + 1) % 2}.own${Math.ceil(seq / 2)}.example.com`;
    const found = await store.byValue('fqdn', value);
    expect(found.length > 0 || unsaid.has(value), value).toBe(true);
  }
}

test.each<WriteFault>(['power off', 'power off behind it'])(
  'wherever the writes end (%s), what is found is in step, and comes to the same end',
  async (fault) => {
    const whole = faultyLevel();
    const store = await openStore(whole.level);
    expect(await live({ store, acknowledged: new Set() })).toBe(steps.length);
    const expected = await endOf(store);
    const writes = whole.writes();
    expect(writes).toBeGreaterThan(steps.length);

    for (let n = 1; n <= writes; n++) {
      const disk = faultyLevel();
      disk.failAt(n, fault);
      const seqs = new Set<number>();
      const opened = await openStore(disk.level).catch(() => undefined);
      const step = opened && (await live({ store: opened, acknowledged: seqs }));
      expect(step, `write ${n} was not met`).not.toBe(steps.length);

      await using found = await openStore(await disk.copy());
      await check(found, seqs);
      expect(await live({ store: found, acknowledged: seqs }, step)).toBe(steps.length);
      await check(found, seqs);
      expect(await endOf(found), `cut off at write ${n}, step ${step}`).toEqual(expected);
    }
  },
);
