import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { spawnLines } from '../support/process.ts';
import { requirementMet } from '../support/requirement.ts';
import { type Fleet, getJson, startFleet } from './fleet.ts';

const root = join(import.meta.dirname, '../..');
const python = requirementMet(
  spawnSync('python3', ['-c', 'import zmq'], { env: { PATH: '/usr/bin:/bin' } }).status === 0
    ? undefined
    : 'no python3-zmq',
);

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet(2);
});
afterAll(() => fleet[Symbol.asyncDispose]());

async function streamOf(n: number): Promise<string> {
  const node = fleet.nodes[n - 1];
  if (node === undefined) throw new Error(`no node ${n}`);
  const { endpoints } = (await getJson(node, '/mesh')) as { endpoints: { stream: string } };
  return endpoints.stream;
}

/** Submits until the subscriber has connected: PUB does not keep what nobody hears. */
async function submitUntilHeard(hear: Promise<string>, prefix: string): Promise<string> {
  let heard: string | undefined;
  const hearing = hear.then((line) => {
    heard = line;
  });
  for (let i = 0; heard === undefined && i < 50; i++) {
    const node = fleet.nodes[0];
    await fetch(`${node?.url}/indicators?tlp=green`, {
      method: 'POST',
      headers: { authorization: `Bearer ${node?.token}`, 'content-type': 'text/plain' },
      body: `${prefix}${i}.example.com`,
    });
    await Promise.race([hearing, new Promise((resolve) => setTimeout(resolve, 100))]);
  }
  await hearing;
  return heard ?? '';
}

test('the subscriber in Node hears at node 2 what enters at node 1', async () => {
  const script = join(root, 'examples/subscribe.mjs');
  await using subscriber = await spawnLines(process.execPath, [script, await streamOf(2)], { cwd: root });
  expect(await submitUntilHeard(subscriber.line(/example\.com/), 'node')).toMatch(
    /^indicator\/fqdn\/green\/ [0-9a-f]{32}-\d+ node\d+\.example\.com$/,
  );
});

test.skipIf(!python)('the subscriber in Python hears the same', async () => {
  const script = join(root, 'examples/subscribe.py');
  await using subscriber = await spawnLines('/usr/bin/python3', [
    script,
    await streamOf(2),
    'indicator/fqdn/',
  ]);
  expect(await submitUntilHeard(subscriber.line(/example\.com/), 'python')).toMatch(
    /python\d+\.example\.com$/,
  );
});

test('the session with curl runs as it stands', async () => {
  const node = fleet.nodes[0];
  const env = { TOCSIN_URL: node?.url, TOCSIN_TOKEN: node?.token };
  await using session = await spawnLines(join(root, 'examples/session.sh'), [], { env });
  expect(await session.ended).toEqual({ code: 0, signal: null });
  const printed = session.output('stdout').join('\n');
  expect(printed).toContain('"accepted":2');
  expect(printed).toContain('"http://curl.example.com/a.exe"');
});

test('rows that come one by one are answered one by one', async () => {
  const node = fleet.nodes[0];
  const env = { TOCSIN_URL: node?.url, TOCSIN_TOKEN: node?.token };
  await using stream = await spawnLines(process.execPath, [join(root, 'examples/submit-stream.mjs')], {
    env,
  });
  for (let row = 1; row <= 3; row++) {
    stream.write(`{"indicator":"row${row}.example.com","tags":"malware"}`);
    const answer = JSON.parse(await stream.line(/^\{/));
    expect(answer).toMatchObject({ rows: { first: row, last: row }, accepted: 1, ack: { reached: 1 } });
  }
  stream.endInput();
  expect(await stream.ended).toEqual({ code: 0, signal: null });
});

test('the tour of the README runs as it stands', async () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const tour = /```sh tour\n([\s\S]*?)```/.exec(readme)?.[1];
  expect(tour).toBeDefined();
  await using third = (await fleet.add()).process;
  expect(third.pid).toBeGreaterThan(0);
  // In a clone `npx tocsin` is this program; the fleet of the test lives in a directory of its own.
  const script = (tour ?? '').replaceAll(
    'npx tocsin',
    `'${process.execPath}' '${join(root, 'dist/src/main.js')}'`,
  );
  await using session = await spawnLines('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: fleet.directory,
  });
  expect(await session.ended, session.output('stderr').join('\n')).toEqual({ code: 0, signal: null });
  const printed = session.output('stdout').join('\n');
  expect(printed).toContain('http://example.com/Evil.exe');
  expect(printed).toContain('"http://example.com/Evil.exe","url"');
});
