import { expect, test } from 'vitest';

import { runCli } from '../../../src/cli/program.ts';
import { testIo } from './support/io.ts';
import { type Answer, json, testNode } from './support/node.ts';

const record = {
  id: '0'.repeat(32),
  itype: 'url',
  indicator: 'http://example.com/\u001b[2J',
  provider: 'alpha',
  group: 'everyone',
  tlp: 'amber',
  confidence: 8,
  tags: ['malware', 'phishing'],
  count: 2,
  firsttime: '2026-01-02T03:04:05Z',
  lasttime: '2026-01-02T03:04:05Z',
  reporttime: '2026-01-02T03:04:05Z',
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
    /^itype +indicator +match +provider .*\nurl +http:\/\/example\.com\/\\u001b\[2J +alpha .*malware,phishing/,
  );
});

test('search --json gives the answer as it is, safe for a terminal', async () => {
  await using node = await testNode((_seen, response) => json(response, 200, page));
  const io = testIo({ terminal: 40 });
  expect(await runCli(['search', 'x', '--json', '--url', node.url], io)).toBe(0);
  expect(JSON.parse(io.out())).toEqual(page);
  expect(io.out()).not.toContain('\u001b');
});

test('search passes on what is asked for beside the value, and in which order', async () => {
  await using node = await testNode((_seen, response) =>
    json(response, 200, { ...page, data: [{ ...record, match: 'subdomain' }] }),
  );
  const io = testIo();
  const flags = [
    '--related',
    'covers,!url',
    '--sort=-lasttime',
    '--asn',
    '64500',
    '--cc',
    'DE',
    '--tlp',
    '!red',
  ];
  const windows = ['--observed', '2026-01-01,', '--reported', ',2026-01-31'];
  expect(await runCli(['search', 'example.com', ...flags, ...windows, '--url', node.url], io)).toBe(0);
  expect(node.seen[0]?.query).toEqual({
    q: 'example.com',
    related: 'covers,!url',
    sort: '-lasttime',
    asn: '64500',
    cc: 'DE',
    tlp: '!red',
    observed: '2026-01-01,',
    reported: ',2026-01-31',
  });
  expect(io.out()).toMatch(/^itype +indicator +match .*\nurl .* subdomain +alpha/);
});

const valueRow = (value: string, records: readonly unknown[]) => ({
  row: 1,
  value,
  indicator: value,
  records,
});
/** Answers a search as a node does: it knows what contains `known`, and what contains a space is no indicator. */
const knowsSome: Answer = (seen, response) => {
  const { indicators } = JSON.parse(seen.body) as { indicators: string[] };
  const data = indicators.map((value) => {
    if (value.includes(' '))
      return { row: 1, value, refused: { code: 'x', reason: `"${value}" is no indicator` } };
    const known = value.includes('known') ? [{ ...record, indicator: value, match: 'exact' }] : [];
    return { ...valueRow(value, known), ...(value.includes('more') && { more: true }) };
  });
  json(response, 200, { meta: {}, data });
};

test('search of several values asks once, and tells the known, the unknown and the wrong apart', async () => {
  await using node = await testNode(knowsSome);
  const io = testIo();
  const values = ['known.test', 'other.test', 'no indicator', 'known-more.test'];
  expect(await runCli(['search', ...values, '--days', '7', '--limit', '1', '--url', node.url], io)).toBe(0);
  expect(node.seen).toHaveLength(1);
  expect(node.seen[0]).toMatchObject({
    method: 'POST',
    path: '/indicators/search',
    query: { days: '7', limit: '1', related: 'all' },
  });
  expect(JSON.parse(node.seen[0]?.body ?? '')).toEqual({ indicators: values });
  expect(io.out()).toMatch(/^itype .*\nurl +known\.test +exact.*\nurl +known-more\.test +exact.*\n$/);
  expect(io.err()).toBe(
    'There is more about known-more.test: search for it alone.\n"no indicator" is no indicator\n' +
      'Nothing is known about 1 of 4 values.\n',
  );
});

