import { createHash } from 'node:crypto';
import { MemoryLevel } from 'memory-level';
import { describe, expect, test } from 'vitest';
import { pick, type Random, randomInt, seededRandom } from '../../mesh/random.ts';
import { readBatch } from '../../src/event/batch.ts';
import type { NodeId, OpenedBatch } from '../../src/event/types.ts';
import { valueKey } from '../../src/indicator/sort-key.ts';
import type { IndicatorRecord, Itype, Observation } from '../../src/indicator/types.ts';
import { openStore } from '../../src/store/level-store.ts';
import type { Commit, IndicatorStore, RecordChanged, RecordPage } from '../../src/store/store.ts';
import { allOf } from '../../src/store/value-ranges.ts';
import { chunksOf, expectInStep, putChunk } from '../contract/snapshot-contract.ts';
import { batchesOf, identityOf, observation } from '../contract/store-contract.ts';
import { recordChanges } from '../support/changes.ts';

/*
 * The store against a model that knows nothing of batches, keys or merging in steps: it keeps all events of a set of batches
 * and works each record out from all of its events at once.
 */

const origins = [identityOf(1), identityOf(2), identityOf(3)];
const values = ['a.example.com', 'example.com', 'example.org', '192.0.2.7', '192.0.2.0/24', 'AS64500'];

type Event = {
  readonly origin: NodeId;
  readonly seq: number;
  readonly hlc: bigint;
  readonly body: Observation;
};

function drawBatches(random: Random): readonly OpenedBatch[] {
  return origins.flatMap((identity) => {
    const batches: OpenedBatch[] = [];
    for (let seq = 1, left = randomInt(random, 8); left > 0; left--) {
      const bodies = Array.from({ length: 1 + randomInt(random, 4) }, () =>
        observation(pick(random, values) ?? '', {
          provider: pick(random, ['one', 'two']),
          group: pick(random, ['everyone', 'few']),
          confidence: randomInt(random, 11),
          count: 1 + randomInt(random, 5),
          tags: pick(random, ['', 'b,a', 'c']),
          description: pick(random, ['', 'of a kind']),
          lasttime: Date.UTC(2025, randomInt(random, 12), 1),
        }),
      );
      batches.push(...batchesOf(identity, seq, bodies));
      seq += bodies.length;
    }
    return batches;
  });
}

function shuffled<T>(random: Random, items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, order: random.next() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}

/** Every batch, some twice, in any order, some of them in one call, several calls at once. Answers the changes told. */
async function handIn(
  random: Random,
  store: IndicatorStore,
  batches: readonly OpenedBatch[],
): Promise<RecordChanged[]> {
  const again = batches.filter(() => random.next() < 0.3);
  const order = shuffled(random, [...batches, ...again]);
  const commits: Promise<Commit>[] = [];
  while (order.length > 0) {
    commits.push(store.commit(order.splice(0, 1 + randomInt(random, 4))));
    if (random.next() < 0.3) await Promise.all(commits);
  }
  return (await Promise.all(commits)).flatMap(({ changes }) => recordChanges(changes));
}

function modelRecords(batches: readonly OpenedBatch[]): readonly IndicatorRecord[] {
  const groups = new Map<string, Event[]>();
  for (const event of batches.flatMap(({ events }) => events)) {
    if (event.kind !== 'observe') continue;
    const { itype, indicator, provider, group } = event.body;
    const key = JSON.stringify([itype, indicator, provider, group]);
    groups.set(key, [...(groups.get(key) ?? []), event]);
  }
  return [...groups.values()].map((events) => {
    const newest = events.reduce((a, b) => (isNewer(b, a) ? b : a));
    return {
      ...newest.body,
      count: events.reduce((sum, { body }) => sum + body.count, 0),
      firsttimeMs: Math.min(...events.map(({ body }) => body.firsttimeMs)),
      lasttimeMs: Math.max(...events.map(({ body }) => body.lasttimeMs)),
      reporttimeMs: Math.max(...events.map(({ hlc }) => Number(hlc >> 16n))),
      stamp: { hlc: newest.hlc, origin: newest.origin },
    };
  });
}

function isNewer(a: Event, b: Event): boolean {
  return a.hlc === b.hlc ? a.origin > b.origin : a.hlc > b.hlc;
}

function inValueOrder(a: IndicatorRecord, b: IndicatorRecord): number {
  const [x, y] = [a, b].map((of) => [valueKey(of.itype, of.indicator), of.provider, of.group].join('\0'));
  return x !== undefined && y !== undefined && x < y ? -1 : 1;
}

async function allPages(
  read: (after: string | undefined) => Promise<RecordPage>,
): Promise<IndicatorRecord[]> {
  const records: IndicatorRecord[] = [];
  let next: string | undefined;
  do {
    const page = await read(next);
    records.push(...page.records);
    next = page.next;
  } while (next !== undefined);
  return records;
}

