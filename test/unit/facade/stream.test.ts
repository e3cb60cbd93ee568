import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { createReaders } from '../../../src/stream/readers.ts';
import { bearer, openRooms } from '../../support/rooms.ts';
import { serveRooms } from '../../support/served-rooms.ts';

type Rooms = Awaited<ReturnType<typeof openRooms>>;
type Event = { id: string; type: string; cursor: string; data: Record<string, unknown> };

async function poll(rooms: Rooms, query = '') {
  const response = await rooms.app.request(`/stream/ndjson?${query}`, { headers: bearer('stream') });
  const text = await response.text();
  const cursor = response.headers.get('tocsin-cursor') ?? '';
  if (response.status !== 200) return { response, cursor, events: [], problem: JSON.parse(text) };
  expect(response.headers.get('content-type')).toBe('application/x-ndjson');
  const lines = text === '' ? [] : text.trimEnd().split('\n');
  return { response, cursor, events: lines.map((line): Event => JSON.parse(line)), problem: undefined };
}

const indicators = (events: readonly Event[]) => events.map(({ data }) => data['indicator']);

test('a poll without a cursor and without waiting says where the stream is', async () => {
  await using rooms = await openRooms();
  await rooms.submit('a.example.com');
  const { events, cursor } = await poll(rooms, 'wait=0');
  expect(events).toEqual([]);
  await rooms.submit('b.example.com');
  const next = await poll(rooms, `wait=0&cursor=${cursor}`);
  expect(indicators(next.events)).toEqual(['b.example.com']);
  expect(next.events[0]).toMatchObject({ specversion: '1.0', type: 'tocsin.indicator.created' });
  expect((await poll(rooms, `wait=0&cursor=${next.cursor}`)).events).toEqual([]);
  expect(rooms.clock.timers).toBe(0);
});

test('a poll waits until there is something that is wanted', async () => {
  await using rooms = await openRooms();
  const waiting = poll(rooms, 'itype=ipv4');
  await expect.poll(() => rooms.readers.now().get('ndjson')).toBe(1);
  await rooms.submit('a.example.com');
  await rooms.submit('192.0.2.1');
  const { events, cursor } = await waiting;
  expect(indicators(events)).toEqual(['192.0.2.1']);
  expect(await rooms.streamLog.resume(cursor)).toBe(2);
  expect(rooms.readers.now().get('ndjson')).toBe(0);
  expect(rooms.clock.timers).toBe(0);
});

test('a poll that hears of nothing answers after its time, with a cursor behind what was not wanted', async () => {
  await using rooms = await openRooms();
  const waiting = poll(rooms, 'itype=ipv4&wait=20');
  await expect.poll(() => rooms.readers.now().get('ndjson')).toBe(1);
  await rooms.submit('a.example.com');
  rooms.clock.advance(15_000);
  await expect.poll(() => rooms.clock.timers).toBe(2);
  rooms.clock.advance(5_000);
  const { events, cursor } = await waiting;
  expect(events).toEqual([]);
  expect(await rooms.streamLog.resume(cursor)).toBe(1);
});

test.each([1, 7, 499, 500, 501, 10_000])('polls of %i lines show everything once', async (limit) => {
  await using rooms = await openRooms();
  const values = Array.from({ length: 1_100 }, (_, i) => `h${i}.example.com`);
  let { cursor } = await poll(rooms, 'wait=0');
  await rooms.submit(...values.slice(0, 600));
  await rooms.submit(...values.slice(600));
  const seen: unknown[] = [];
  for (let polls = 0; polls < 2_000; polls++) {
    const { events, cursor: next } = await poll(rooms, `wait=0&limit=${limit}&cursor=${cursor}`);
    expect(events.length).toBeLessThanOrEqual(limit);
    if (events.length === 0) break;
    seen.push(...indicators(events));
    cursor = next;
  }
  expect(seen).toEqual(values);
});

test('a cursor that leads no further is one line, with the path of a snapshot that has the same filter', async () => {
  await using rooms = await openRooms();
  await rooms.submit('a.example.com');
  const { events, cursor } = await poll(
    rooms,
    'cursor=nonsense&tags=malware&tlp=green&kind=indicator&wait=3',
  );
  expect(events).toHaveLength(1);
  expect(events[0]).toMatchObject({ type: 'tocsin.stream.reset', cursor, data: { cursor } });
  const snapshot = String(events[0]?.data['snapshot']);
  expect(snapshot).toBe('/indicators?nofeed=1&sort=indicator&tags=malware&tlp=green&nolog=1');
  const answer = await rooms.app.request(snapshot, { headers: bearer('read') });
  expect(answer.status).toBe(200);
  const watching = await poll(rooms, 'cursor=nonsense&q=192.0.2.0/24');
  expect(watching.events[0]?.data['snapshot']).toBe('/indicators?q=192.0.2.0%2F24&nolog=1');
});

