import { expect, test } from 'vitest';

import { createClient, type IndicatorRecord } from '../../../src/client/client.ts';
import type { FeedRow } from '../../../src/feed/aggregate.ts';
import type { PublicRecord } from '../../../src/indicator/present.ts';
import { manualClock } from '../../support/rooms.ts';
import { json, testNode } from '../cli/support/node.ts';
import { recordOf, testClient } from './support/stream-node.ts';

test('search asks for a value with its filters, and answers the page as the node gave it', async () => {
  const page = { meta: { mode: 'query', defaults: {}, count: 1, next: 'p2' }, data: [recordOf(1)] };
  await using node = await testNode((_seen, response) => json(response, 200, page));
  const { client } = testClient([`${node.url}/`], { token: 'hush' });
  expect(await client.search('192.0.2.7', { related: ['covers'], days: 7, nolog: true, tags: '!a' })).toEqual(
    page,
  );
  expect(node.seen[0]).toMatchObject({
    path: '/indicators',
    query: { q: '192.0.2.7', related: 'covers', days: '7', nolog: '1', tags: '!a' },
    headers: { authorization: 'Bearer hush', accept: 'application/json' },
  });
});

test('search of several values asks about a thousand at once, and numbers all', async () => {
  await using node = await testNode((seen, response) => {
    const { indicators } = JSON.parse(seen.body) as { indicators: string[] };
    const data = indicators.map((value, i) => ({ row: i + 1, value, records: i === 0 ? [recordOf(1)] : [] }));
    json(response, 200, { meta: {}, data });
  });
  const { client } = testClient([node.url]);
  const values = Array.from({ length: 1_500 }, (_, i) => `${i}.example`);
  const answers = await client.search(values, { related: 'all' });
  expect(answers.map(({ row }) => row)).toEqual(values.map((_, i) => i + 1));
  expect(answers[1_000]).toEqual({ row: 1_001, value: '1000.example', records: [recordOf(1)] });
  expect(node.seen.map(({ query }) => query)).toEqual([{ related: 'all' }, { related: 'all' }]);
  expect(await client.search([])).toEqual([]);
});

test('a question that one node cannot answer is asked of the next, which is then asked first', async () => {
  await using busy = await testNode((_seen, response) =>
    json(response, 503, { title: 'Not ready', status: 503 }),
  );
  await using dying = await testNode((_seen, response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('{"meta":', () => response.destroy());
  });
  await using strange = await testNode((_seen, response) => response.end('<html>'));
  await using good = await testNode((_seen, response) => json(response, 200, { meta: {}, data: [] }));
  const { client } = testClient([busy.url, dying.url, strange.url, good.url]);
  expect(await client.feed({ itype: 'url' })).toEqual({ meta: {}, data: [] });
  await client.feed();
  expect([busy, dying, strange, good].map(({ seen }) => seen.length)).toEqual([1, 1, 1, 2]);
});

test('a refusal is an answer: no other node is asked', async () => {
  const errors = [{ parameter: 'days', detail: 'a number from 1 is allowed' }];
  const problem = { title: 'Bad', status: 400, detail: 'A parameter is wrong.', errors };
  await using node = await testNode((_seen, response) => json(response, 400, problem));
  await using other = await testNode(() => undefined);
  const { client } = testClient([node.url, other.url]);
  await expect(client.search('x')).rejects.toMatchObject({
    name: 'ClientError',
    code: 'refused',
    status: 400,
    message: 'A parameter is wrong.\n  days: a number from 1 is allowed',
    problem,
  });
  expect(other.seen).toEqual([]);
});

test('a redirect is not followed: the token is for this address', async () => {
  await using node = await testNode((_seen, response) =>
    response.writeHead(308, { location: 'https://elsewhere.test/' }).end(),
  );
  await expect(testClient([node.url]).client.feed()).rejects.toMatchObject({
    code: 'refused',
    message: `The node is elsewhere: use https://elsewhere.test/ in place of ${node.url}.`,
  });
});

