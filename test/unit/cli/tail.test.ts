import { expect, test } from 'vitest';

import { runCli } from '../../../src/cli/program.ts';
import {
  connected,
  control,
  envelope,
  message,
  nodeB,
  openStream,
  recordOf,
} from '../client/support/stream-node.ts';
import { testIo } from './support/io.ts';
import { json, testNode } from './support/node.ts';

test('tail prints one line a message, safe for a terminal, and stops after --count', async () => {
  const terminal = { data: recordOf(2, { indicator: '2.example\u009b' }) };
  await using node = await testNode((_seen, response) =>
    openStream(response, connected('c0'), message(1), message(2, terminal), message(3)),
  );
  const io = testIo();
  const filters = ['--tags', 'a', '--asn', '64500', '--cc', 'DE', '--tlp', '!red', '--group', 'g'];
  const watched = ['--kind', 'indicator,search', '--q', '192.0.2.0/24', '--cursor', 'c0'];
  expect(
    await runCli(['tail', '--follow', '--count', '2', ...filters, ...watched, '--url', node.url], io),
  ).toBe(0);
  expect(node.seen[0]).toMatchObject({
    path: '/stream',
    query: {
      tags: 'a',
      asn: '64500',
      cc: 'DE',
      tlp: '!red',
      group: 'g',
      kind: 'indicator,search',
      q: '192.0.2.0/24',
    },
    headers: { accept: 'text/event-stream', 'last-event-id': 'c0' },
  });
  const rest = 'provider=alpha group=everyone tlp=amber confidence=8 tags=a,b\n';
  expect(io.out()).toBe(
    `2026-01-02T03:04:05Z created fqdn 1.example.com ${rest}` +
      `2026-01-02T03:04:05Z created fqdn 2.example\\u009b ${rest}`,
  );
  expect(io.err()).toBe('');
});

test('a search is printed with who asked', async () => {
  const data = { q: '192.0.2.7', itype: 'ipv4', by: 'ada', node: nodeB, time: '2026-01-02T03:04:05Z' };
  await using node = await testNode((_seen, response) =>
    openStream(response, message(1, { type: 'tocsin.search', data })),
  );
  const io = testIo();
  expect(await runCli(['tail', '--count', '1', '--url', node.url], io)).toBe(0);
  expect(io.out()).toBe('2026-01-02T03:04:05Z search ipv4 192.0.2.7 by=ada\n');
});

test('tail --json prints the message on one line, as it came', async () => {
  const sent = envelope(1, { data: recordOf(1, { indicator: 'a\u009b' }) });
  await using node = await testNode((_seen, response) =>
    openStream(response, connected('c0'), message(1, sent)),
  );
  const io = testIo();
  await runCli(['tail', '--count', '1', '--json', '--url', node.url], io);
  expect(io.out().trimEnd()).not.toMatch(/[\n\u009b]/);
  expect(JSON.parse(io.out())).toEqual(sent);
});

test('a stream that ends is taken up after the last message, and the person is told', async () => {
  await using node = await testNode((seen, response) => {
    if (seen.headers['last-event-id'] === 'c1') openStream(response, connected('c1'), message(2));
    else openStream(response, connected('c0'), message(1)).end();
  });
  const io = testIo();
  expect(await runCli(['tail', '--count', '2', '--url', node.url], io)).toBe(0);
  expect(io.out().split('\n')).toHaveLength(3);
  expect(io.err()).toBe(
    `Lost ${node.url} (it closed the stream); connecting again after c1 in 0.5 s.\n` +
      `Reconnected to ${node.url} after c1.\n`,
  );
});

test('a node that is away is tried again, waiting longer each time, and each time is told', async () => {
  await using node = await testNode((_seen, response) => {
    if (node.seen.length === 1) openStream(response, message(1)).end();
    else if (node.seen.length < 4) json(response, 500, { title: 'Starting', status: 500 });
    else openStream(response, message(2));
  });
  const io = testIo();
  expect(await runCli(['tail', '--count', '2', '--url', node.url], io)).toBe(0);
  expect(io.waits).toEqual([500, 1_000, 2_000]);
  expect(io.err()).toContain(`No stream from ${node.url}: Starting\nTrying again in 1 s.\n`);
});

test.each([
  ['--url twice', (a: string, b: string) => ['--url', a, '--url', b]],
  ['--url with a comma', (a: string, b: string) => ['--url', `${a},${b}`]],
])('of several nodes (%s) the next one takes over, and the person is told', async (_how, flags) => {
  await using second = await testNode((_seen, response) =>
    openStream(
      response,
      message(1, { source: nodeB, cursor: 'b1' }),
      message(2, { source: nodeB, cursor: 'b2' }),
    ),
  );
  await using first = await testNode((_seen, response) => {
    if (first.seen.length === 1) openStream(response, message(1)).end();
    else json(response, 503, { title: 'Not now', status: 503, detail: 'this node drains' });
  });
  const io = testIo();
  expect(await runCli(['tail', '--count', '2', ...flags(first.url, second.url)], io)).toBe(0);
  expect(io.out().match(/\d\.example/g)).toEqual(['1.example', '2.example']);
  expect(io.err()).toBe(
    `Lost ${first.url} (it closed the stream); connecting again after c1 in 0.5 s.\n` +
      `No stream from ${first.url}: this node drains\n` +
      `Moved from ${first.url} to ${second.url} after c1.\n`,
  );
});

test('a reset is told, as messages are missing', async () => {
  await using node = await testNode((_seen, response) =>
    openStream(response, control('reset', { cursor: 'c8', detail: 'it is too old' }), message(9)),
  );
  const io = testIo();
  await runCli(['tail', '--count', '1', '--url', node.url], io);
  expect(io.err()).toBe('Messages are missing (it is too old); going on after c8.\n');
});

test('a first connection that is refused ends with the reason', async () => {
  await using node = await testNode((_seen, response) =>
    json(response, 403, { title: 'Forbidden', status: 403, detail: 'The scope stream is missing.' }),
  );
  const io = testIo();
  expect(await runCli(['tail', '--url', node.url], io)).toBe(4);
  expect(io.err()).toBe('The scope stream is missing.\n');
});

test('a first node that does not answer is told once the next one does, or in the end', async () => {
  const gone = await testNode(() => undefined);
  await gone[Symbol.asyncDispose]();
  await using node = await testNode((_seen, response) => openStream(response, message(1)));
  const io = testIo();
  expect(await runCli(['tail', '--count', '1', '--url', `${gone.url},${node.url}`], io)).toBe(0);
  expect(io.err()).toMatch(/^No stream from .*: No node answers .*\nConnected to .*\.\n$/);
  const alone = testIo();
  expect(await runCli(['tail', '--url', gone.url], alone)).toBe(3);
  expect(alone.err()).toMatch(
    /^No node answers at .*\nStart one with `tocsin start`, or name others with --url\.\n$/,
  );
});