test('with follow the lines go on, and the stream speaks of itself', async () => {
  await using rooms = await openRooms();
  const response = await rooms.app.request('/stream/ndjson?follow=1', { headers: bearer('stream') });
  const reader = response.body?.getReader();
  const next = async () => JSON.parse(Buffer.from((await reader?.read())?.value ?? []).toString()) as Event;
  expect((await next()).type).toBe('tocsin.stream.connected');
  await rooms.submit('a.example.com');
  expect((await next()).data['indicator']).toBe('a.example.com');
  const alive = next();
  await expect.poll(() => rooms.clock.timers).toBe(1);
  rooms.clock.advance(15_000);
  expect((await alive).type).toBe('tocsin.stream.alive');
  await reader?.cancel();
  expect(rooms.readers.now().get('ndjson')).toBe(0);
});

/** What a stream with a filter shows of what is said, as far as the first that passes any. */
async function through(rooms: Rooms, query: string): Promise<readonly string[]> {
  const zero = rooms.streamLog.cursorAt(0);
  const { events, problem } = await poll(rooms, `wait=0&cursor=${zero}&${query}`);
  if (problem !== undefined) throw new Error(problem.detail);
  return events.map(({ type, data }) => `${type.replace('tocsin.', '')} ${data['indicator'] ?? data['q']}`);
}

test('filters by kind and value let through statements, sightings, retractions and searches', async () => {
  await using rooms = await openRooms();
  await rooms.submit(
    { indicator: '192.0.2.7', tags: 'malware', confidence: 9, asn: 64500, cc: 'DE', tlp: 'green' },
    { indicator: '198.51.100.1', tags: 'scanner', confidence: 3 },
  );
  await rooms.submit('http://www.example.com/login');
  const key = { indicator: '192.0.2.7', itype: 'ipv4', provider: 'test', group: 'everyone' } as const;
  await rooms.intake.say([
    { kind: 'sight', body: { ...key, count: 1, timeMs: rooms.clock.wallMs() } },
    { kind: 'search', body: { q: '192.0.2.0/24', itype: 'ipv4', by: 'alice' } },
    { kind: 'search', body: { q: '*.example.com', by: 'bob' } },
    { kind: 'retract', body: { ...key, reason: 'mistaken' } },
    { kind: 'admin', body: { collection: 'webhook', id: 'x', body: '{}' } },
  ]);
  const said = 'indicator.created 192.0.2.7';
  const [sighted, retracted] = ['sighting 192.0.2.7', 'retract 192.0.2.7'];
  const [asked, pattern] = ['search 192.0.2.0/24', 'search *.example.com'];
  expect(await through(rooms, 'kind=search')).toEqual([asked, pattern]);
  expect(await through(rooms, 'kind=indicator,retract&itype=ipv4')).toEqual([
    said,
    'indicator.created 198.51.100.1',
    retracted,
  ]);
  expect(await through(rooms, 'q=192.0.2.7')).toEqual([said, sighted, asked, retracted]);
  expect(await through(rooms, 'q=example.com')).toEqual(['indicator.created http://www.example.com/login']);
  expect(await through(rooms, 'provider=alice,bob&itype=ipv4')).toEqual([asked]);
  expect(await through(rooms, 'provider=bob')).toEqual([pattern]);
  // A search has no tags: it is not among those that have some, and is among those that lack one.
  expect(await through(rooms, 'tags=malware')).toEqual([said, sighted, retracted]);
  expect(await through(rooms, 'tags=!malware,!scanner&kind=search')).toEqual([asked, pattern]);
  for (const query of [
    'confidence=0&kind=search',
    'asn=64500&kind=search',
    'cc=DE&kind=search',
    'tlp=green&kind=search',
  ])
    expect(await through(rooms, query)).toEqual([]);
  expect(await through(rooms, 'cc=DE&asn=64500&tlp=green&confidence=8')).toEqual([said, sighted, retracted]);
  const { events } = await poll(rooms, `wait=0&kind=search&cursor=${rooms.streamLog.cursorAt(0)}`);
  expect(events[0]?.data).toEqual({
    q: '192.0.2.0/24',
    itype: 'ipv4',
    by: 'alice',
    node: rooms.identity.nodeId,
    time: expect.stringMatching(/^2026-01-02T/),
  });
  expect(events[0]?.id).toMatch(new RegExp(`^${rooms.identity.nodeId}-\\d+$`));
});

