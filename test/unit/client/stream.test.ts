import { once } from 'node:events';
import { expect, test } from 'vitest';

import type { EventMessage, Stream, StreamMessage } from '../../../src/client/client.ts';
import { json, testNode } from '../cli/support/node.ts';
import {
  alive,
  connected,
  control,
  envelope,
  message,
  nodeB,
  openStream,
  recordOf,
  testClient,
} from './support/stream-node.ts';

async function take(stream: Stream, count: number): Promise<readonly StreamMessage[]> {
  const taken: StreamMessage[] = [];
  for await (const one of stream) if (taken.push(one) === count) break;
  return taken;
}

const ids = (messages: readonly StreamMessage[]) => messages.map((one) => (one as EventMessage).id.slice(33));

test('messages are typed by kind, as the node sent them, and the filters are in the path', async () => {
  const search = envelope(2, { type: 'tocsin.search', data: { q: 'example.com', itype: 'fqdn', by: 'ada' } });
  const later = envelope(3, { type: 'tocsin.of-a-later-release', data: { any: 1 } });
  await using node = await testNode((_seen, response) =>
    openStream(
      response,
      connected('c0'),
      message(1),
      `id: c2\nevent: search\ndata: ${JSON.stringify(search)}\n\n`,
      `id: c3\nevent: new\ndata: ${JSON.stringify(later)}\n\n`,
    ),
  );
  const { client } = testClient([node.url], { token: 'hush' });
  const stream = client.stream({
    kind: ['indicator', 'search'],
    q: '192.0.2.0/24',
    confidence: 8,
    tags: '!a',
  });
  expect(await take(stream, 3)).toEqual([
    { kind: 'indicator', ...envelope(1) },
    { kind: 'search', ...search },
    { kind: 'other', ...later },
  ]);
  expect(stream.cursor).toBe('c3');
  expect(node.seen[0]).toMatchObject({
    path: '/stream',
    query: { kind: 'indicator,search', q: '192.0.2.0/24', confidence: '8', tags: '!a' },
    headers: { accept: 'text/event-stream', authorization: 'Bearer hush' },
  });
  expect(node.seen[0]?.headers['last-event-id']).toBeUndefined();
});

test('a node that dies in the middle of a message is asked again after the last whole one', async () => {
  await using node = await testNode((seen, response) => {
    if (seen.headers['last-event-id'] === 'c1') openStream(response, connected('c9'), message(2));
    else openStream(response, connected('c0'), message(1), message(2).slice(0, 60)).end();
  });
  const { client, states, onState } = testClient([node.url]);
  expect(ids(await take(client.stream({ onState }), 2))).toEqual(['1', '2']);
  expect(states).toEqual([
    { kind: 'connected', node: node.url, after: undefined },
    { kind: 'lost', node: node.url, reason: 'it closed the stream', after: 'c1', waitMs: 500 },
    { kind: 'reconnected', node: node.url, after: 'c1' },
  ]);
});

test('a stream that ends before its first message goes on where it began, or where a heartbeat left it', async () => {
  await using node = await testNode((seen, response) => {
    const after = seen.headers['last-event-id'];
    if (after === undefined) openStream(response, connected('c0')).end();
    else if (after === 'c0') openStream(response, connected('c5'), alive('c7')).end();
    else if (after === 'c7') openStream(response, message(8));
  });
  const { client, onState } = testClient([node.url]);
  expect(ids(await take(client.stream({ onState }), 1))).toEqual(['8']);
  expect(node.seen).toHaveLength(3);
});

