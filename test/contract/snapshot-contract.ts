import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Saying } from '../../src/event/types.ts';
import { lastEnd, readTexts, type SnapshotSource } from '../../src/store/snapshot.ts';
import type { IndicatorStore, RecordChanged } from '../../src/store/store.ts';
import { recordChanges } from '../support/changes.ts';
import { batchesOf, identityOf, observation, type StorePlace } from './store-contract.ts';

type Chunk = { readonly after: string; readonly end: string; readonly bytes: Uint8Array };

/** Reads a snapshot to its end in chunks of about `bytesMax`, as they go over the wire, and closes it. */
export async function chunksOf(source: SnapshotSource, bytesMax: number): Promise<readonly Chunk[]> {
  const chunks: Chunk[] = [];
  for (let after = '', last = false; !last; ) {
    const chunk = await source.next(bytesMax);
    expect(createHash('sha256').update(chunk.bytes).digest()).toEqual(chunk.digest);
    chunks.push({ after, end: chunk.end, bytes: chunk.bytes });
    ({ end: after, last } = chunk);
  }
  await source[Symbol.asyncDispose]();
  return chunks;
}

export async function putChunk(
  sink: Awaited<ReturnType<IndicatorStore['receiveSnapshot']>>,
  { after, end, bytes }: Chunk,
): Promise<void> {
  const rows = readTexts(bytes, after, end);
  if (rows === undefined) throw new Error('a chunk is not as it must be');
  await sink.put(after, end, rows);
}

/** Takes all of `from`'s records into `to`, as a node does that was away for too long. */
export async function takeSnapshot(
  from: IndicatorStore,
  to: IndicatorStore,
  bytesMax = 200,
): Promise<boolean> {
  const source = await from.snapshot();
  const chunks = await chunksOf(source, bytesMax);
  const sink = await to.receiveSnapshot();
  for (const chunk of chunks) await putChunk(sink, chunk);
  const { logWasWhole } = await sink.install(source.state);
  return logWasWhole;
}

export async function all<T>(parts: AsyncIterable<readonly T[]>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const part of parts) found.push(...part);
  return found;
}

/** Records, index and count, which must be in step. */
export async function expectInStep(store: IndicatorStore): Promise<void> {
  const { records } = await store.digest();
  expect(store.count()).toBe(records);
  expect((await store.newest(undefined, 10_000)).records).toHaveLength(records);
}

const hosts = (count: number, of = 'a') =>
  Array.from({ length: count }, (_, i) => observation(`h${i}.${of}.example.com`));

