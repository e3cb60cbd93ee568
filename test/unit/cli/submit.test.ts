import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { runCli } from '../../../src/cli/program.ts';
import { testIo } from './support/io.ts';
import { json, rowsOf, takesRows, testNode } from './support/node.ts';

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tocsin-submit-'));
});

afterAll(() => rm(directory, { recursive: true }));

test('a file is sent in batches of NDJSON, the flags as query parameters', async () => {
  const file = join(directory, 'urls.csv');
  await writeFile(file, 'id,url\n1,http://example.com/1\n2,http://example.com/2\n3,http://example.com/3\n');
  await using node = await testNode(takesRows);
  const io = testIo();
  const flags = [
    '--tags',
    'malware',
    '--confidence',
    '8',
    '--provider',
    'p',
    '--group',
    'g',
    '--tlp',
    'green',
    '--itype',
    'url',
  ];
  expect(
    await runCli(['submit', file, '--column', 'url', '--batch', '2', ...flags, '--url', node.url], io),
  ).toBe(0);
  expect(node.seen.map((seen) => rowsOf(seen).map((row) => row['indicator']))).toEqual([
    ['http://example.com/1', 'http://example.com/2'],
    ['http://example.com/3'],
  ]);
  expect(node.seen[0]).toMatchObject({
    method: 'POST',
    path: '/indicators',
    query: { tags: 'malware', confidence: '8', provider: 'p', group: 'g', tlp: 'green', itype: 'url' },
    headers: { 'content-type': 'application/x-ndjson' },
  });
  expect(io.out()).toMatch(
    /^3 rows of urls\.csv: 3 accepted \(3 new, 0 updated\), 0 refused, in \d+\.\d s\.\n$/,
  );
});

test('refused rows are grouped by kind and named by the line of the file', async () => {
  await using node = await testNode(takesRows);
  const input = '# list\nexample.com\nbad 1\n\nbad\u001b 2\nexample.net\nbad 3\nbad 4\n';
  const io = testIo({ input });
  expect(await runCli(['submit', '-', '--skip-comments', '--batch', '2', '--url', node.url], io)).toBe(0);
  expect(io.out()).toMatch(/^6 rows of standard input: 2 accepted \(2 new, 0 updated\), 4 refused/);
  expect(io.out()).toContain('  4 refused as not-an-indicator, such as\n    line 3: bad 1 is no indicator\n');
  expect(io.out()).toContain('    line 5: bad\\u001b 2 is no indicator\n    line 7: bad 3');
  expect(io.out()).not.toContain('line 8');
});

test('--json gives the same for programs', async () => {
  await using node = await testNode(takesRows);
  const io = testIo({ input: 'example.com\nbad\n' });
  expect(await runCli(['submit', '-', '--json', '--url', node.url], io)).toBe(0);
  expect(JSON.parse(io.out())).toMatchObject({
    file: 'standard input',
    rows: 2,
    accepted: 1,
    created: 1,
    refused: 1,
    refusals: [
      { code: 'not-an-indicator', count: 1, examples: [{ line: 2, reason: 'bad is no indicator' }] },
    ],
    events: { first: 'aa-1', last: 'aa-1' },
  });
});

test('when every row is refused the exit code is 1', async () => {
  await using node = await testNode(takesRows);
  const io = testIo({ input: 'bad\nbad\n' });
  expect(await runCli(['submit', '-', '--url', node.url], io)).toBe(1);
  expect(io.out()).toContain('2 refused as not-an-indicator');
  expect(io.err()).toBe('No row was accepted.\n');
});

test('an empty file is told, and nothing is sent', async () => {
  await using node = await testNode(takesRows);
  const io = testIo({ input: '' });
  expect(await runCli(['submit', '-', '--url', node.url], io)).toBe(1);
  expect(io.err()).toBe('There are no rows in standard input.\n');
  expect(node.seen).toEqual([]);
});

test('a busy node is asked again after the time that it names', async () => {
  let asked = 0;
  await using node = await testNode((seen, response) => {
    asked += 1;
    if (asked === 1) response.writeHead(503, { 'retry-after': '7' }).end();
    else takesRows(seen, response);
  });
  const io = testIo({ input: 'example.com\n' });
  expect(await runCli(['submit', '-', '--url', node.url], io)).toBe(0);
  expect(io.waits).toEqual([7_000]);
  expect(io.err()).toContain('The node is busy; trying again in 7 s.');
  expect(node.seen.map((seen) => seen.body)).toEqual(Array(2).fill('{"indicator":"example.com"}\n'));
});

