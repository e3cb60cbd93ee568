import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { expect, test } from 'vitest';
import type { Filter } from '../../../src/query/filter.ts';
import { createReaders } from '../../../src/stream/readers.ts';
import { sseBody } from '../../../src/stream/sse.ts';
import { createStreamLog, type StreamLog } from '../../../src/stream/stream-log.ts';
import { openRooms } from '../../support/rooms.ts';

/** Reads a body event by event; comments are events named `comment`. */
function reader(body: ReadableStream<Uint8Array>) {
  const chunks = body.getReader();
  const seen: (EventSourceMessage | { event: 'comment'; data: string; id: undefined })[] = [];
  const parser = createParser({
    onEvent: (message) => seen.push(message),
    onComment: (data) => seen.push({ event: 'comment', data, id: undefined }),
  });
  return {
    async next() {
      while (seen.length === 0) {
        const { done, value } = await chunks.read();
        if (done) return undefined;
        parser.feed(Buffer.from(value).toString());
      }
      return seen.shift();
    },
    cancel: () => chunks.cancel(),
  };
}

const errors: unknown[] = [];

const snapshot = '/indicators?nofeed=1';

const bodyOf = (log: StreamLog, filter: Filter = {}, cursor?: string, readers = createReaders()) =>
  sseBody(
    { log, readers, failed: (error) => errors.push(error) },
    { filter: { filter }, cursor, snapshot, signal: undefined },
  );

const open = (log: StreamLog, filter?: Filter, cursor?: string) => reader(bodyOf(log, filter, cursor));

/** The same place in the stream as `cursor`, but for its position. */
const movedTo = (cursor: string, position: number) => cursor.replace(/\.\d+\./, `.${position}.`);

function dataOf(
  message: { readonly data: string } | undefined,
): Record<string, unknown> & { data: Record<string, unknown> } {
  return JSON.parse(message?.data ?? '{}');
}

test('a stream opens with connected, whose id resumes even when nothing else came', async () => {
  await using rooms = await openRooms();
  await rooms.submit('a.example.com');
  const first = open(rooms.streamLog);
  const connected = await first.next();
  expect(connected?.event).toBe('connected');
  expect(dataOf(connected)).toMatchObject({ first: expect.any(String), last: expect.any(String) });
  expect(connected?.id).toBe(dataOf(connected)['last']);
  await first.cancel();
  await rooms.submit('b.example.com');
  const second = open(rooms.streamLog, {}, connected?.id);
  await second.next();
  expect(dataOf(await second.next()).data['indicator']).toBe('b.example.com');
  await second.cancel();
});

test('the first cursor of connected gives everything', async () => {
  await using rooms = await openRooms();
  await rooms.submit('a.example.com', 'b.example.com');
  const live = open(rooms.streamLog);
  const { first } = dataOf(await live.next());
  await live.cancel();
  const all = open(rooms.streamLog, {}, String(first));
  await all.next();
  expect(dataOf(await all.next()).data['indicator']).toBe('a.example.com');
  await all.cancel();
});

test('a message is a CloudEvent with its cursor as id and the topic as event', async () => {
  await using rooms = await openRooms();
  const stream = open(rooms.streamLog);
  await stream.next();
  await rooms.submit('a.example.com');
  await rooms.submit('a.example.com');
  const created = await stream.next();
  expect(created?.event).toBe('indicator');
  expect(dataOf(created)).toMatchObject({
    specversion: '1.0',
    id: `${rooms.identity.nodeId}-1`,
    type: 'tocsin.indicator.created',
    cursor: created?.id,
    data: { indicator: 'a.example.com', count: 1 },
  });
  expect(dataOf(await stream.next())).toMatchObject({ type: 'tocsin.indicator.updated', data: { count: 2 } });
  await stream.cancel();
});

test.each(['garbage', '', 'x.1', '../../etc'])(
  'the cursor %j resets, with an id to go on from, and goes on live',
  async (cursor) => {
    await using rooms = await openRooms();
    await rooms.submit('a.example.com');
    const stream = open(rooms.streamLog, {}, cursor);
    expect((await stream.next())?.event).toBe('connected');
    const reset = await stream.next();
    expect(reset?.event).toBe('reset');
    expect(await rooms.streamLog.resume(reset?.id ?? '')).toBe(1);
    await rooms.submit('b.example.com');
    expect(dataOf(await stream.next()).data['indicator']).toBe('b.example.com');
    await stream.cancel();
  },
);