test('it moves to the next node when its own is gone, and tells no event twice', async () => {
  await using second = await testNode((_seen, response) => {
    const at = (n: number) => message(n, { source: nodeB, cursor: `b${n}` });
    openStream(response, connected('b9'), at(1), at(2), at(3));
  });
  const first = await testNode((_seen, response) =>
    openStream(response, connected('c0'), message(1), message(2)),
  );
  const { client, states, onState } = testClient([first.url, second.url]);
  const stream = client.stream({ onState });
  expect((await stream.next()).value).toMatchObject({ cursor: 'c1' });
  expect((await stream.next()).value).toMatchObject({ cursor: 'c2' });
  await first[Symbol.asyncDispose]();
  expect((await stream.next()).value).toMatchObject({ cursor: 'b3' });
  await stream.return?.();
  expect(second.seen[0]?.headers['last-event-id']).toBe('c2');
  expect(states.map(({ kind }) => kind)).toEqual(['connected', 'lost', 'failed', 'moved']);
  expect(states.at(-1)).toEqual({ kind: 'moved', from: first.url, node: second.url, after: 'c2' });
});

test('a node that drains is left for the next, and found again when that one is gone', async () => {
  let isDraining = false;
  await using first = await testNode((seen, response) => {
    if (isDraining) json(response, 503, { title: 'Draining', status: 503, detail: 'this node drains' });
    else openStream(response, message(seen.headers['last-event-id'] === 'b2' ? 3 : 1)).end();
    isDraining = true;
  });
  const second = await testNode((_seen, response) => {
    isDraining = false;
    openStream(response, message(2, { source: nodeB, cursor: 'b2' }));
  });
  const { client, states, onState } = testClient([first.url, second.url]);
  const stream = client.stream({ onState });
  expect((await stream.next()).value).toMatchObject({ cursor: 'c1' });
  expect((await stream.next()).value).toMatchObject({ cursor: 'b2' });
  await second[Symbol.asyncDispose]();
  expect((await stream.next()).value).toMatchObject({ cursor: 'c3' });
  await stream.return?.();
  expect(states.map(({ kind }) => kind)).toEqual([
    'connected',
    'lost',
    'failed',
    'moved',
    'lost',
    'failed',
    'moved',
  ]);
  expect(states[2]).toEqual({ kind: 'failed', node: first.url, reason: 'this node drains' });
});

test('while nobody takes it the waits grow, and are no shorter than what busy nodes ask for', async () => {
  let asked = 0;
  await using node = await testNode((_seen, response) => {
    asked++;
    if (asked === 1) openStream(response, message(1)).end();
    else if (asked < 5) json(response, 500, { title: 'Broken', status: 500 });
    else if (asked === 5) response.writeHead(503, { 'retry-after': '7' }).end();
    else openStream(response, message(2));
  });
  const { client, states, onState } = testClient([node.url]);
  expect(ids(await take(client.stream({ onState }), 2))).toEqual(['1', '2']);
  expect(states.flatMap((state) => ('waitMs' in state ? state.waitMs : []))).toEqual([
    500, 1_000, 2_000, 4_000, 8_000,
  ]);
});

test('a node that says nothing for three heartbeats counts as dead, and is asked last', async () => {
  await using silent = await testNode((_seen, response) => openStream(response, connected('c0'), message(1)));
  await using other = await testNode((_seen, response) => openStream(response, message(2)));
  const { client, clock, states, onState } = testClient([silent.url, other.url]);
  const stream = client.stream({ onState });
  await stream.next();
  const next = stream.next();
  // Its heartbeats keep it: only silence counts.
  while (clock.timers < 2) await new Promise(setImmediate);
  clock.advance(45_000);
  expect((await next).value).toMatchObject({ cursor: 'c2' });
  expect(states[1]).toMatchObject({ kind: 'lost', reason: `${silent.url} was silent for 45 s.` });
  expect(silent.seen).toHaveLength(1);
  await stream.return?.();
  expect(clock.timers).toBe(0);
});

test('a node that takes the connection and never answers is left', async () => {
  await using hanging = await testNode(() => undefined);
  await using other = await testNode((_seen, response) => openStream(response, message(1)));
  const { client, clock } = testClient([hanging.url, other.url]);
  const next = client.stream().next();
  while (hanging.seen.length === 0) await new Promise(setImmediate);
  clock.advance(10_000);
  expect((await next).value).toMatchObject({ cursor: 'c1' });
});

