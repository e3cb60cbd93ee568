import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';

import { runCli } from '../../../src/cli/program.ts';
import { testIo } from './support/io.ts';
import { testNode } from './support/node.ts';

const time = '2026-01-02T03:04:05.678Z';
const about = { time, id: 'ab'.repeat(16), name: 'alpha\u009b' };
const events = [
  { kind: 'peer-entered', ...about, endpoint: 'tcp://127.0.0.1:1', version: '0.1.0', groups: [] },
  { kind: 'peer-joined', ...about, group: 'chat' },
  { kind: 'peer-exited', ...about, reason: 'expired' },
  { kind: 'stranger-refused', time, reason: 'wrong-key' },
  { kind: 'of-a-later-release', time, answer: 42 },
];

function stream(response: ServerResponse): ServerResponse {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(': connected\n\n');
  for (const event of events) response.write(`event: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`);
  return response;
}

test('mesh watch prints one line an event, safe for a terminal', async () => {
  await using node = await testNode((_seen, response) => stream(response));
  const io = testIo();
  expect(await runCli(['mesh', 'watch', '--count', '5', '--url', node.url], io)).toBe(0);
  expect(node.seen[0]).toMatchObject({ path: '/mesh/events', headers: { accept: 'text/event-stream' } });
  expect(io.out()).toBe(
    [
      `${time} enter alpha\\u009b abababab endpoint=tcp://127.0.0.1:1 version=0.1.0`,
      `${time} join alpha\\u009b abababab group=chat`,
      `${time} exit alpha\\u009b abababab reason=expired`,
      `${time} refused reason=wrong-key`,
      `${time} of-a-later-release answer=42`,
      '',
    ].join('\n'),
  );
});

test('mesh watch --json prints the event on one line', async () => {
  await using node = await testNode((_seen, response) => stream(response));
  const io = testIo();
  await runCli(['mesh', 'watch', '--count', '2', '--json', '--url', node.url], io);
  expect(
    io
      .out()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual(events.slice(0, 2));
});

test('a stream that ends is taken up again, which tells of all peers anew', async () => {
  let asked = 0;
  await using node = await testNode((_seen, response) => {
    asked += 1;
    if (asked === 1) stream(response).end();
    else stream(response);
  });
  const io = testIo();
  expect(await runCli(['mesh', 'watch', '--count', '6', '--url', node.url], io)).toBe(0);
  expect(io.out().match(/ enter /g)).toHaveLength(2);
  expect(io.err()).toBe(
    `Lost ${node.url} (it closed the stream); connecting again in 0.5 s.\nReconnected to ${node.url}.\n`,
  );
});
