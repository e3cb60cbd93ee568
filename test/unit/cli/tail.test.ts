import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';

import { runCli } from '../../../src/cli/program.ts';
import { testIo } from './support/io.ts';
import { json, testNode } from './support/node.ts';

function event(n: number): string {
  const data = {
    specversion: '1.0',
    id: `aa-${n}`,
    type: 'tocsin.indicator.created',
    source: 'aa',
    time: '2026-01-02T03:04:05Z',
    cursor: `c${n}`,
    data: {
      itype: 'fqdn',
      indicator: `${n}.example\u009b`,
      provider: 'alpha',
      tlp: 'amber',
      confidence: 8,
      tags: ['a', 'b'],
    },
  };
  return `id: c${n}\nevent: indicator\ndata: ${JSON.stringify(data)}\n\n`;
}

const connected = 'event: connected\ndata: {"first":"c0","last":"c0"}\n\n: heartbeat\n\n';

function stream(response: ServerResponse, ...pieces: string[]): ServerResponse {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const piece of pieces) response.write(piece);
  return response;
}

test('tail prints one line an event, safe for a terminal, and stops after --count', async () => {
  await using node = await testNode((_seen, response) =>
    stream(response, connected, event(1), event(2), event(3)),
  );
  const io = testIo();
  expect(await runCli(['tail', '--count', '2', '--tags', 'a', '--url', node.url], io)).toBe(0);
  expect(node.seen[0]).toMatchObject({
    path: '/stream',
    query: { tags: 'a' },
    headers: { accept: 'text/event-stream' },
  });
  expect(node.seen[0]?.headers['last-event-id']).toBeUndefined();
  expect(io.out()).toBe(
    [1, 2]
      .map(
        (n) =>
          `2026-01-02T03:04:05Z created fqdn ${n}.example\\u009b provider=alpha tlp=amber confidence=8 tags=a,b\n`,
      )
      .join(''),
  );
});

test('tail --json prints the event on one line', async () => {
  await using node = await testNode((_seen, response) => stream(response, connected, event(1)));
  const io = testIo();
  await runCli(['tail', '--count', '1', '--json', '--url', node.url], io);
  expect(io.out().trimEnd()).not.toContain('\n');
  expect(JSON.parse(io.out())).toMatchObject({ id: 'aa-1', data: { indicator: '1.example\u009b' } });
});

test('a stream that ends is taken up after the last event, and the person is told', async () => {
  await using node = await testNode((seen, response) => {
    if (seen.headers['last-event-id'] === 'c1') stream(response, connected, event(2));
    else stream(response, connected, event(1)).end();
  });
  const io = testIo();
  expect(await runCli(['tail', '--count', '2', '--url', node.url], io)).toBe(0);
  expect(io.out().split('\n')).toHaveLength(3);
  expect(io.err()).toBe('The stream ended (the node closed it); connecting again after c1 in 0.5 s.\n');
});

test('a stream that ends before its first event goes on where it began', async () => {
  await using node = await testNode((seen, response) => {
    if (seen.headers['last-event-id'] === 'c0') stream(response, connected, event(1));
    else stream(response, connected).end();
  });
  const io = testIo();
  expect(await runCli(['tail', '--count', '1', '--url', node.url], io)).toBe(0);
});

test('a node that is away is tried again, waiting longer each time', async () => {
  let answers = 0;
  await using node = await testNode((_seen, response) => {
    answers += 1;
    if (answers === 1) stream(response, event(1)).end();
    else if (answers < 4) json(response, 503, { title: 'Starting', status: 503 });
    else stream(response, event(2));
  });
  const io = testIo();
  expect(await runCli(['tail', '--count', '2', '--url', node.url], io)).toBe(0);
  expect(io.waits).toEqual([500, 1_000, 2_000]);
});

test('after a gap the stream goes on at the cursor that the node names', async () => {
  await using node = await testNode((seen, response) => {
    if (seen.headers['last-event-id'] === 'c5') stream(response, event(6));
    else stream(response, event(1), 'event: gap\ndata: {"cursor":"c5"}\n\n').end();
  });
  const io = testIo();
  expect(await runCli(['tail', '--count', '2', '--url', node.url], io)).toBe(0);
  expect(io.out()).toContain('6.example');
});

test('a reset is told, as events are missing', async () => {
  await using node = await testNode((_seen, response) =>
    stream(response, 'event: reset\ndata: {}\n\n', event(9)),
  );
  const io = testIo();
  await runCli(['tail', '--count', '1', '--url', node.url], io);
  expect(io.err()).toContain('some events are not shown');
});

test('a first connection that is refused ends with the reason', async () => {
  await using node = await testNode((_seen, response) =>
    json(response, 403, { title: 'Forbidden', status: 403, detail: 'The scope stream is missing.' }),
  );
  const io = testIo();
  expect(await runCli(['tail', '--url', node.url], io)).toBe(4);
  expect(io.err()).toBe('The scope stream is missing.\n');
});
