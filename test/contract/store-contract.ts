import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openBatch, sealBatches } from '../../src/event/batch.ts';
import { createIdentity, type Identity } from '../../src/event/identity.ts';
import type { OpenedBatch, Saying } from '../../src/event/types.ts';
import { parseObservation, standardDefaults } from '../../src/indicator/observation.ts';
import type { Observation } from '../../src/indicator/types.ts';
import type { Commit, IndicatorStore } from '../../src/store/store.ts';
import { allOf } from '../../src/store/value-ranges.ts';
import { recordChanges } from '../support/changes.ts';

const startMs = Date.UTC(2026, 0, 1);

/** A place that stores are opened in, again and again. */
export type StorePlace = { open(): Promise<IndicatorStore>; remove(): Promise<void> };

export function identityOf(seed: number): Identity {
  return createIdentity(new Uint8Array(32).fill(seed));
}

export function observation(indicator: string, fields: Record<string, unknown> = {}): Observation {
  const parsed = parseObservation(
    { indicator, ...fields },
    { ...standardDefaults, provider: 'test' },
    startMs,
  );
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
}

/** Batches of one origin from `firstSeq` on, one second apart. */
export function batchesOf(
  identity: Identity,
  firstSeq: number,
  said: readonly (Observation | Saying)[],
): readonly OpenedBatch[] {
  const entries = said.map((each, i) => ({
    hlc: BigInt(startMs + (firstSeq + i) * 1_000) << 16n,
    ...('kind' in each ? each : { kind: 'observe' as const, body: each }),
  }));
  return sealBatches(identity, firstSeq, entries);
}