test('what expires is told once, by an id that is the same on every node', async () => {
  await using rooms = await openRooms();
  await rooms.store.expire(rooms.clock.wallMs());
  const expiretime = new Date(rooms.clock.wallMs() + 60_000).toISOString();
  await rooms.submit({ indicator: '192.0.2.7', expiretime });
  expect(await rooms.store.expire(rooms.clock.wallMs() + 120_000)).toBe(1);
  const { events } = await poll(rooms, `wait=0&kind=expire&cursor=${rooms.streamLog.cursorAt(0)}`);
  expect(events).toHaveLength(1);
  expect(events[0]).toMatchObject({ type: 'tocsin.expire', data: { indicator: '192.0.2.7' } });
  expect(events[0]?.id).toBe(`expire-${events[0]?.data['id']}-${Date.parse(expiretime)}`);
});

test.each([
  ['kind=enrich', 'kind'],
  ['q=', 'q'],
  ['q=!!', 'q'],
  ['wait=51', 'wait'],
  ['limit=0', 'limit'],
  ['follow=yes', 'follow'],
  ['days=1', 'days'],
])('%s is refused, and the parameter named', async (query, parameter) => {
  await using rooms = await openRooms();
  const { response, problem } = await poll(rooms, query);
  expect(response.status).toBe(400);
  expect(JSON.stringify(problem)).toContain(parameter);
});

test('there are so many readers of all kinds at most, and each gives its place back', () => {
  const readers = createReaders(3);
  const leave = [readers.enter('sse'), readers.enter('websocket'), readers.enter('ndjson')];
  expect(readers.isFull()).toBe(true);
  leave[1]?.();
  leave[1]?.();
  expect(readers.isFull()).toBe(false);
  expect(readers.now()).toEqual(new Map(Object.entries({ sse: 1, ndjson: 1, websocket: 0 })));
  expect(readers.counted()).toEqual(new Map([['refused', 1]]));
});

test.each(['/stream', '/stream/ndjson', '/stream/ndjson?follow=1'])(
  'a node whose places are taken says when to come back: %s',
  async (path) => {
    await using rooms = await openRooms();
    Object.assign(rooms.readers, { isFull: () => true });
    const response = await rooms.app.request(path, { headers: bearer('stream') });
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '30']);
  },
);

test('a ticket is good once, for a minute, and for a stream only', async () => {
  await using rooms = await openRooms();
  const issue = async () => {
    const response = await rooms.app.request('/stream/ticket', { method: 'POST', headers: bearer('stream') });
    expect(response.headers.get('cache-control')).toBe('no-store');
    return ((await response.json()) as { ticket: string }).ticket;
  };
  const status = async (path: string) => (await rooms.app.request(path)).status;
  const used = await issue();
  expect(await status(`/stream/ndjson?wait=0&ticket=${used}`)).toBe(200);
  expect(await status(`/stream/ndjson?wait=0&ticket=${used}`)).toBe(401);
  expect(await status(`/indicators?ticket=${await issue()}`)).toBe(401);
  expect(await status(`/stream/ticket?ticket=${await issue()}`)).toBe(401);
  const old = await issue();
  rooms.clock.advance(60_000);
  expect(await status(`/stream/ndjson?wait=0&ticket=${old}`)).toBe(401);
  const refused = await rooms.app.request('/stream/ticket', { method: 'POST', headers: bearer('read') });
  expect(refused.status).toBe(403);
});

test('an admin’s ticket reads the stream and gives nothing else', async () => {
  await using rooms = await openRooms();
  const response = await rooms.app.request('/stream/ticket', { method: 'POST', headers: bearer('admin') });
  const { ticket } = (await response.json()) as { ticket: string };
  expect(rooms.parts.tickets.redeem(ticket)?.scopes).toEqual(new Set(['stream']));
});

test('tickets that nobody uses are bounded', async () => {
  await using rooms = await openRooms();
  const principal = { name: 'x', scopes: new Set(['stream'] as const) };
  for (let i = 0; i < 1_000; i++) expect(rooms.parts.tickets.issue(principal)).toBeDefined();
  expect(rooms.parts.tickets.issue(principal)).toBeUndefined();
  const response = await rooms.app.request('/stream/ticket', { method: 'POST', headers: bearer('stream') });
  expect(response.status).toBe(503);
  rooms.clock.advance(60_000);
  expect(rooms.parts.tickets.issue(principal)).toBeDefined();
});

