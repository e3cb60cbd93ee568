import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';

import { testNode } from '../cli/support/node.ts';
import { message, openStream, recordOf, testClient } from './support/stream-node.ts';

function page(
  response: ServerResponse,
  cursor: string,
  numbers: readonly number[],
  next?: string,
): ServerResponse {
  response.writeHead(200, {
    'content-type': 'application/x-ndjson',
    'tocsin-stream-cursor': cursor,
    ...(next !== undefined && { 'tocsin-next': next }),
  });
  return response.end(numbers.map((n) => `${JSON.stringify(recordOf(n))}\n`).join(''));
}

test('a snapshot is all pages in the order of values, and its cursor that of the first', async () => {
  await using node = await testNode((seen, response) => {
    if (seen.path === '/stream') openStream(response, message(9));
    else if (seen.query['cursor'] === undefined) page(response, 'c1', [1, 2], 'p2');
    else page(response, 'c5', [3]);
  });
  const { client } = testClient([node.url]);
  const snapshot = client.snapshot({ tags: 'a' });
  expect(() => snapshot.cursor).toThrow(expect.objectContaining({ code: 'usage' }));
  const records = [];
  for await (const record of snapshot) records.push(record);
  expect(records).toEqual([recordOf(1), recordOf(2), recordOf(3)]);
  expect(snapshot.cursor).toBe('c1');
  const common = { nofeed: '1', nolog: '1', sort: 'indicator', tags: 'a', limit: '5000' };
  expect(node.seen.map(({ query }) => query)).toEqual([common, { ...common, cursor: 'p2' }]);
  const stream = client.stream({ cursor: snapshot.cursor, tags: 'a' });
  expect((await stream.next()).value).toMatchObject({ cursor: 'c9' });
  await stream.return?.();
  expect(node.seen.at(-1)?.headers['last-event-id']).toBe('c1');
});

test('a page that its node cannot give now is waited for; no other node has the rest', async () => {
  let asked = 0;
  await using other = await testNode(() => undefined);
  await using node = await testNode((_seen, response) => {
    asked++;
    if (asked === 1) page(response, 'c1', [1], 'p2');
    else if (asked < 4) response.writeHead(503, { 'retry-after': '0' }).end();
    else page(response, 'c1', [2]);
  });
  const { client, clock } = testClient([node.url, other.url], { random: () => 0 });
  const snapshot = client.snapshot({ q: '192.0.2.0/24' });
  await snapshot.next();
  let isOver = false;
  const rest = snapshot.next().finally(() => {
    isOver = true;
  });
  for (; !isOver; clock.advance(0)) await new Promise(setImmediate);
  expect((await rest).value).toEqual(recordOf(2));
  expect(other.seen).toEqual([]);
  expect(node.seen[0]?.query).not.toHaveProperty('sort');
});

test('a snapshot that breaks off has no cursor', async () => {
  await using node = await testNode((_seen, response) => {
    response.writeHead(200, { 'tocsin-stream-cursor': 'c1' });
    response.write(`${JSON.stringify(recordOf(1))}\n{"in`, () => response.destroy());
  });
  const snapshot = testClient([node.url]).client.snapshot();
  await snapshot.next();
  await expect(snapshot.next()).rejects.toMatchObject({ code: 'broken-off' });
  expect(() => snapshot.cursor).toThrow();
});

test('a node of an earlier release, which names no cursor, gives no snapshot', async () => {
  await using node = await testNode((_seen, response) => response.end(`${JSON.stringify(recordOf(1))}\n`));
  await expect(testClient([node.url]).client.snapshot().next()).rejects.toMatchObject({ code: 'strange' });
});