test('search - reads one value a line, a thousand in one request, and prints a line of JSON for each', async () => {
  await using node = await testNode(knowsSome);
  const input = `# values\n\n${Array.from({ length: 1_500 }, (_, i) => ` known${i}.test\r\n`).join('')}last.test`;
  const io = testIo({ input });
  expect(await runCli(['search', '-', '--json', '--related', 'none', '--url', node.url], io)).toBe(0);
  expect(node.seen.map(({ body }) => JSON.parse(body).indicators.length)).toEqual([1_000, 501]);
  expect(node.seen[0]?.query).toEqual({ related: 'none' });
  const lines = io.out().trimEnd().split('\n');
  expect(lines).toHaveLength(1_501);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ value: 'known0.test' });
  expect(io.err()).toBe('Nothing is known about 1 of 1501 values.\n');
});

test('search of several values of which nothing is known ends with 1, and of none with 2', async () => {
  await using node = await testNode(knowsSome);
  const io = testIo();
  expect(await runCli(['search', 'a.test', 'b.test', '--url', node.url], io)).toBe(1);
  expect(io.err()).toBe('Nothing is known about 2 of 2 values.\nNothing was found.\n');
  const wrong = testIo({ input: 'a b\n'.repeat(25) });
  expect(await runCli(['search', '-', '--url', node.url], wrong)).toBe(1);
  expect(wrong.err()).toMatch(
    /^("a b" is no indicator\n){20}And 5 more are no indicators\.\nNothing was found\.\n$/,
  );
  const none = testIo({ input: '# nothing\n' });
  expect(await runCli(['search', '-', '--url', node.url], none)).toBe(2);
  expect(none.err()).toBe('There is no value in standard input.\n');
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
    /^No node answers at http:\/\/127\.0\.0\.1:\d+ \(ECONNREFUSED\)\. .*\nStart one with `tocsin start`/,
  );
});

test('an answer that breaks off ends with 3, not with a stack', async () => {
  await using node = await testNode((_seen, response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('{"meta":', () => response.destroy());
  });
  const io = testIo();
  expect(await runCli(['search', 'x', '--url', node.url], io)).toBe(3);
  expect(io.err()).toMatch(/^http:.* stopped in the middle of its answer/);
});

