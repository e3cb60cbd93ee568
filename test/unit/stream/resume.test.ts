import fc from 'fast-check';
import { MemoryLevel } from 'memory-level';
import { expect, test } from 'vitest';
import { sealBatches } from '../../../src/event/batch.ts';
import { hlcAt } from '../../../src/event/hlc.ts';
import { createIdentity } from '../../../src/event/identity.ts';
import { eventId, type NodeId, type OpenedBatch } from '../../../src/event/types.ts';
import { openStore } from '../../../src/store/level-store.ts';
import { readTexts } from '../../../src/store/snapshot.ts';
import type { IndicatorStore } from '../../../src/store/store.ts';
import type { StreamFilter } from '../../../src/stream/stream-filter.ts';
import { createStreamLog, type StreamLog } from '../../../src/stream/stream-log.ts';
import { observation } from '../../contract/store-contract.ts';
import { manualClock, startMs } from '../../support/rooms.ts';

const minuteMs = 60_000;
const origins = [1, 2, 3].map((seed) => createIdentity(new Uint8Array(32).fill(seed)));

/** One event of an origin, made so many minutes after the start. */
function made(origin: number, seq: number, minute: number): readonly OpenedBatch[] {
  const identity = origins[origin];
  if (identity === undefined) throw new Error('no such origin');
  const body = observation(`h${seq}.o${origin}.example.com`);
  return sealBatches(identity, seq, [{ hlc: hlcAt(startMs + minute * minuteMs), kind: 'observe', body }]);
}

const idOf = (origin: number, seq: number) => `${origins[origin]?.nodeId}-${seq}`;

/** A node's store and stream. */
async function node(number: number) {
  const level = new MemoryLevel<string, string>();
  const clock = manualClock();
  const nodeId = String(number).repeat(32) as NodeId;
  let store = await openStore(level);
  let settledMs = startMs;
  const open = () => createStreamLog(store, nodeId, clock, () => settledMs);
  let log = open();
  return {
    get store(): IndicatorStore {
      return store;
    },
    get log(): StreamLog {
      return log;
    },
    clock,
    settle(minute: number) {
      settledMs = startMs + minute * minuteMs;
    },
    async restart() {
      log.stop();
      await store.close();
      await level.open();
      store = await openStore(level);
      log = open();
    },
  };
}

/** Reads to the end: ids of events, and the cursor behind each. */
async function readAll(
  log: StreamLog,
  from: string,
): Promise<{ ids: string[]; cursors: string[]; missed: number }> {
  const start = await log.startAt(from);
  if (start === undefined) throw new Error('reset');
  const wanted: StreamFilter = start.since === undefined ? {} : { since: start.since };
  const ids: string[] = [];
  const cursors: string[] = [];
  let missed = 0;
  for (let at = start.position; at < log.lastPosition(); ) {
    const step = await log.next(at, wanted, new AbortController().signal);
    missed += step.missed;
    for (const { id, cursor } of step.messages) {
      ids.push(id);
      cursors.push(cursor);
    }
    at = step.position;
  }
  return { ids, cursors, missed };
}

const ahead = (cursor: string) => cursor.replace(/\.\d+\./, '.999.');
const beginning = (cursor: string) => cursor.replace(/\.\d+\./, '.0.');

test('a reader that moves gets what was made since its cursor, less two minutes', async () => {
  const [a, b] = [await node(1), await node(2)];
  for (const minute of [0, 10, 20]) {
    for (const { store } of [a, b]) await store.commit(made(0, minute / 10 + 1, minute));
  }
  a.settle(20);
  const { cursors } = await readAll(a.log, beginning(a.log.lastCursor()));
  const move = async (cursor: string | undefined) => (await readAll(b.log, cursor ?? '')).ids;
  expect(await move(cursors[0])).toEqual([idOf(0, 2), idOf(0, 3)]);
  expect(await move(cursors[1])).toEqual([idOf(0, 3)]);
  // What was made less than two minutes before may come again.
  expect(await move(cursors[2])).toEqual([idOf(0, 3)]);
  a.settle(30);
  expect(await move(a.log.lastCursor())).toEqual([]);
  const later = await b.log.resume(a.log.lastCursor());
  expect(later).toBe(b.log.lastPosition());
});

