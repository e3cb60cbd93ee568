import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { runCli } from '../../../src/cli/program.ts';
import { testIo } from './support/io.ts';
import { json, rowsOf, takesRows, testNode } from './support/node.ts';

let directory: string;

const google = { name: 'Google', version: 7, type: 'string', list: ['.google.ad', 'google.ad', 'google.at'] };
const amazon = { name: 'Amazon', version: 1, type: 'cidr', list: ['13.64.0.0/11', 'nonsense', 'bad 1'] };

/** As MISP's repository has them: a directory for each list, and a schema that is none. */
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tocsin-allowlist-'));
  for (const [slug, list] of Object.entries({ google, 'amazon-aws': amazon })) {
    await mkdir(join(directory, 'lists', slug), { recursive: true });
    await writeFile(join(directory, 'lists', slug, 'list.json'), JSON.stringify(list));
  }
  await writeFile(join(directory, 'lists', 'schema.json'), '{"$schema":"x"}');
  await writeFile(join(directory, 'ours.json'), JSON.stringify({ ...google, name: 'Ours' }));
  await writeFile(join(directory, 'page.json'), '<!DOCTYPE html>');
});

afterAll(() => rm(directory, { recursive: true }));

test('a directory of lists is submitted, each by its own provider, and told list by list', async () => {
  await using node = await testNode(takesRows);
  const io = testIo();
  expect(
    await runCli(['allowlist', 'import', join(directory, 'lists'), '--ack', 'local', '--url', node.url], io),
  ).toBe(0);
  expect(node.seen.map(({ method, path, query }) => `${method} ${path} ${query['ack']}`)).toEqual([
    'POST /indicators local',
    'POST /indicators local',
  ]);
  expect(node.seen.flatMap(rowsOf)).toEqual([
    {
      indicator: '13.64.0.0/11',
      itype: 'ipv4',
      provider: 'warninglist:amazon-aws',
      tags: ['allowlist-context'],
      description: 'Amazon, version 1',
      confidence: 10,
      tlp: 'clear',
    },
    expect.objectContaining({ indicator: 'google.ad', provider: 'warninglist:google', tags: ['allowlist'] }),
    expect.objectContaining({ indicator: 'google.at', provider: 'warninglist:google', tags: ['allowlist'] }),
  ]);
  expect(io.out()).toBe(
    [
      `${join('amazon-aws', 'list.json')}: context (a known list), as warninglist:amazon-aws`,
      '  3 entries: 1 accepted (1 new, 0 updated), 2 refused',
      '    1 as bad-host, such as entry 2: "nonsense" is one label only; allowed are names such as example.com',
      '    1 as whitespace, such as entry 3: "bad 1" is no indicator: it contains white space; allowed is one value without spaces',
      `${join('google', 'list.json')}: suppress (a known list), as warninglist:google`,
      '  3 entries: 2 accepted (2 new, 0 updated), 1 repeated, 0 refused',
      '2 lists: 3 entries accepted, 2 refused.',
      '',
    ].join('\n'),
  );
  expect(io.err()).toBe('schema.json is left out: it has no name.\n');
});

test('--dry-run says the same and needs no node', async () => {
  const io = testIo();
  expect(await runCli(['allowlist', 'import', join(directory, 'lists'), '--dry-run'], io)).toBe(0);
  expect(io.out()).toContain('  3 entries: 1 would be submitted, 2 refused\n');
  expect(io.out()).toMatch(/\n2 lists: 3 entries would be submitted, 2 refused\.\n$/);
});

test('--as and --provider-prefix decide, --json tells programs', async () => {
  await using node = await testNode(takesRows);
  const io = testIo();
  const flags = ['--as', 'context', '--provider-prefix', 'team:', '--json', '--url', node.url];
  expect(await runCli(['allowlist', 'import', join(directory, 'ours.json'), ...flags], io)).toBe(0);
  expect(node.seen.flatMap(rowsOf)[0]).toMatchObject({ provider: 'team:ours', tags: ['allowlist-context'] });
  expect(JSON.parse(io.out())).toMatchObject([
    {
      provider: 'team:ours',
      effect: 'context',
      because: 'as you said',
      entries: 3,
      repeated: 1,
      accepted: 2,
      refused: 0,
    },
  ]);
});

test('what the node refuses is counted with what is refused here', async () => {
  await using node = await testNode((seen, response) =>
    json(response, 422, {
      title: 'Nothing accepted',
      status: 422,
      refused: rowsOf(seen).map((_, i) => ({ row: i + 1, code: 'not-allowed', reason: 'no' })),
    }),
  );
  const io = testIo();
  expect(await runCli(['allowlist', 'import', join(directory, 'ours.json'), '--url', node.url], io)).toBe(1);
  expect(io.out()).toContain('2 as not-allowed, such as entry 1: no\n');
  expect(io.err()).toBe('No entry was accepted.\n');
});

test('a file that was named and is no warninglist ends with 1, and the others are imported', async () => {
  await using node = await testNode(takesRows);
  const io = testIo();
  const files = [join(directory, 'page.json'), join(directory, 'ours.json')];
  expect(await runCli(['allowlist', 'import', ...files, '--url', node.url], io)).toBe(1);
  expect(io.err()).toContain('page.json is no list that can be imported: it is no JSON.\n');
  expect(io.err()).toContain(`Not imported: ${files[0]}.\n`);
  expect(node.seen).toHaveLength(1);
});

test.each([
  [['import'], /missing required argument 'path'/],
  [['import', '/nowhere.json'], /\/nowhere\.json cannot be read/],
  [['import', 'x', '--as', 'block'], /Allowed choices are suppress, context/],
  [['import', 'x', '--provider-prefix', 'a b'], /--provider-prefix: "a bx" is no name/],
  [['import', 'x', '--ack', 'most'], /--ack is "most"/],
  [['imprt', 'x'], /unknown command 'imprt'.*import/s],
])('%j is a wrong call', async (argv, words) => {
  const io = testIo();
  expect(await runCli(['allowlist', ...argv], io)).toBe(2);
  expect(io.err()).toMatch(words);
});

test('a signal ends it after the list at hand', async () => {
  const io = testIo();
  await using node = await testNode((seen, response) => {
    io.send('SIGINT');
    takesRows(seen, response);
  });
  expect(await runCli(['allowlist', 'import', join(directory, 'lists'), '--url', node.url], io)).toBe(130);
  expect(node.seen).toHaveLength(1);
  expect(io.err()).toContain('Interrupted.');
});