test('a server that is no Tocsin node is told apart', async () => {
  await using node = await testNode((_seen, response) => response.end('<html>'));
  const io = testIo();
  expect(await runCli(['search', 'x', '--url', node.url], io)).toBe(1);
  expect(io.err()).toContain('is it the address of a Tocsin node');
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

test.each([
  [true, 0, ''],
  [false, 1, 'example[.]com is not in the feed.\n'],
])(
  'feed --explain says why, and ends with whether it is in the feed: %s',
  async (isIn, exitCode, complaint) => {
    const explanation = {
      itype: 'fqdn',
      indicator: 'example.com',
      in_feed: isIn,
      why: 'a reason\u001b',
      statements: [{ provider: 'alpha', group: 'everyone', counts: true, why: 'confidence 9' }],
    };
    await using node = await testNode((_seen, response) =>
      json(response, 200, { meta: { explain: [explanation] }, data: [] }),
    );
    const io = testIo();
    const argv = ['feed', '--explain', 'example[.]com', '--days', '9', '--limit', '50000', '--url', node.url];
    expect(await runCli(argv, io)).toBe(exitCode);
    expect(node.seen[0]?.query).toEqual({ q: 'example[.]com', explain: '1', days: '9', limit: '1' });
    expect(io.out()).toMatch(
      isIn
        ? /^example.com \(fqdn\) is in the feed: a reason\\u001b\nprovider +group +counts +why\nalpha +everyone +true +confidence 9\n$/
        : /^example.com \(fqdn\) is not in the feed: /,
    );
    expect(io.err()).toBe(complaint);
  },
);

test('feed --explain of a node that does not explain is told apart', async () => {
  await using node = await testNode((_seen, response) => json(response, 200, page));
  const io = testIo();
  expect(await runCli(['feed', '--explain', 'example.com', '--url', node.url], io)).toBe(1);
  expect(io.err()).toContain('is it the address of a Tocsin node');
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
  rows.push(
    {
      id: 'bb'.repeat(16),
      name: 'beta',
      endpoint: 'tcp://127.0.0.1:5003',
      ready: true,
      version: '0.1.0',
      http: 'http://127.0.0.1:8481',
      groups: ['tocsin/1', 'INDICATORS'],
      found_by: ['beacon', 'gossip'],
      last_heard_ms: 1_240,
      round_trip_ms: 0.42,
      queued_messages: 3,
      queued_bytes: 2_048,
    },
    {
      id: 'aa'.repeat(16),
      name: 'alpha\u009b',
      endpoint: 'tcp://127.0.0.1:5002',
      ready: false,
      groups: [],
      found_by: [],
      last_heard_ms: 3,
      queued_messages: 0,
      queued_bytes: 0,
    },
  );
  const piped = testIo();
  await runCli(['peers', '--url', node.url], piped);
  expect(
    piped
      .out()
      .split('\n')
      .map((line) => line.split(/ {2,}/)),
  ).toEqual([
    ['name', 'id', 'endpoint', 'found_by', 'rtt', 'heard', 'queue', 'version', 'groups'],
    ['alpha\\u009b', 'aa'.repeat(16), 'tcp://127.0.0.1:5002', 'itself', '-', 'never', '0 B', '-'],
    [
      'beta',
      'bb'.repeat(16),
      'tcp://127.0.0.1:5003',
      'beacon,gossip',
      '0.42 ms',
      '1.2 s',
      '2.0 KiB',
      '0.1.0',
      'INDICATORS',
    ],
    [''],
  ]);
  const seen = testIo({ terminal: 120 });
  await runCli(['peers', '--url', node.url], seen);
  expect(seen.out()).toContain('bbbbbbbb  127.0.0.1:5003');
  for (const line of seen.out().split('\n')) expect(line.length).toBeLessThanOrEqual(120);
  rows.splice(0, 1);
  const narrow = testIo({ terminal: 80 });
  await runCli(['peers', '--url', node.url], narrow);
  expect(narrow.out()).toMatch(/^name .* version\n/);
  for (const line of narrow.out().split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  const asJson = testIo();
  await runCli(['peers', '--json', '--url', node.url], asJson);
  expect(JSON.parse(asJson.out())).toEqual(rows);
});

/** A URL at which nothing answers any more. */
async function portOfNobody(): Promise<string> {
  await using node = await testNode(() => undefined);
  return node.url;
}

test('search --nolog asks for no trace, of one value and of several', async () => {
  await using node = await testNode(({ path }, response) =>
    json(
      response,
      200,
      path === '/indicators' ? page : { data: [{ row: 1, value: 'x', records: [record] }] },
    ),
  );
  expect(await runCli(['search', 'x', '--nolog', '--url', node.url], testIo())).toBe(0);
  expect(await runCli(['search', '-', '--nolog', '--url', node.url], testIo({ input: 'x\n' }))).toBe(0);
  expect(node.seen.map(({ path, query }) => [path, query['nolog']])).toEqual([
    ['/indicators', '1'],
    ['/indicators/search', '1'],
  ]);
});

test('searches prints who asked for what, newest first', async () => {
  const row = {
    id: 'a-1',
    time: '2026-01-02T03:04:05Z',
    q: 'example.com',
    itype: 'fqdn',
    by: 'alice',
    node: 'a',
  };
  await using node = await testNode(({ query }, response) =>
    json(
      response,
      200,
      query['by'] === 'bob' ? { meta: {}, data: [] } : { meta: { next: 'abc' }, data: [row] },
    ),
  );
  const io = testIo();
  expect(await runCli(['searches', 'example.com', '--days', '7', '--url', node.url], io)).toBe(0);
  expect(node.seen[0]).toMatchObject({ path: '/searches', query: { q: 'example.com', days: '7' } });
  expect(io.out()).toMatch(
    /^time +by +itype +q +node\n2026-01-02T03:04:05Z +alice +fqdn +example\.com +a\n$/,
  );
  expect(io.err()).toContain('--cursor abc');
  expect(await runCli(['searches', '--by', 'bob', '--url', node.url], testIo())).toBe(1);
});