test('the cursor of a node that was cut off says so: what it had not heard of is made up for', async () => {
  const [a, b] = [await node(1), await node(2)];
  a.settle(5);
  await b.store.commit(made(1, 1, 8));
  await a.store.commit(made(0, 1, 9));
  const { cursors } = await readAll(a.log, beginning(a.log.lastCursor()));
  await b.store.commit(made(0, 1, 9));
  expect((await readAll(b.log, cursors[0] ?? '')).ids).toEqual([idOf(1, 1), idOf(0, 1)]);
});

test('what came late lies behind cursors that are read back later, also after a restart', async () => {
  const [a, b] = [await node(1), await node(2)];
  await a.store.commit(made(0, 1, 20));
  await a.store.commit(made(1, 1, 3));
  await b.store.commit([...made(1, 1, 3), ...made(0, 1, 20)]);
  a.settle(60);
  for (let run = 0; run < 2; run++) {
    const { cursors } = await readAll(a.log, beginning(a.log.lastCursor()));
    expect((await readAll(b.log, cursors[0] ?? '')).ids).toContain(idOf(1, 1));
    expect((await readAll(b.log, cursors[1] ?? '')).ids).toEqual([]);
    await a.restart();
  }
});

test('what comes back after it was lost to all of them is not taken for seen', async () => {
  const [a, b] = [await node(1), await node(2)];
  for (const { clock, store, settle } of [a, b]) {
    await store.commit(made(0, 1, 0));
    clock.advance(30 * minuteMs);
    settle(30);
  }
  const cursor = a.log.lastCursor();
  // Only then the node that had said it is there again.
  for (const { clock, store, settle } of [a, b]) {
    clock.advance(minuteMs);
    settle(31);
    await store.commit(made(1, 1, 5));
    await store.commit(made(0, 2, 31));
  }
  expect((await readAll(b.log, cursor)).ids).toEqual([idOf(1, 1), idOf(0, 2)]);
  // By a cursor of later on it has been seen.
  for (const { clock } of [a, b]) clock.advance(5 * minuteMs);
  a.settle(36);
  expect((await readAll(b.log, a.log.lastCursor())).ids).toEqual([]);
});

test('what a node makes up for after an absence others have had: it is seen', async () => {
  const [a, b] = [await node(1), await node(2)];
  for (const { clock } of [a, b]) clock.advance(30 * minuteMs);
  a.settle(30);
  b.settle(0);
  for (const { store } of [a, b]) await store.commit(made(0, 1, 5));
  b.settle(30);
  expect((await readAll(b.log, a.log.lastCursor())).ids).toEqual([]);
});

test('a node whose log does not reach back so far resets: it was trimmed', async () => {
  const [a, b] = [await node(1), await node(2)];
  for (const minute of [0, 10, 20]) {
    for (const { store } of [a, b]) await store.commit(made(0, minute / 10 + 1, minute));
  }
  await b.store.trimLog({ sinceMs: startMs + 5 * minuteMs, bytesMax: 1e9 });
  await b.restart();
  a.settle(3);
  expect(await b.log.resume(a.log.lastCursor())).toBeDefined();
  a.settle(2);
  expect(await b.log.resume(a.log.lastCursor())).toBeUndefined();
});

test('a newcomer that took a snapshot resumes from where its log was filled, and resets before', async () => {
  const [a, b] = [await node(1), await node(2)];
  const batches = [0, 10, 20, 30].flatMap((minute, i) => made(i % 2, Math.floor(i / 2) + 1, minute));
  await a.store.commit(batches);
  // Before it, a newcomer hears of what is said meanwhile.
  const live = made(2, 1, 31);
  await a.store.commit(live);
  await b.store.commit(live);
  const source = await a.store.snapshot();
  const sink = await b.store.receiveSnapshot();
  const { end, bytes } = await source.next(1e6);
  await sink.put('', end, readTexts(bytes, '', end) ?? []);
  await sink.install(source.state);
  await source[Symbol.asyncDispose]();
  a.settle(25);
  expect(await b.log.resume(a.log.lastCursor())).toBeUndefined();
  await b.store.backfill(batches.slice(1));
  await b.restart();
  const { ids } = await readAll(
    b.log,
    a.log.lastCursor().replace(/[^.]+$/, (startMs + 25 * minuteMs).toString(36)),
  );
  expect(ids.sort()).toEqual([idOf(1, 2), idOf(2, 1)].sort());
  // The time of what is lost is not known: it was made before what follows it.
  a.settle(21);
  expect(await b.log.resume(a.log.lastCursor())).toBeUndefined();
  // Who stood before the snapshot misses what only came by it, wherever it goes.
  const stood = await b.log.startAt(beginning(b.log.lastCursor()));
  const before = await b.log.next(stood?.position ?? 0, {}, new AbortController().signal);
  expect(before.messages.map(({ id }) => id)).toEqual([idOf(2, 1)]);
  expect(before.messages[0]?.cursor).toMatch(/\.0$/);
});