test('a cursor ahead of the log resets, and says where all there is can be read', async () => {
  await using rooms = await openRooms();
  await rooms.submit('a.example.com');
  const stream = open(rooms.streamLog, {}, movedTo(rooms.streamLog.lastCursor(), 999));
  await stream.next();
  const reset = await stream.next();
  expect(reset?.event).toBe('reset');
  expect(dataOf(reset)).toMatchObject({ cursor: reset?.id, snapshot });
  await stream.cancel();
});

test('a filter lets through what it wants', async () => {
  await using rooms = await openRooms();
  const stream = open(rooms.streamLog, { itypes: ['ipv4'] });
  await stream.next();
  await rooms.submit('a.example.com');
  await rooms.submit('192.0.2.1');
  expect(dataOf(await stream.next()).data['indicator']).toBe('192.0.2.1');
  await stream.cancel();
});

test('a silent stream has a heartbeat every 15 s that moves the resume point past what was not wanted', async () => {
  await using rooms = await openRooms();
  const body = bodyOf(rooms.streamLog, { itypes: ['ipv4'] }).getReader();
  await body.read();
  const next = body.read();
  await rooms.submit('a.example.com', 'b.example.com');
  await new Promise(setImmediate);
  rooms.clock.advance(15_000);
  const text = Buffer.from((await next).value ?? []).toString();
  expect(text).toMatch(/^: /);
  expect(text).toContain(`id: ${rooms.streamLog.lastCursor()}\n`);
  await body.cancel();
  expect(rooms.clock.timers).toBe(0);
});

test('what cannot be had any more is a gap, with the cursor to resume from, and the end', async () => {
  await using rooms = await openRooms();
  await rooms.submit('a.example.com', 'b.example.com', 'c.example.com', 'd.example.com');
  const trimmed = {
    ...rooms.store,
    changesAfter: async (position: number, limit: number) =>
      await rooms.store.changesAfter(Math.max(position, 2), limit),
  };
  const log = createStreamLog(trimmed, rooms.identity.nodeId, rooms.clock);
  const zero = movedTo(log.lastCursor(), 0);
  const stream = open(log, {}, zero);
  await stream.next();
  const gap = await stream.next();
  expect(gap?.event).toBe('gap');
  expect(dataOf(gap)['cursor']).toBe(gap?.id);
  expect(await stream.next()).toBeUndefined();
  const resumed = open(log, {}, gap?.id);
  await resumed.next();
  expect(dataOf(await resumed.next()).data['indicator']).toBe('c.example.com');
  await resumed.cancel();
  log.stop();
});

test('a store that cannot be read ends the stream instead of breaking it, and is told', async () => {
  await using rooms = await openRooms();
  await rooms.submit('a.example.com');
  const changesAfter = () => Promise.reject(new Error('disk'));
  const broken = { ...rooms.store, changesAfter };
  const log = createStreamLog(broken, rooms.identity.nodeId, rooms.clock);
  const stream = open(log, {}, movedTo(log.lastCursor(), 0));
  let last: unknown;
  do last = await stream.next();
  while (last !== undefined);
  expect(errors.splice(0)).toEqual([new Error('disk')]);
  log.stop();
});

test('stopping the log ends its readers and leaves no timer', async () => {
  await using rooms = await openRooms();
  const stream = reader(bodyOf(rooms.streamLog));
  await stream.next();
  const end = stream.next();
  rooms.streamLog.stop();
  expect(await end).toBeUndefined();
  expect(rooms.clock.timers).toBe(0);
});

test('a body that is never read holds nothing', async () => {
  await using rooms = await openRooms();
  bodyOf(rooms.streamLog);
  await new Promise(setImmediate);
  expect(rooms.clock.timers).toBe(0);
});

test('a reader far behind gets everything once, from the store and then the tail', async () => {
  await using rooms = await openRooms();
  for (let i = 0; i < 45; i++)
    await rooms.submit(...Array.from({ length: 500 }, (_, j) => `h${i * 500 + j}.example.com`));
  const log = rooms.streamLog;
  const zero = movedTo(log.lastCursor(), 0);
  const stream = open(log, {}, zero);
  await stream.next();
  for (let i = 0; i < 45 * 500; i++) {
    const message = await stream.next();
    if (dataOf(message).data['indicator'] !== `h${i}.example.com`)
      throw new Error(`message ${i} is ${message?.data}`);
  }
  await stream.cancel();
});
