import { expect, test } from 'vitest';

import { type BatchAnswer, createClient } from '../../../src/client/client.ts';
import { retryAfterMs } from '../../../src/client/retry-after.ts';
import { manualClock } from '../../support/rooms.ts';
import { json, rowsOf, takesRows, testNode } from '../cli/support/node.ts';

function submitter(...nodes: readonly string[]) {
  const clock = manualClock();
  const waits: number[] = [];
  const client = createClient({ nodes, clock });
  const onWait = (waitMs: number): void => {
    waits.push(waitMs);
    setImmediate(() => clock.advance(waitMs));
  };
  return { client, clock, waits, onWait };
}

test('rows go in batches of NDJSON, defaults as parameters; what was refused is told by its place in all', async () => {
  await using node = await testNode(takesRows);
  const { client } = submitter(node.url);
  const batches: BatchAnswer[] = [];
  const rows = [
    'a.example',
    { indicator: 'bad' },
    'b.example',
    { indicator: 'bad too', tags: ['x'] },
    'c.example',
  ];
  const options = { tags: ['malware', 'c2'], confidence: 8, tlp: 'green', ack: 2, batchRows: 2 };
  const onBatch = (batch: BatchAnswer): void => void batches.push(batch);
  expect(await client.submit(rows, { ...options, onBatch })).toEqual({
    rows: 5,
    accepted: 3,
    created: 3,
    updated: 0,
    refused: 2,
    refusals: [
      { row: 2, code: 'not-an-indicator', reason: 'bad is no indicator' },
      { row: 4, code: 'not-an-indicator', reason: 'bad too is no indicator' },
    ],
    unacknowledged: 0,
    events: { first: 'aa-1', last: 'aa-1' },
  });
  expect(node.seen.map((seen) => rowsOf(seen).length)).toEqual([2, 2, 1]);
  expect(node.seen[1]).toMatchObject({
    method: 'POST',
    path: '/indicators',
    query: { tags: 'malware,c2', confidence: '8', tlp: 'green', ack: '2' },
    headers: { 'content-type': 'application/x-ndjson' },
  });
  expect(
    batches.map(({ firstRow, rows: count, refused }) => [firstRow, count, refused.map(({ row }) => row)]),
  ).toEqual([
    [1, 2, [2]],
    [3, 2, [4]],
    [5, 1, []],
  ]);
});

test('rows that are all refused are an answer, not an error', async () => {
  await using node = await testNode(takesRows);
  expect(await submitter(node.url).client.submit(['bad'])).toMatchObject({ accepted: 0, refused: 1 });
});

test('what is stored and not yet where it should be is told', async () => {
  await using node = await testNode((_seen, response) =>
    json(response, 202, {
      accepted: 1,
      created: 1,
      updated: 0,
      refused: [],
      ack: { reason: 'nobody is there' },
    }),
  );
  const told = await submitter(node.url).client.submit(['a.example', 'b.example'], { batchRows: 1 });
  expect(told).toMatchObject({ unacknowledged: 2, ackReason: 'nobody is there' });
});

test('a busy node is asked again after the time that it names, a node that is gone is not waited for', async () => {
  let asked = 0;
  await using busy = await testNode((seen, response) => {
    asked++;
    if (asked === 1) response.writeHead(503, { 'retry-after': '7' }).end();
    else if (asked === 2) response.writeHead(429).end();
    else takesRows(seen, response);
  });
  const gone = await testNode(() => undefined);
  await gone[Symbol.asyncDispose]();
  const { client, waits, onWait } = submitter(gone.url, busy.url);
  expect(await client.submit(['a.example'], { onWait })).toMatchObject({ accepted: 1 });
  expect(waits).toEqual([7_000, 1_000]);
  await expect(submitter(gone.url).client.submit(['a.example'])).rejects.toMatchObject({
    code: 'unreachable',
  });
});