test.each([
  '',
  'x',
  `${'1'.repeat(32)}.5`,
  `${'1'.repeat(32)}.5.!`,
  `${'G'.repeat(32)}.5.0`,
  `${'1'.repeat(32)}.-1.0`,
])('the cursor %j is none', async (cursor) => {
  const a = await node(1);
  expect(await a.log.startAt(cursor)).toBeUndefined();
});

test('a cursor ahead of its own node is none; of another node its position means nothing', async () => {
  const [a, b] = [await node(1), await node(2)];
  expect(await a.log.startAt(ahead(a.log.lastCursor()))).toBeUndefined();
  expect(await b.log.startAt(ahead(a.log.lastCursor()))).toMatchObject({ position: 0 });
});

test('whatever the order in which events come to two nodes, a reader that moves at any point sees all of them', async () => {
  const events = fc.array(
    fc.record({ origin: fc.nat(2), minute: fc.nat(30), lateA: fc.nat(20), lateB: fc.nat(20) }),
    {
      minLength: 1,
      maxLength: 25,
    },
  );
  await fc.assert(
    fc.asyncProperty(events, fc.nat(60), fc.boolean(), async (drawn, cut, isRestarted) => {
      const [a, b] = [await node(1), await node(2)];
      const counts = [0, 0, 0];
      const all = [...drawn]
        .sort((x, y) => x.minute - y.minute)
        .map((event) => {
          const seq = (counts[event.origin] ?? 0) + 1;
          counts[event.origin] = seq;
          return { ...event, seq, batches: made(event.origin, seq, event.minute) };
        });
      /** Each comes so many minutes after it was made; a node is settled up to what it lacks. */
      async function arrive(to: typeof a, late: 'lateA' | 'lateB', minute: number): Promise<void> {
        for (const event of all.filter((one) => one.minute + one[late] === minute))
          await to.store.commit(event.batches);
        const lacks = all.filter((one) => one.minute <= minute && one.minute + one[late] > minute);
        to.settle(Math.min(minute, ...lacks.map((one) => one.minute)));
      }
      const seen = new Set<string>();
      let cursor = a.log.cursorAt(0);
      for (let minute = 0; minute <= cut; minute++) {
        await arrive(a, 'lateA', minute);
        await arrive(b, 'lateB', minute);
        // Now and then: what it has not read yet is read later, behind what came meanwhile.
        if (minute % 3 !== 0) continue;
        const { ids, cursors } = await readAll(a.log, cursor);
        for (const id of ids) seen.add(id);
        cursor = cursors.at(-1) ?? a.log.lastCursor();
      }
      if (isRestarted) {
        await b.restart();
        await a.restart();
        const { ids, cursors } = await readAll(a.log, a.log.cursorAt(0));
        // It stops somewhere on its way.
        const read = ids.slice(0, Math.ceil(ids.length / 2));
        if (read.length > 0) {
          seen.clear();
          for (const id of read) seen.add(id);
          cursor = cursors[read.length - 1] ?? cursor;
        }
      }
      const start = await b.log.startAt(cursor);
      expect(start).toBeDefined();
      const from = start?.position ?? 0;
      for (let minute = cut + 1; minute <= 60; minute++) await arrive(b, 'lateB', minute);
      const wanted = start?.since === undefined ? {} : { since: start.since };
      for (let at = from; at < b.log.lastPosition(); ) {
        const step = await b.log.next(at, wanted, new AbortController().signal);
        expect(step.missed).toBe(0);
        for (const { id } of step.messages) seen.add(id);
        at = step.position;
      }
      expect([...seen].sort()).toEqual(
        all
          .map(({ origin, seq }) => eventId({ origin: origins[origin]?.nodeId ?? ('' as NodeId), seq }))
          .sort(),
      );
    }),
    { numRuns: 60 },
  );
}, 60_000);