describe('whatever the order and the repetitions in which batches come', () => {
  test.each(Array.from({ length: 60 }, (_, seed) => seed))('seed %i', async (seed) => {
    const random = seededRandom(seed);
    const batches = drawBatches(random);
    const expected = modelRecords(batches);
    const digests: string[] = [];
    for (let round = 0; round < 2; round++) {
      await using store = await openStore(new MemoryLevel<string, string>());
      const listened: RecordChanged[] = [];
      store.onCommitted(({ changes }) => listened.push(...recordChanges(changes)));
      const told = await handIn(random, store, batches);
      const events = batches.flatMap((batch) => batch.events);

      // Each event once, to the callers and to the listeners, at positions without a gap.
      const byPosition = told.sort((a, b) => a.position - b.position);
      expect(listened).toEqual(byPosition);
      expect(listened.map(({ position }) => position)).toEqual(events.map((_, i) => i + 1));
      expect(new Set(listened.map(({ event }) => `${event.origin}-${event.seq}`)).size).toBe(events.length);
      expect(listened.filter(({ outcome }) => outcome === 'created')).toHaveLength(expected.length);

      // The same changes, read back later.
      const back: RecordChanged[] = [];
      const step = 1 + randomInt(random, 5);
      for (let more = true; more; ) {
        const changes = recordChanges(await store.changesAfter(back.length, step));
        back.push(...changes);
        more = changes.length > 0;
      }
      expect(back.map(({ position, event, outcome }) => ({ position, event, outcome }))).toEqual(
        listened.map(({ position, event, outcome }) => ({ position, event, outcome })),
      );

      // The model's records, by value and by time.
      expect(store.count()).toBe(expected.length);
      const limit = 1 + randomInt(random, 4);
      for (const itype of ['ipv4', 'fqdn', 'asn'] satisfies Itype[]) {
        const found = await allPages((after) => store.inRanges([allOf(itype)], after, limit));
        expect(found).toEqual(expected.filter((record) => record.itype === itype).sort(inValueOrder));
      }
      const newest = await allPages((after) => store.newest(after, limit));
      expect(newest.map(({ reporttimeMs }) => reporttimeMs)).toEqual(
        expected.map(({ reporttimeMs }) => reporttimeMs).sort((a, b) => b - a),
      );
      expect(newest.map(sorting).sort()).toEqual(expected.map(sorting).sort());

      // All that was handed in is in the log, as it was signed.
      for (const { nodeId } of origins) {
        const logged = await store.batches(nodeId, { from: 1, to: 1_000 }, 1e9);
        const own = batches.filter(({ origin }) => origin === nodeId);
        expect(logged.map(({ bytes }) => hashOf(bytes))).toEqual(own.map(({ bytes }) => hashOf(bytes)));
        const upTo = own.at(-1)?.lastSeq;
        expect(store.vector().get(nodeId)).toEqual(upTo === undefined ? undefined : { upTo, above: [] });
      }
      digests.push((await store.digest()).sha256);
    }
    expect(digests[1]).toBe(digests[0]);
  });
});

/** What other nodes get to see of a store: its log, and its snapshot in chunks. */
async function logOf(store: IndicatorStore): Promise<readonly OpenedBatch[]> {
  const logged = await Promise.all(
    [...store.vector().keys()].map((origin) => store.batches(origin, { from: 1, to: 1_000 }, 1e9)),
  );
  return logged.flat().map(({ bytes }) => readBatch(bytes));
}

describe('a newcomer comes to the records of the node that it asks', () => {
  test.each(Array.from({ length: 60 }, (_, seed) => seed))('seed %i', async (seed) => {
    const random = seededRandom(seed);
    const batches = shuffled(random, drawBatches(random));
    const [early, late] = [batches.splice(0, randomInt(random, batches.length + 1)), batches];
    const rounds = 1 + randomInt(random, 3);

    await using node = await openStore(new MemoryLevel<string, string>());
    await using newcomer = await openStore(new MemoryLevel<string, string>());
    const given = { node: new Set<OpenedBatch>(), newcomer: new Set<OpenedBatch>() };
    async function give(to: 'node' | 'newcomer', from: readonly OpenedBatch[], share: number): Promise<void> {
      const some = from.filter(() => random.next() < share);
      for (const batch of some) given[to].add(batch);
      await handIn(random, to === 'node' ? node : newcomer, some);
    }

    await give('node', early, 1);
    // Some of it the newcomer has already; some comes live while the snapshot does.
    await give('newcomer', early, 0.2);
    for (let round = 0; round < rounds; round++) {
      const source = await node.snapshot();
      for (const batch of given.node) given.newcomer.add(batch);
      await give('node', late, 0.5);
      const sink = await newcomer.receiveSnapshot();
      for (const chunk of await chunksOf(source, 1 + randomInt(random, 2_000))) {
        await putChunk(sink, chunk);
        await give('newcomer', late, 0.1);
      }
      await sink.install(source.state);
      await expectInStep(newcomer);
      await using same = await openStore(new MemoryLevel<string, string>());
      await handIn(random, same, [...given.newcomer]);
      expect(await newcomer.digest()).toEqual(await same.digest());
    }
    await handIn(random, node, late);
    // The tail of the log, and what the snapshot has of it already: that counts once.
    await handIn(random, newcomer, await logOf(node));
    expect(await newcomer.digest()).toEqual(await node.digest());

    await using replay = await openStore(new MemoryLevel<string, string>());
    await handIn(random, replay, await logOf(node));
    expect(await replay.digest()).toEqual(await node.digest());
  });
});

function sorting(record: IndicatorRecord): string {
  return JSON.stringify([record.indicator, record.provider, record.group, record.count, record.confidence]);
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
