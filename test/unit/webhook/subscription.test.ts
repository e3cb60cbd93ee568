import { expect, test } from 'vitest';
import type { StreamLog } from '../../../src/stream/stream-log.ts';
import { cursorAtTime, subscribe } from '../../../src/webhook/subscription.ts';
import { openRooms, startMs } from '../../support/rooms.ts';

const minuteMs = 60_000;

type Rooms = Awaited<ReturnType<typeof openRooms>>;

/** What a subscription reads until it has come to the end of the stream. */
async function read(rooms: Rooms, from: { log?: StreamLog; cursor: string; sinceMs?: number }) {
  const { log = rooms.streamLog, cursor, sinceMs = 0 } = from;
  const stop = new AbortController();
  const values: string[] = [];
  let cuts = 0;
  await subscribe({
    log,
    wanted: { kinds: ['indicator'] },
    cursor,
    sinceMs,
    async take(messages, looked) {
      for (const { change } of messages) if ('record' in change) values.push(change.record.indicator);
      if (looked >= log.lastPosition()) stop.abort();
    },
    missed: () => undefined,
    cut: () => cuts++,
    signal: stop.signal,
  });
  return { values, cuts };
}

async function threeMinutesApart() {
  const rooms = await openRooms();
  for (const name of ['a', 'b', 'c']) {
    await rooms.submit(`${name}.example.com`);
    rooms.clock.advance(3 * minuteMs);
  }
  return rooms;
}

test('a cursor of a time goes on from there on any node, and what was made before the webhook is left out', async () => {
  await using rooms = await threeMinutesApart();
  const all = ['a.example.com', 'b.example.com', 'c.example.com'];
  expect(await read(rooms, { cursor: cursorAtTime(startMs) })).toEqual({ values: all, cuts: 0 });
  const madeMs = startMs + 3 * minuteMs;
  expect(await read(rooms, { cursor: cursorAtTime(madeMs), sinceMs: madeMs })).toEqual({
    values: all.slice(1),
    cuts: 0,
  });
});

test('a log that does not reach back is read from its beginning, less what lies well before the cursor', async () => {
  await using rooms = await threeMinutesApart();
  const log = { ...rooms.streamLog, stopped: false, startAt: async () => undefined };
  const cursor = cursorAtTime(startMs + 4 * minuteMs);
  expect(await read(rooms, { log, cursor })).toEqual({ values: ['b.example.com', 'c.example.com'], cuts: 1 });
});