/** What every IndicatorStore promises of snapshots. */
export function snapshotContract(name: string, makePlace: () => Promise<StorePlace>): void {
  describe(`snapshots, ${name}`, () => {
    const a = identityOf(1);
    const b = identityOf(2);
    const places: StorePlace[] = [];
    let place: StorePlace;
    let from: IndicatorStore;
    let to: IndicatorStore;

    async function open(): Promise<[StorePlace, IndicatorStore]> {
      const made = await makePlace();
      places.push(made);
      return [made, await made.open()];
    }

    beforeEach(async () => {
      [, from] = await open();
      [place, to] = await open();
    });
    afterEach(async () => {
      await from.close();
      await to.close();
      for (const made of places.splice(0)) await made.remove();
    });

    test('it shows one moment, whatever is committed while it is read, and gives another store that moment’s digest', async () => {
      await from.commit(batchesOf(a, 1, hosts(30)));
      const then = await from.digest();
      const source = await from.snapshot();
      const sink = await to.receiveSnapshot();
      let chunks = 0;
      for (let after = '', last = false; !last; chunks++) {
        const { end, bytes, last: isLast } = await source.next(150);
        await putChunk(sink, { after, end, bytes });
        // New ones, and ones that it has read already or will read.
        await from.commit(
          batchesOf(a, 31 + 2 * chunks, [
            observation(`n${chunks}.example.com`),
            hosts(30)[chunks % 30] ?? observation('x.test'),
          ]),
        );
        [after, last] = [end, isLast];
      }
      expect(chunks).toBeGreaterThan(10);
      await sink.install(source.state);
      await source[Symbol.asyncDispose]();
      expect(await to.digest()).toEqual(then);
      expect(to.lastMs()).toEqual(source.state.lastMs);
      expect(to.lastHlc()).toBe(source.state.lastHlc);
      await expectInStep(to);
    });

    test('an empty store’s snapshot is one chunk, and installs', async () => {
      await takeSnapshot(from, to);
      expect(await to.digest()).toEqual(await from.digest());
    });

    test('what was committed live meanwhile is there once, and is streamed once', async () => {
      const fromA = batchesOf(a, 1, hosts(10));
      await from.commit(fromA);
      const source = await from.snapshot();
      const chunks = await chunksOf(source, 300);
      const streamed: RecordChanged[] = [];
      to.onCommitted(({ changes }) => streamed.push(...recordChanges(changes)));
      const sink = await to.receiveSnapshot();
      // One event that the snapshot contains too, and one that it does not, of a record that it has.
      const live = batchesOf(b, 1, [observation('h1.a.example.com'), observation('live.example.com')]);
      for (const [i, chunk] of chunks.entries()) {
        await putChunk(sink, chunk);
        if (i === 1) await to.commit([...live, ...fromA]);
      }
      await sink.install(source.state);
      await from.commit(live);
      expect(await to.digest()).toEqual(await from.digest());
      expect((await to.byValue('fqdn', 'h1.a.example.com'))[0]?.count).toBe(2);
      // Handed in again, as peers do.
      await to.commit([...live, ...fromA]);
      expect(streamed.map(({ event }) => `${event.origin}-${event.seq}`)).toEqual([
        ...[1, 2].map((seq) => `${b.nodeId}-${seq}`),
        ...fromA.flatMap(({ events }) => events.map(({ seq }) => `${a.nodeId}-${seq}`)),
      ]);
      await expectInStep(to);
    });

    test('a second attempt puts its rows in the place of the first one’s', async () => {
      await from.commit(batchesOf(a, 1, hosts(12)));
      const first = await chunksOf(await from.snapshot(), 400);
      await from.commit(batchesOf(a, 13, [...hosts(6), ...hosts(5, 'b')]));
      const second = await from.snapshot();
      const chunks = await chunksOf(second, 150);
      const sink = await to.receiveSnapshot();
      for (const chunk of first) await putChunk(sink, chunk);
      for (const chunk of chunks) await putChunk(sink, chunk);
      await sink.install(second.state);
      expect(await to.digest()).toEqual(await from.digest());
      await expectInStep(to);
    });

    test('a receipt that another one follows is refused from then on, and leaves nothing', async () => {
      await from.commit(batchesOf(a, 1, hosts(5)));
      const source = await from.snapshot();
      const [chunk] = await chunksOf(source, 1e6);
      if (chunk === undefined) throw new Error('no chunk');
      const first = await to.receiveSnapshot();
      await putChunk(first, chunk);
      const second = await to.receiveSnapshot();
      await expect(putChunk(first, chunk)).rejects.toMatchObject({ code: 'CLOSED' });
      await expect(first.install(source.state)).rejects.toMatchObject({ code: 'CLOSED' });
      // Installed without any rows, it has none of the first one's.
      await second.install({ vector: new Map(), lastMs: new Map(), lastHlc: 0n });
      expect((await to.digest()).records).toBe(0);
      await expectInStep(to);
    });

    test('one that was discarded changes nothing, at once or after opening again', async () => {
      await from.commit(batchesOf(a, 1, hosts(5)));
      await to.commit(batchesOf(b, 1, hosts(2, 'b')));
      const before = await to.digest();
      const [chunk] = await chunksOf(await from.snapshot(), 1e6);
      if (chunk === undefined) throw new Error('no chunk');
      const sink = await to.receiveSnapshot();
      await putChunk(sink, chunk);
      await sink.discard();
      expect(await to.digest()).toEqual(before);
      await putChunk(await to.receiveSnapshot(), chunk);
      await to.close();
      to = await place.open();
      expect(await to.digest()).toEqual(before);
      await to
        .receiveSnapshot()
        .then((again) => again.install({ vector: new Map(), lastMs: new Map(), lastHlc: 0n }));
      await expectInStep(to);
    });

    test('what was installed is still there after closing and opening, and the next commit goes on from it', async () => {
      await from.commit(batchesOf(a, 1, hosts(8)));
      await to.commit(batchesOf(b, 1, hosts(2, 'b')));
      await takeSnapshot(from, to);
      const [digest, position, logBytes] = [await to.digest(), to.lastPosition(), to.logBytes()];
      await to.close();
      to = await place.open();
      expect(await to.digest()).toEqual(digest);
      expect([to.lastPosition(), to.logBytes()]).toEqual([position, logBytes]);
      const next = batchesOf(a, 9, hosts(3, 'c'));
      await to.commit(next);
      await from.commit([...next, ...batchesOf(b, 1, hosts(2, 'b'))]);
      expect(await to.digest()).toEqual(await from.digest());
      await expectInStep(to);
    });

    test('when the log was whole nothing is unsaid, as it has been carried over', async () => {
      await from.commit(batchesOf(a, 1, hosts(4)));
      await to.commit(batchesOf(b, 1, hosts(4, 'b')));
      expect(await takeSnapshot(from, to)).toBe(true);
      expect(await all(to.unsaid(0))).toEqual([]);
    });

    test('when the log was trimmed, what the snapshot does not know is unsaid, until it is forgotten', async () => {
      const own = [...hosts(3, 'b'), observation('h0.a.example.com', { count: 5, tags: 'seen' })];
      await to.commit(batchesOf(b, 10, own));
      await to.trimLog({ sinceMs: 0, bytesMax: 0 });
      await from.commit(batchesOf(a, 1, hosts(4)));
      expect(await takeSnapshot(from, to)).toBe(false);
      expect(await to.digest()).toEqual(await from.digest());
      const named = (sayings: readonly Saying[]) =>
        sayings.map(({ body }) => ['indicator' in body && body.indicator, 'count' in body && body.count]);
      const expected = [
        ['h0.a.example.com', 4],
        ['h0.b.example.com', 1],
        ['h1.b.example.com', 1],
        ['h2.b.example.com', 1],
      ];
      expect(named(await all(to.unsaid(0))).sort()).toEqual(expected);
      await to.close();
      to = await place.open();
      const unsaid = await all(to.unsaid(0));
      expect(named(unsaid).sort()).toEqual(expected);
      // What has expired long since is not said again.
      expect(await all(to.unsaid(Number.MAX_SAFE_INTEGER))).toEqual([]);
      // Said anew, it is known, and the records are what they would have been.
      await to.commit(batchesOf(b, 100, unsaid));
      expect(await all(to.unsaid(0))).toEqual([]);
      expect((await to.byValue('fqdn', 'h0.a.example.com'))[0]).toMatchObject({ count: 5, tags: ['seen'] });
      await to.forgetUnsaid();
      await to.close();
      to = await place.open();
      expect(await all(to.unsaid(0))).toEqual([]);
      expect(to.count()).toBe(7);
    });

    test('backfill gives batches their place in log and stream, and counts nothing twice', async () => {
      const batches = [...batchesOf(a, 1, hosts(3)), ...batchesOf(a, 4, hosts(3))];
      await from.commit(batches);
      const before = to.lastPosition();
      await takeSnapshot(from, to);
      const digest = await to.digest();
      const position = to.lastPosition();
      // Whoever read this newcomer's stream already cannot take it for whole.
      expect(position).toBe(before + 1);
      const streamed: RecordChanged[] = [];
      to.onCommitted(({ changes }) => streamed.push(...recordChanges(changes)));
      // The second one's place is before the first one's: as they come.
      await to.backfill([...batches, ...batches]);
      // In the log now, and one that is not held at all: both are skipped.
      expect((await to.backfill([...batches, ...batchesOf(b, 1, hosts(1))])).batches).toEqual([]);
      expect(await to.digest()).toEqual(digest);
      expect(streamed.map(({ position: at, event }) => [at - position, event.seq])).toEqual(
        [1, 2, 3, 4, 5, 6].map((seq) => [seq, seq]),
      );
      expect(to.logBytes()).toBe(from.logBytes());
      expect(await to.batches(a.nodeId, { from: 1, to: 6 }, 1e9)).toHaveLength(2);
      expect(await to.changesAfter(position, 10)).toEqual(streamed);
      await to.close();
      to = await place.open();
      expect(await to.digest()).toEqual(digest);
      await expectInStep(to);
    });

    test('an origin that was forgotten does not come back with a snapshot, though the log still has it', async () => {
      const fromA = batchesOf(a, 1, hosts(2));
      await from.commit(fromA);
      await to.commit([...fromA, ...batchesOf(b, 1, hosts(1, 'b'))]);
      await from.forgetOrigins([a.nodeId]);
      await to.forgetOrigins([a.nodeId]);
      await takeSnapshot(from, to);
      expect((await to.byValue('fqdn', 'h0.a.example.com'))[0]?.count).toBe(1);
      expect([...to.vector().keys()]).toEqual([b.nodeId]);
      await expectInStep(to);
    });

    test('a chunk whose rows are out of order, out of its range or no records is refused whole', async () => {
      await from.commit(batchesOf(a, 1, hosts(4)));
      const [chunk] = await chunksOf(await from.snapshot(), 1e6);
      const lines = Buffer.from(chunk?.bytes ?? [])
        .toString()
        .split('\n')
        .slice(0, -1);
      const read = (texts: readonly string[], after = '', end = lastEnd) =>
        readTexts(Buffer.from(texts.map((text) => `${text}\n`).join('')), after, end);
      const rows = read(lines);
      expect(rows).toHaveLength(4);
      expect(read([...lines].reverse())).toBeUndefined();
      expect(read([lines[0] ?? '', lines[0] ?? ''])).toBeUndefined();
      expect(read(lines, rows?.[0]?.key)).toBeUndefined();
      expect(read(lines, '', rows?.[2]?.key)).toBeUndefined();
      expect(read([`${lines[0]} `])).toBeUndefined();
      expect(read(['[]'])).toBeUndefined();
      expect(readTexts(Buffer.from(lines[0] ?? ''), '', lastEnd)).toBeUndefined();
    });
  });
}