/** What every IndicatorStore promises, run against each of them. */
export function storeContract(name: string, makePlace: () => Promise<StorePlace>): void {
  describe(name, () => {
    const a = identityOf(1);
    const b = identityOf(2);
    let place: StorePlace;
    let store: IndicatorStore;

    beforeEach(async () => {
      place = await makePlace();
      store = await place.open();
    });
    afterEach(async () => {
      await store.close();
      await place.remove();
    });

    test('an empty store holds nothing and says so', async () => {
      expect(store.count()).toBe(0);
      expect(store.lastPosition()).toBe(0);
      expect(store.vector().size).toBe(0);
      expect((await store.newest(undefined, 10)).records).toEqual([]);
      expect(await store.changesAfter(0, 10)).toEqual([]);
    });

    test('a commit is in records, log, vector and positions, and still is after it was closed and opened', async () => {
      const batches = batchesOf(a, 1, [observation('example.com'), observation('example.org')]);
      const { changes } = await store.commit(batches);
      expect(recordChanges(changes).map(({ position, outcome }) => [position, outcome])).toEqual([
        [1, 'created'],
        [2, 'created'],
      ]);
      const digest = await store.digest();
      await store.close();
      store = await place.open();
      expect(await store.digest()).toEqual(digest);
      expect(store.count()).toBe(2);
      expect(store.lastPosition()).toBe(2);
      expect(store.lastHlc()).toBe(batches[0]?.lastHlc);
      expect(store.vector().get(a.nodeId)).toEqual({ upTo: 2, above: [] });
      expect(await store.changesAfter(0, 10)).toEqual(changes);
      const [logged] = await store.batches(a.nodeId, { from: 1, to: 2 }, 1);
      expect(logged && openBatch(logged.bytes).ok).toBe(true);
    });

    test('an event is applied once, however often its batch is handed in', async () => {
      const batches = batchesOf(a, 1, [observation('example.com')]);
      const seen: Commit[] = [];
      store.onCommitted((commit) => seen.push(commit));
      await Promise.all([
        store.commit(batches),
        store.commit(batches),
        store.commit([...batches, ...batches]),
      ]);
      expect((await store.commit(batches)).changes).toEqual([]);
      expect(seen.flatMap(({ changes }) => changes)).toHaveLength(1);
      expect((await store.byValue('fqdn', 'example.com'))[0]?.count).toBe(1);
    });

    test('a batch that overlaps a held one is skipped', async () => {
      await store.commit(batchesOf(a, 1, [observation('example.com'), observation('example.org')]));
      const overlapping = batchesOf(a, 2, [observation('evil.test'), observation('bad.test')]);
      expect((await store.commit(overlapping)).batches).toEqual([]);
      expect(store.vector().get(a.nodeId)).toEqual({ upTo: 2, above: [] });
    });

    test('a gap is held as a range above it, and closes', async () => {
      const bodies = ['a.test.com', 'b.test.com', 'c.test.com'].map((value) => observation(value));
      const [first, second, third] = bodies.map((body, i) => batchesOf(a, i + 1, [body]));
      await store.commit([...(first ?? []), ...(third ?? [])]);
      expect(store.vector().get(a.nodeId)).toEqual({ upTo: 1, above: [{ from: 3, to: 3 }] });
      await store.commit(second ?? []);
      expect(store.vector().get(a.nodeId)).toEqual({ upTo: 3, above: [] });
    });

    test('records and digest do not depend on the order of events', async () => {
      const fromA = batchesOf(a, 1, [
        observation('example.com', { confidence: 8, tags: 'x' }),
        observation('192.0.2.7'),
      ]);
      const fromB = batchesOf(b, 2, [observation('example.com', { confidence: 3, count: 4 })]);
      await store.commit(fromA);
      await store.commit(fromB);
      const other = await makePlace();
      const reversed = await other.open();
      await reversed.commit(fromB);
      await reversed.commit(fromA);
      expect(await reversed.digest()).toEqual(await store.digest());
      const [record] = await store.byValue('fqdn', 'example.com');
      // b's statement is the newer one by a second.
      expect(record).toMatchObject({ confidence: 3, tags: [], count: 5 });
      await reversed.close();
      await other.remove();
    });

    test('a value’s providers lie side by side, in pages by value', async () => {
      await store.commit(
        batchesOf(a, 1, [
          observation('b.example.com', { provider: 'two' }),
          observation('a.example.com'),
          observation('b.example.com', { provider: 'one' }),
          observation('192.0.2.1'),
        ]),
      );
      const first = await store.inRanges([allOf('fqdn')], undefined, 2);
      expect(first.records.map(({ indicator, provider }) => `${indicator} ${provider}`)).toEqual([
        'a.example.com test',
        'b.example.com one',
      ]);
      const rest = await store.inRanges([allOf('fqdn')], first.next, 2);
      expect(rest.records.map(({ provider }) => provider)).toEqual(['two']);
      expect(rest.next).toBeUndefined();
    });

    test('newest first; a record that is said again moves to the front and stands there once', async () => {
      await store.commit(
        batchesOf(
          a,
          1,
          ['a.test.com', 'b.test.com', 'c.test.com'].map((value) => observation(value)),
        ),
      );
      await store.commit(batchesOf(a, 4, [observation('a.test.com')]));
      const page = await store.newest(undefined, 2);
      expect(page.records.map(({ indicator }) => indicator)).toEqual(['a.test.com', 'c.test.com']);
      const rest = await store.newest(page.next, 2);
      expect(rest.records.map(({ indicator }) => indicator)).toEqual(['b.test.com']);
    });

    test('changes are read back from any position, over batches', async () => {
      await store.commit(
        batchesOf(
          a,
          1,
          ['a.test.com', 'b.test.com'].map((value) => observation(value)),
        ),
      );
      await store.commit(
        batchesOf(
          b,
          1,
          ['b.test.com', 'c.test.com'].map((value) => observation(value)),
        ),
      );
      const changes = recordChanges(await store.changesAfter(1, 2));
      expect(changes.map(({ position, outcome, record }) => [position, outcome, record.indicator])).toEqual([
        [2, 'created', 'b.test.com'],
        [3, 'updated', 'b.test.com'],
      ]);
    });

    test('the log gives what touches a range, up to a size, and at least one batch', async () => {
      for (const seq of [1, 2, 3]) await store.commit(batchesOf(a, seq, [observation(`h${seq}.test.com`)]));
      const one = await store.batches(a.nodeId, { from: 2, to: 3 }, 1);
      expect(one.map(({ firstSeq }) => firstSeq)).toEqual([2]);
      const all = await store.batches(a.nodeId, { from: 1, to: 9 }, 1_000_000);
      expect(all.map(({ firstSeq }) => firstSeq)).toEqual([1, 2, 3]);
      expect(await store.batches(b.nodeId, { from: 1, to: 9 }, 1_000)).toEqual([]);
    });

    test('the places of the log are where its batches lie in the stream, in the order of arrival', async () => {
      const at = (seq: number) => startMs + seq * 1_000;
      await store.commit(batchesOf(b, 5, [observation('b.example.com'), observation('c.example.com')]));
      await store.commit(batchesOf(a, 1, [observation('a.example.com')]));
      const places = [];
      for await (const part of store.logPlaces()) places.push(...part);
      expect(places).toEqual([
        { position: 1, changes: 2, lastMs: at(6), batch: { origin: b.nodeId, firstSeq: 5, lastSeq: 6 } },
        { position: 3, changes: 1, lastMs: at(1), batch: { origin: a.nodeId, firstSeq: 1, lastSeq: 1 } },
      ]);
    });

    test('a closed store refuses every call that needs the disk, whatever was under way', async () => {
      await store.commit(batchesOf(a, 1, [observation('example.com')]));
      const source = await store.snapshot();
      const sink = await store.receiveSnapshot();
      await store.close();
      const calls: Record<string, () => Promise<unknown>> = {
        commit: () => store.commit([]),
        backfill: () => store.backfill([]),
        byValue: () => store.byValue('fqdn', 'example.com'),
        newest: () => store.newest(undefined, 1),
        inRanges: () => store.inRanges([allOf('fqdn')], undefined, 1),
        ofEachRange: () => store.ofEachRange([allOf('fqdn')], 1, 1),
        changesAfter: () => store.changesAfter(0, 1),
        lostMs: () => store.lostMs(),
        logPlaces: () => store.logPlaces()[Symbol.asyncIterator]().next(),
        batches: () => store.batches(a.nodeId, { from: 1, to: 1 }, 1),
        digest: () => store.digest(),
        snapshot: () => store.snapshot(),
        next: () => source.next(1),
        receiveSnapshot: () => store.receiveSnapshot(),
        put: () => sink.put('', 'x', []),
        install: () => sink.install({ vector: new Map(), lastMs: new Map(), lastHlc: 0n }),
        unsaid: () => store.unsaid(0)[Symbol.asyncIterator]().next(),
        forgetUnsaid: () => store.forgetUnsaid(),
        trimLog: () => store.trimLog({ sinceMs: 0, bytesMax: 0 }),
        sweep: () => store.sweep(0),
        forgetOrigins: () => store.forgetOrigins([]),
      };
      for (const [name, call] of Object.entries(calls)) {
        await expect(call(), name).rejects.toMatchObject({ name: 'StoreError', code: 'CLOSED' });
      }
    });

    test('a read that the end of the store overtakes says so, or answers', async () => {
      await store.commit(
        batchesOf(
          a,
          1,
          Array.from({ length: 2_500 }, (_, i) => observation(`h${i}.example.com`)),
        ),
      );
      const source = await store.snapshot();
      const reads = Promise.allSettled([store.digest(), store.newest(undefined, 2_000), source.next(1e6)]);
      await store.close();
      for (const settled of await reads) {
        if (settled.status === 'rejected') expect(settled.reason).toMatchObject({ code: 'CLOSED' });
      }
    });
  });
}