test('who hangs up gives the place of its poll back', async () => {
  await using node = await serveRooms();
  const socket = connect(node.port, '127.0.0.1');
  socket.write(
    `GET /stream/ndjson HTTP/1.1\r\nHost: x\r\nAuthorization: ${bearer('stream')['authorization']}\r\n\r\n`,
  );
  await expect.poll(() => node.readers.now().get('ndjson')).toBe(1);
  socket.destroy();
  await once(socket, 'close');
  await expect.poll(() => node.readers.now().get('ndjson')).toBe(0);
});

test('polls and streams end when the node stops', async () => {
  await using node = await serveRooms();
  const polling = fetch(`${node.url}/stream/ndjson`, { headers: bearer('stream') });
  const following = await fetch(`${node.url}/stream/ndjson?follow=1`, { headers: bearer('stream') });
  const events = await fetch(`${node.url}/stream`, { headers: bearer('stream') });
  const texts = [following.text(), events.text()];
  await expect.poll(() => [...node.readers.now().values()].reduce((sum, count) => sum + count)).toBe(3);
  await node.server.stop();
  const polled = await polling;
  expect([polled.status, await polled.text()]).toEqual([200, '']);
  for (const text of await Promise.all(texts)) expect(text).toContain('connected');
});

test.each([
  ['nofeed=1', 'application/json'],
  ['nofeed=1', 'text/csv'],
  ['q=example.com', 'application/x-ndjson'],
  ['', 'application/json'],
  ['', 'text/csv'],
])('an answer to %j as %s says where the stream goes on from it', async (query, accept) => {
  await using rooms = await openRooms();
  await rooms.submit('a.example.com');
  const at = rooms.streamLog.lastCursor();
  const headers = { ...bearer('read'), accept };
  const response = await rooms.app.request(`/indicators?${query}`, { headers });
  expect(response.headers.get('tocsin-stream-cursor')).toBe(at);
  if (accept === 'application/json')
    expect(await response.json()).toMatchObject({ meta: { stream_cursor: at } });
});

test('a feed as JSON is not sent again although the stream went on', async () => {
  await using rooms = await openRooms();
  await rooms.submit({ indicator: 'a.example.com', confidence: 9 });
  const first = await rooms.app.request('/indicators', { headers: bearer('feed') });
  const etag = first.headers.get('etag') ?? '';
  expect(etag).toMatch(/^W\//);
  await rooms.submit({ indicator: 'b.example.com', confidence: 1 });
  const headers = { ...bearer('feed'), 'if-none-match': etag };
  const again = await rooms.app.request('/indicators', { headers });
  expect(again.status).toBe(304);
  expect(again.headers.get('tocsin-stream-cursor')).toBe(rooms.streamLog.lastCursor());
});

test.each([1, 3])(
  'pages of %i records and the stream behind the first one are all there is, whatever is written meanwhile',
  async (limit) => {
    await using rooms = await openRooms();
    const write = (i: number) => rooms.submit(`h${(i * 7) % 40}.example.com`, `192.0.2.${i % 30}`);
    for (let i = 0; i < 20; i++) await write(i);
    const known = new Map<unknown, unknown>();
    let query = `nofeed=1&sort=indicator&limit=${limit}`;
    let cursor: string | undefined;
    for (let i = 20; query !== ''; i++) {
      const response = await rooms.app.request(`/indicators?${query}`, { headers: bearer('read') });
      const { meta, data } = (await response.json()) as {
        meta: { stream_cursor: string; next?: string };
        data: { id: string }[];
      };
      cursor ??= meta.stream_cursor;
      for (const record of data) known.set(record.id, record);
      query = meta.next === undefined ? '' : `nofeed=1&sort=indicator&limit=${limit}&cursor=${meta.next}`;
      if (i < 120) await write(i);
    }
    const { events } = await poll(rooms, `wait=0&limit=10000&cursor=${cursor}`);
    for (const { data } of events) known.set(data['id'], data);
    const all = await rooms.app.request('/indicators?nofeed=1&limit=1000', { headers: bearer('read') });
    const { data } = (await all.json()) as { data: { id: string }[] };
    expect(known).toEqual(new Map(data.map((record) => [record.id, record])));
  },
);