test.each([
  ['no JSON', 'data: {"specversion"\n\n'],
  ['no envelope', 'data: {"specversion":"1.0","id":"x"}\n\n'],
  ['a record without an indicator', message(2, { data: { ...recordOf(2), indicator: 7 } })],
  ['a time that is none', message(2, { time: 'soon' })],
  ['a gap without data', 'event: gap\ndata: 7\n\n'],
  ['an event without an end', `data: ${'x'.repeat(1024 * 1024 + 100)}`],
])('a node that sends %s is left for the next one', async (_what, garbage) => {
  await using strange = await testNode((_seen, response) => openStream(response, message(1), garbage));
  await using other = await testNode((_seen, response) => openStream(response, message(2)));
  const { client, states, onState } = testClient([strange.url, other.url]);
  expect(ids(await take(client.stream({ onState }), 2))).toEqual(['1', '2']);
  expect(states[1]).toMatchObject({ kind: 'lost', reason: expect.stringContaining(strange.url) });
});

test('after a gap it goes on at the cursor that the node names', async () => {
  await using node = await testNode((seen, response) => {
    if (seen.headers['last-event-id'] === 'c5') openStream(response, message(6));
    else openStream(response, message(1), control('gap', { cursor: 'c5' })).end();
  });
  const { client, onState } = testClient([node.url]);
  expect(ids(await take(client.stream({ onState }), 2))).toEqual(['1', '6']);
});

test.each([
  ['reset', { cursor: 'c8', detail: 'it is too old' }, 'it is too old'],
  ['gap', { cursor: 'c8', missed: 12 }, 'this reader was too slow: 12 changes can no longer be had'],
])('what can no longer be had is told in a message of its own: %s', async (name, data, detail) => {
  await using node = await testNode((_seen, response) =>
    openStream(response, control(name, data), message(9)),
  );
  const { client } = testClient([node.url]);
  const [first, second] = await take(client.stream({ cursor: 'c1' }), 2);
  expect(first).toEqual({ kind: 'reset', cursor: 'c8', detail });
  expect(second).toMatchObject({ cursor: 'c9' });
  expect(node.seen[0]?.headers['last-event-id']).toBe('c1');
});

test('an opening at another place loses no reset that did not come through', async () => {
  await using node = await testNode((seen, response) => {
    if (node.seen.length === 1) openStream(response, connected('c8')).end();
    else
      openStream(response, control('reset', { cursor: String(seen.headers['last-event-id']), detail: 'x' }));
  });
  const { client, onState } = testClient([node.url]);
  expect(await take(client.stream({ cursor: 'b1', onState }), 1)).toEqual([
    { kind: 'reset', cursor: 'b1', detail: 'x' },
  ]);
});

test.each([
  [401, 'not-allowed'],
  [403, 'not-allowed'],
  [400, 'refused'],
  [404, 'not-found'],
])('a %i ends it with the reason, at first and later', async (status, code) => {
  let asked = 0;
  await using node = await testNode((_seen, response) => {
    asked++;
    if (asked === 2) openStream(response, message(1)).end();
    else json(response, status, { title: 'No', status, detail: 'not you' });
  });
  const { client, onState } = testClient([node.url]);
  await expect(client.stream().next()).rejects.toMatchObject({
    code,
    message: 'not you',
    status,
    node: node.url,
  });
  const stream = client.stream({ onState });
  await stream.next();
  await expect(stream.next()).rejects.toMatchObject({ name: 'ClientError', code });
  expect(await stream.next()).toEqual({ done: true, value: undefined });
});

test('a node that refuses is passed over while another one takes it', async () => {
  await using refusing = await testNode((_seen, response) => {
    if (refusing.seen.length === 1) openStream(response, message(1)).end();
    else json(response, 401, { title: 'Who is it?', status: 401 });
  });
  await using other = await testNode((_seen, response) => openStream(response, message(2)));
  const { client, states, onState } = testClient([refusing.url, other.url]);
  expect(ids(await take(client.stream({ onState }), 2))).toEqual(['1', '2']);
  expect(states.map(({ kind }) => kind)).toEqual(['connected', 'lost', 'failed', 'moved']);
});