test('a node that stays busy ends with 3', async () => {
  await using node = await testNode((_seen, response) =>
    json(response, 503, { title: 'Draining', status: 503 }),
  );
  const io = testIo({ input: 'example.com\n' });
  expect(await runCli(['submit', '-', '--url', node.url], io)).toBe(3);
  expect(io.waits).toHaveLength(9);
});

test('a node whose store failed is not asked again: what it says is to be done by a person', async () => {
  const detail = 'this was not stored: the disk is full: free some space';
  await using node = await testNode((_seen, response) =>
    json(response, 503, { title: 'Not now', status: 503, detail, code: 'BROKEN' }),
  );
  const io = testIo({ input: 'example.com\n' });
  expect(await runCli(['submit', '-', '--url', node.url], io)).toBe(3);
  expect(io.waits).toEqual([]);
  expect(io.err()).toContain(detail);
});

test('a node that dies between batches leaves a summary of what is stored, and 3', async () => {
  await using node = await testNode((seen, response) => {
    if (seen.body.includes('three')) response.destroy();
    else takesRows(seen, response);
  });
  const io = testIo({ input: 'one.example\ntwo.example\nthree.example\n' });
  expect(await runCli(['submit', '-', '--batch', '2', '--url', node.url], io)).toBe(3);
  expect(io.out()).toContain('2 accepted');
  expect(io.err()).toMatch(
    /^http:.* broke off before it answered .*\n.*\nRows up to line 2 were answered\.\n$/,
  );
});

test('a refused request tells the reason of the node', async () => {
  await using node = await testNode((_seen, response) =>
    json(response, 403, { title: 'Forbidden', status: 403, detail: 'The scope write is missing.' }),
  );
  const io = testIo({ input: 'example.com\n' });
  expect(await runCli(['submit', '-', '--url', node.url], io)).toBe(4);
  expect(io.err()).toBe('The scope write is missing.\n');
  expect(io.out()).toBe('');
});

test('an interrupted submission finishes the batch at hand, sums up and ends with 130', async () => {
  const endless = Readable.from(
    (function* () {
      for (let n = 0; ; n += 1) yield Buffer.from(`${n}.example\n`);
    })(),
  );
  const io = testIo({ stdin: endless });
  await using node = await testNode((seen, response) => {
    if (node.seen.length === 3) io.send('SIGINT');
    takesRows(seen, response);
  });
  expect(await runCli(['submit', '-', '--batch', '10', '--url', node.url], io)).toBe(130);
  expect(node.seen).toHaveLength(3);
  expect(io.out()).toMatch(/^30 rows of standard input: 30 accepted/);
  expect(io.err()).toMatch(/Interrupted\. Rows up to line 30 were answered\.\n$/);
});

test('an interruption does not wait for a standard input that says nothing', async () => {
  const silent = new Readable({ read: () => io.send('SIGINT') });
  const io = testIo({ stdin: silent });
  expect(await runCli(['submit', '-', '--url', 'http://127.0.0.1:9'], io)).toBe(130);
  expect(io.exits).toEqual([]);
});

test('a file that is cut off is sent as far as it goes, and ends with 1', async () => {
  await using node = await testNode(takesRows);
  const io = testIo({ input: '[{"indicator":"example.com"},\n{"indica' });
  expect(await runCli(['submit', '-', '--url', node.url], io)).toBe(1);
  expect(io.out()).toContain('1 accepted');
  expect(io.out()).toContain('Reading stopped at line 2: the JSON ends before it is closed.');
});

test.each([
  [['submit', '/nowhere/at/all.csv'], /all\.csv cannot be read: ENOENT/],
  [['submit', '/'], /\/ cannot be read: EISDIR/],
])('%j is a usage error', async (argv, message) => {
  await using node = await testNode(takesRows);
  const io = testIo();
  expect(await runCli([...argv, '--url', node.url], io)).toBe(2);
  expect(io.err()).toMatch(message);
});

test('progress is one line that is drawn anew on a terminal, and a line now and then elsewhere', async () => {
  await using node = await testNode(takesRows);
  const input = 'example.com\n'.repeat(50);
  for (const [terminal, stepMs, expected] of [
    [80, 60, /^\r.\[K\d+ rows {2}[\d,]+\/s {2}0 refused/],
    [undefined, 3_000, /^\d+ rows {2}[\d,]+\/s {2}0 refused\n/],
    [undefined, 1, /^$/],
  ] as const) {
    let nowMs = 0;
    const nowMsOf = () => {
      nowMs += stepMs;
      return nowMs;
    };
    const io = testIo({ input, nowMs: nowMsOf, ...(terminal === undefined ? {} : { terminal }) });
    await runCli(['submit', '-', '--batch', '10', '--url', node.url], io);
    expect(io.err()).toMatch(expected);
  }
});
