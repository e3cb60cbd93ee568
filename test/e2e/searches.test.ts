import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { spawnLines } from '../support/process.ts';
import { eventually, type FleetNode, getJson, main, nodeFlags, startFleet } from './fleet.ts';

// Real nodes: what they keep and print is searched byte by byte for what somebody asked.

type Search = { readonly q: string; readonly by: string; readonly node: string };

test('a search at one node is known at all of them, and one with nolog at none, nor in any file or line', async () => {
  await using fleet = await startFleet(2);
  const [first, second] = fleet.nodes;
  if (first === undefined || second === undefined) throw new Error('no fleet');
  await using streaming = await follow(second);
  await fleet.run('search', 'silent-cli.example.com', '--nolog').catch(() => undefined);
  for (const path of [
    '/indicators?q=silent-get.example.com&nolog=1',
    '/indicators?q=silent-list.example.com,192.0.2.222&nolog=1',
    '/indicators?q=*silent-pattern*&nolog=1',
    '/indicators?q=silent-explain.example.com&explain=1&nolog=1',
    '/indicators?q=silent+no+indicator&nolog=1',
    '/indicators?q=silent-refused.example.com&sort=loud&nolog=1',
    '/indicators?q=silent-cursor.example.com&cursor=abc&nolog=1',
    '/indicators?nolog=1&q=silent-unknown.example.com&what=1',
  ])
    await ask(first, path);
  await ask(first, '/indicators/search?nolog=1', 'silent-post.example.com\nsilent no indicator either\n');
  await ask(first, '/indicators/search?nolog=1&limit=0', 'silent-bad-post.example.com\n');
  // The one that is heard comes last: what was to come before it has come.
  await ask(first, '/indicators?q=loud.example.com');
  const found = await eventually('the search at the other node', async () => {
    const { data } = (await getJson(second, '/searches')) as { data: readonly Search[] };
    return data.length > 0 ? data : undefined;
  });
  const { id } = (await getJson(first, '/mesh')) as { id: string };
  expect(found).toMatchObject([{ q: 'loud.example.com', itype: 'fqdn', by: 'local', node: id }]);
  expect((await getJson(second, '/searches?q=silent-get.example.com'))['data']).toEqual([]);
  const [titles, row, ...rest] = await fleet.run('searches', '--node', '2');
  expect(titles).toMatch(/^time +by +itype +q +node$/);
  expect(row).toContain('loud.example.com');
  expect(rest).toEqual([]);
  await streaming.line(/loud\.example\.com/);

  for (const { process: node } of fleet.nodes) await node.stop();
  const kept = await allBytes(join(fleet.directory, '.tocsin'));
  expect(kept.includes('loud.example.com')).toBe(true);
  const printed = [...fleet.nodes.map(({ process: node }) => node), streaming].flatMap((from) => [
    ...from.output('stdout'),
    ...from.output('stderr'),
  ]);
  expect(kept.includes('silent')).toBe(false);
  expect(printed.filter((line) => line.includes('silent'))).toEqual([]);
  expect(kept.includes('192.0.2.222')).toBe(false);
});

test('nor at any level of the log', async () => {
  await using fleet = await startFleet(0);
  const env = {
    TOCSIN_DATA_DIR: join(fleet.directory, 'one'),
    TOCSIN_LOG_LEVEL: 'trace',
    TOCSIN_HTTP_PORT: '0',
    TOCSIN_STREAM_PORT: '0',
    TOCSIN_DISCOVERY: 'gossip',
  };
  await using running = await spawnLines(process.execPath, [...nodeFlags, main, 'start'], { env });
  await running.line(/^Ready/, { deadlineMs: 30_000 });
  const { url, token } = JSON.parse(await readFile(join(env.TOCSIN_DATA_DIR, 'node.json'), 'utf8'));
  const node = { n: 1, url, token, process: running };
  await ask(node, '/indicators?q=silent.example.com&nolog=1');
  await ask(node, '/indicators?q=silent.example.com&nolog=1&sort=no');
  await running.stop();
  expect([...running.output('stdout'), ...running.output('stderr')].join('\n')).not.toContain('silent');
  expect((await allBytes(env.TOCSIN_DATA_DIR)).includes('silent')).toBe(false);
});

async function ask({ url, token }: FleetNode, path: string, text?: string): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'text/plain' };
  const answer = await fetch(url + path, {
    headers,
    ...(text !== undefined && { method: 'POST', body: text }),
  });
  expect(answer.status).toBeLessThan(500);
  await answer.arrayBuffer();
}

/** Everything that the stream tells, by curl. */
async function follow({ url, token }: FleetNode) {
  const curl = await spawnLines('curl', ['-sN', '-H', `Authorization: Bearer ${token}`, `${url}/stream`]);
  await curl.line(/^event: connected/);
  return curl;
}

async function allBytes(directory: string): Promise<Buffer> {
  const names = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile());
  return Buffer.concat(await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name)))));
}