test.each([
  ['no JSON', '<html>'],
  ['no records', '{"data":{}}'],
  ['a record without an indicator', JSON.stringify({ data: [{ ...recordOf(1), indicator: undefined }] })],
  ['a record whose tags are none', JSON.stringify({ data: [{ ...recordOf(1), tags: 'a' }] })],
  ['strange sightings', JSON.stringify({ data: [{ ...recordOf(1), sightings: 3 }] })],
])('an answer with %s is told apart', async (_what, body) => {
  await using node = await testNode((_seen, response) => response.end(body));
  await expect(testClient([node.url]).client.search('x')).rejects.toMatchObject({ code: 'strange' });
});

test('an answer that stops in its middle is given up, as is one that does not begin', async () => {
  await using node = await testNode((seen, response) => {
    if (seen.query['q'] === 'begins') response.writeHead(200).write('{"meta":');
  });
  const clock = manualClock();
  let answers = 0;
  const fetched: typeof fetch = async (...args) => {
    const response = await fetch(...args);
    answers++;
    return response;
  };
  const client = createClient({ nodes: [node.url], clock, fetch: fetched });
  const begun = client.search('begins');
  const refused = expect(begun).rejects.toMatchObject({
    code: 'silent',
    message: expect.stringMatching(/was silent for 60 s/),
  });
  while (answers === 0) await new Promise(setImmediate);
  await new Promise(setImmediate);
  clock.advance(60_000);
  await refused;
  const never = expect(client.search('never')).rejects.toMatchObject({
    code: 'silent',
    message: expect.stringMatching(/nothing for 30 s/),
  });
  clock.advance(30_000);
  await never;
  expect(clock.timers).toBe(0);
});

test('an abort ends a question, before it and in its middle', async () => {
  await using node = await testNode((_seen, response) => void response.writeHead(200).write('{"meta":'));
  const { client } = testClient([node.url]);
  const controller = new AbortController();
  const asked = client.search('x', { signal: controller.signal });
  while (node.seen.length === 0) await new Promise(setImmediate);
  controller.abort();
  await expect(asked).rejects.toMatchObject({ code: 'aborted' });
  await expect(client.feed({ signal: controller.signal })).rejects.toMatchObject({ code: 'aborted' });
  expect(node.seen).toHaveLength(1);
});

test('a node may have a token of its own', async () => {
  await using node = await testNode((_seen, response) => json(response, 200, { meta: {}, data: [] }));
  await testClient([{ url: node.url, token: 'own' }], { token: 'common' }).client.feed();
  expect(node.seen[0]?.headers.authorization).toBe('Bearer own');
});

test('request is for any other path; what is no question is not asked twice', async () => {
  await using dying = await testNode((seen, response) => {
    if (seen.method === 'POST') response.destroy();
    else json(response, 500, { title: 'Broken', status: 500 });
  });
  await using good = await testNode((_seen, response) => json(response, 200, { id: 'x' }));
  const nodes = [dying.url, good.url];
  expect(await testClient(nodes).client.json('/mesh')).toEqual({ id: 'x' });
  const { status, headers, body } = await testClient(nodes).client.request('/mesh');
  expect([status, headers.get('content-type')]).toEqual([200, 'application/json']);
  for await (const chunk of body) expect(Buffer.from(chunk).toString()).toBe('{"id":"x"}');
  await expect(
    testClient(nodes).client.request('/tokens', { method: 'POST', body: '{}' }),
  ).rejects.toMatchObject({
    code: 'broken-off',
  });
  expect(good.seen).toHaveLength(2);
});

test.each([[[]], [['localhost:8480']], [['ftp://example.com']], [['http://a:b@example.com']]])(
  'nodes %j are refused with what is allowed',
  (nodes) => {
    expect(() => createClient({ nodes })).toThrow(expect.objectContaining({ code: 'usage' }));
  },
);

test('the types are those of a node', () => {
  const record = undefined as PublicRecord | undefined satisfies IndicatorRecord | undefined;
  const row = undefined as FeedRow | undefined satisfies
    | import('../../../src/client/client.ts').FeedRow
    | undefined;
  expect([record, row]).toEqual([undefined, undefined]);
});
