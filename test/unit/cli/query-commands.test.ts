import { expect, test } from 'vitest';

import { runCli } from '../../../src/cli/program.ts';
import { testIo } from './support/io.ts';
import { json, testNode } from './support/node.ts';

const record = {
  itype: 'url',
  indicator: 'http://example.com/\u001b[2J',
  provider: 'alpha',
  group: 'everyone',
  tlp: 'amber',
  confidence: 8,
  tags: ['malware', 'phishing'],
  count: 2,
  lasttime: '2026-01-02T03:04:05Z',
};
const page = { meta: { mode: 'query', defaults: {}, count: 1 }, data: [record] };

test('search asks for the value with its filters and shows the token', async () => {
  await using node = await testNode((_seen, response) => json(response, 200, page));
  const io = testIo();
  const argv = [
    'search',
    'hxxp://example[.]com/',
    '--tags',
    'a,!b',
    '--days',
    '7',
    '--url',
    node.url,
    '--token',
    'hush',
  ];
  expect(await runCli(argv, io)).toBe(0);
  expect(node.seen[0]).toMatchObject({
    method: 'GET',
    path: '/indicators',
    query: { q: 'hxxp://example[.]com/', tags: 'a,!b', days: '7' },
    headers: { authorization: 'Bearer hush', accept: 'application/json' },
  });
  expect(io.out()).toMatch(
    /^itype +indicator +provider .*\nurl +http:\/\/example\.com\/\\u001b\[2J +alpha .*malware,phishing/,
  );
});

test('search --json gives the answer as it is, safe for a terminal', async () => {
  await using node = await testNode((_seen, response) => json(response, 200, page));
  const io = testIo({ terminal: 40 });
  expect(await runCli(['search', 'x', '--json', '--url', node.url], io)).toBe(0);
  expect(JSON.parse(io.out())).toEqual(page);
  expect(io.out()).not.toContain('\u001b');
});

test('search of what nobody knows ends with 1', async () => {
  await using node = await testNode((_seen, response) => json(response, 200, { ...page, data: [] }));
  const io = testIo();
  expect(await runCli(['search', 'example.net', '--url', node.url], io)).toBe(1);
  expect(io.err()).toBe('Nothing is known about example.net.\n');
});

test('search tells how to get the next page', async () => {
  await using node = await testNode((_seen, response) =>
    json(response, 200, { ...page, meta: { next: 'c1' } }),
  );
  const io = testIo();
  await runCli(['search', 'x', '--url', node.url], io);
  expect(io.err()).toBe('There is more: add --cursor c1\n');
});

test.each([
  [401, 4, 'A token is needed.\nGive a token with --token or TOCSIN_TOKEN.\n'],
  [403, 4, 'The scope read is missing.\n'],
  [400, 2, 'A parameter is wrong.\n  days: a number from 1 is allowed\n'],
  [503, 3, 'The node is draining.\n'],
  [500, 1, 'Something broke.\n'],
])('a %i ends with %i and the explanation of the node', async (status, exitCode, message) => {
  const detail = message.split('\n')[0];
  const errors = status === 400 ? [{ parameter: 'days', detail: 'a number from 1 is allowed' }] : undefined;
  await using node = await testNode((_seen, response) =>
    json(response, status, { title: 'No', status, detail, errors }),
  );
  const io = testIo();
  expect(await runCli(['search', 'x', '--url', node.url], io)).toBe(exitCode);
  expect(io.err()).toBe(message);
});

test('a node that is not there ends with 3 and what to do', async () => {
  const url = await portOfNobody();
  const io = testIo();
  expect(await runCli(['status', '--url', url], io)).toBe(3);
  expect(io.err()).toMatch(
    /^No node answers at http:\/\/127\.0\.0\.1:\d+ \(ECONNREFUSED\)\. Start one with `tocsin start`/,
  );
});

test('an answer that breaks off ends with 3, not with a stack', async () => {
  await using node = await testNode((_seen, response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('{"meta":', () => response.destroy());
  });
  const io = testIo();
  expect(await runCli(['search', 'x', '--url', node.url], io)).toBe(3);
  expect(io.err()).toMatch(/^The node stopped in the middle of its answer/);
});

test('a server that is no Tocsin node is told apart', async () => {
  await using node = await testNode((_seen, response) => response.end('<html>'));
  const io = testIo();
  expect(await runCli(['search', 'x', '--url', node.url], io)).toBe(1);
  expect(io.err()).toContain('Does --url name a Tocsin node?');
});

test('feed elsewhere than on a terminal is the CSV of the node, byte by byte', async () => {
  await using node = await testNode((_seen, response) => {
    response.writeHead(200, { 'content-type': 'text/csv', 'tocsin-next': 'c2' });
    response.end('indicator,itype\r\n"a\u001bb",url\r\n');
  });
  const io = testIo();
  expect(await runCli(['feed', '--itype', 'url', '--limit', '2', '--url', node.url], io)).toBe(0);
  expect(node.seen[0]).toMatchObject({
    query: { itype: 'url', limit: '2' },
    headers: { accept: 'text/csv' },
  });
  expect(io.out()).toBe('indicator,itype\r\n"a\u001bb",url\r\n');
  expect(io.err()).toBe('There is more: add --cursor c2\n');
});

test('feed on a terminal is a table of providers, and its CSV has no raw control characters', async () => {
  await using node = await testNode((seen, response) => {
    if (seen.headers.accept === 'text/csv') response.end('"a\u001bb"\r\n');
    else json(response, 200, { meta: { mode: 'feed' }, data: [{ ...record, providers: ['alpha', 'beta'] }] });
  });
  const io = testIo({ terminal: 200 });
  expect(await runCli(['feed', '--url', node.url], io)).toBe(0);
  expect(io.out()).toMatch(/alpha,beta/);
  const csv = testIo({ terminal: 200 });
  expect(await runCli(['feed', '--format', 'csv', '--url', node.url], csv)).toBe(0);
  expect(csv.out()).toBe('"a\\u001bb"\r\n');
});

test.each([
  ['json', 'application/json'],
  ['ndjson', 'application/x-ndjson'],
])('feed --format %s asks for %s', async (format, type) => {
  await using node = await testNode((_seen, response) => response.end('{}\n'));
  const io = testIo();
  expect(await runCli(['feed', '--format', format, '--url', node.url], io)).toBe(0);
  expect(node.seen[0]?.headers.accept).toBe(type);
  expect(io.out()).toBe('{}\n');
});

test('status shows all that the node says, nested or not', async () => {
  const mesh = { id: 'aa', ready: true, endpoints: { http: 'http://127.0.0.1:8480' }, records: 3 };
  await using node = await testNode((_seen, response) => json(response, 200, mesh));
  const io = testIo();
  expect(await runCli(['status', '--url', node.url], io)).toBe(0);
  expect(io.out()).toMatch(
    /^what +value\nurl .*\nid +aa\nready +true\nendpoints\.http +http:\/\/127\.0\.0\.1:8480\nrecords +3\n$/,
  );
  const asJson = testIo();
  await runCli(['status', '--json', '--url', node.url], asJson);
  expect(JSON.parse(asJson.out())).toEqual(mesh);
});

test('peers lists the peers, or says that there are none yet', async () => {
  const rows: unknown[] = [];
  await using node = await testNode((_seen, response) => json(response, 200, rows));
  const none = testIo();
  expect(await runCli(['peers', '--url', node.url], none)).toBe(0);
  expect(none.out()).toContain('No peers yet.');
  rows.push({
    id: 'bb',
    name: 'beta',
    endpoint: 'tcp://127.0.0.1:5003',
    ready: true,
    found_by: ['beacon', 'gossip'],
  });
  const one = testIo();
  await runCli(['peers', '--url', node.url], one);
  expect(one.out()).toMatch(/\nbeta +bb +tcp:\/\/127\.0\.0\.1:5003 +true +beacon,gossip\n/);
});

/** A URL at which nothing answers any more. */
async function portOfNobody(): Promise<string> {
  await using node = await testNode(() => undefined);
  return node.url;
}