test('another node takes what a busy one does not, and what follows', async () => {
  await using busy = await testNode((_seen, response) => response.writeHead(503).end());
  await using other = await testNode(takesRows);
  const { client, waits, onWait } = submitter(busy.url, other.url);
  await client.submit(['a.example', 'b.example'], { batchRows: 1, onWait });
  expect([busy.seen.length, other.seen.length, waits]).toEqual([1, 2, []]);
});

test('a node whose disk is full is not waited for', async () => {
  await using node = await testNode((_seen, response) =>
    json(response, 503, { title: 'Not now', status: 503, detail: 'the disk is full', code: 'BROKEN' }),
  );
  await expect(submitter(node.url).client.submit(['a.example'])).rejects.toMatchObject({
    code: 'busy',
    message: 'the disk is full',
    problem: { code: 'BROKEN' },
  });
});

test('a batch that a node broke off on is sent nowhere else: it would count twice', async () => {
  await using dying = await testNode((_seen, response) => response.destroy());
  await using other = await testNode(takesRows);
  const { client } = submitter(dying.url, other.url);
  await expect(client.submit(['a.example'])).rejects.toMatchObject({ code: 'broken-off', node: dying.url });
  expect(other.seen).toEqual([]);
});

test('an abort lets the batch under way be answered, and does not wait for rows that never come', async () => {
  const controller = new AbortController();
  async function* rows() {
    yield 'a.example';
    yield 'b.example';
    await new Promise(() => undefined);
  }
  await using node = await testNode((seen, response) => {
    controller.abort();
    takesRows(seen, response);
  });
  const { client } = submitter(node.url);
  const batches: BatchAnswer[] = [];
  const options = {
    batchRows: 2,
    signal: controller.signal,
    onBatch: (one: BatchAnswer) => void batches.push(one),
  };
  await expect(client.submit(rows(), options)).rejects.toMatchObject({ code: 'aborted' });
  expect(batches).toHaveLength(1);

  const silent = new AbortController();
  const never = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }) };
  const waiting = client.submit(never, { signal: silent.signal });
  silent.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
});

test('rows that come slowly are sent when a second has passed', async () => {
  await using node = await testNode(takesRows);
  const { client, clock } = submitter(node.url);
  let more: () => void = () => undefined;
  async function* rows() {
    yield 'a.example';
    await new Promise<void>((resolve) => {
      more = resolve;
    });
    yield 'b.example';
  }
  const submitted = client.submit(rows());
  while (clock.timers === 0) await new Promise(setImmediate);
  clock.advance(1_000);
  while (node.seen.length === 0) await new Promise(setImmediate);
  more();
  expect(await submitted).toMatchObject({ rows: 2, accepted: 2 });
  expect(node.seen).toHaveLength(2);
  expect(clock.timers).toBe(0);
});

test('what cannot be sent, or is answered strangely, is told', async () => {
  await using node = await testNode((_seen, response) => json(response, 200, { fine: true }));
  const { client } = submitter(node.url);
  await expect(client.submit([undefined as unknown as string])).rejects.toMatchObject({ code: 'usage' });
  await expect(client.submit(['a'], { batchRows: 0 })).rejects.toMatchObject({ code: 'usage' });
  await expect(client.submit(['a'])).rejects.toMatchObject({ code: 'strange' });
});

test('Retry-After is seconds or a date, within bounds', () => {
  expect(retryAfterMs('3', 0)).toBe(3_000);
  expect(retryAfterMs('Thu, 01 Jan 1970 00:00:10 GMT', 4_000)).toBe(6_000);
  expect(retryAfterMs('Thu, 01 Jan 1970 00:00:10 GMT', 20_000)).toBe(0);
  expect(retryAfterMs('86400', 0)).toBe(60_000);
  expect(retryAfterMs('soon', 0)).toBe(1_000);
  expect(retryAfterMs(null, 0)).toBe(1_000);
});