test('a token that is renewed is asked for each time, and waited for after a restart of the node', async () => {
  await using node = await testNode((seen, response) => {
    const isKnown = seen.headers.authorization === (node.seen.length < 2 ? 'Bearer 1' : 'Bearer 4');
    if (isKnown) openStream(response, message(node.seen.length)).end();
    else json(response, 401, { title: 'Who is it?', status: 401 });
  });
  let asked = 0;
  const { client, states, onState } = testClient([node.url], { token: async () => String(++asked) });
  expect(ids(await take(client.stream({ onState }), 2))).toEqual(['1', '4']);
  expect(states.map(({ kind }) => kind)).toEqual([
    'connected',
    'lost',
    'failed',
    'waiting',
    'failed',
    'waiting',
    'reconnected',
  ]);
  await expect(
    testClient([node.url], { token: () => 'wrong' })
      .client.stream()
      .next(),
  ).rejects.toMatchObject({
    status: 401,
  });
});

test('a first connection that nobody takes ends with what each node says', async () => {
  await using page = await testNode((_seen, response) => response.end('<html>'));
  const gone = await testNode(() => undefined);
  await gone[Symbol.asyncDispose]();
  const { client } = testClient([gone.url, page.url]);
  await expect(client.stream().next()).rejects.toMatchObject({
    code: 'unreachable',
    message: expect.stringMatching(
      /ECONNREFUSED.*\n.*has no stream at \/stream: is it the address of a Tocsin node/,
    ),
  });
});

test('leaving it closes its socket, also while it waits', async () => {
  const closed: Promise<unknown>[] = [];
  await using node = await testNode((_seen, response) => {
    closed.push(once(response, 'close'));
    openStream(response, message(1));
  });
  const { client, clock } = testClient([node.url]);
  for await (const _ of client.stream()) break;
  await closed[0];

  const left = client.stream();
  await left.next();
  const waiting = left.next();
  await left.return?.();
  expect(await waiting).toEqual({ done: true, value: undefined });
  await closed[1];

  const controller = new AbortController();
  const aborted = client.stream({ signal: controller.signal });
  await aborted.next();
  const next = aborted.next();
  controller.abort();
  expect(await next).toEqual({ done: true, value: undefined });
  await closed[2];
  expect(await client.stream({ signal: controller.signal }).next()).toMatchObject({ done: true });
  expect(node.seen).toHaveLength(3);
  expect(clock.timers).toBe(0);
});

test('an abort ends the wait between two connections', async () => {
  await using node = await testNode((_seen, response) => openStream(response, message(1)).end());
  const controller = new AbortController();
  const { client, clock } = testClient([node.url]);
  const stream = client.stream({
    signal: controller.signal,
    onState: ({ kind }) => kind === 'lost' && setImmediate(() => controller.abort()),
  });
  await stream.next();
  expect(await stream.next()).toMatchObject({ done: true });
  expect(clock.timers).toBe(0);
});

test('after a move a seen event comes once more when it alone has the newest record', async () => {
  // The first node heard event 1 before the move; the second heard 2 before 1, about the same record.
  const about = (count: number) => recordOf(7, { count });
  await using second = await testNode((_seen, response) =>
    openStream(
      response,
      message(2, { source: nodeB, cursor: 'b1', data: about(1) }),
      message(1, { source: nodeB, cursor: 'b2', data: about(2) }),
    ),
  );
  const first = await testNode((_seen, response) => openStream(response, message(1, { data: about(1) })));
  const { client, onState } = testClient([first.url, second.url]);
  const stream = client.stream({ onState });
  await stream.next();
  await first[Symbol.asyncDispose]();
  expect((await stream.next()).value).toMatchObject({ cursor: 'b1', data: { count: 1 } });
  expect((await stream.next()).value).toMatchObject({ cursor: 'b2', repeated: true, data: { count: 2 } });
  await stream.return?.();
});
