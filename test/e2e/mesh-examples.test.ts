import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type LineProcess, type SpawnOptions, spawnLines } from '../support/process.ts';

const root = join(import.meta.dirname, '../..');

function example(name: string, ...args: readonly string[]): Promise<LineProcess> {
  return exampleWith({}, name, ...args);
}

function exampleWith(
  env: SpawnOptions['env'],
  name: string,
  ...args: readonly string[]
): Promise<LineProcess> {
  const script = join(root, 'examples/mesh', `${name}.mjs`);
  return spawnLines(process.execPath, [script, ...args], { cwd: root, env: env ?? {} });
}

test('the program of docs/mesh.md runs as it stands', async () => {
  const page = readFileSync(join(root, 'docs/mesh.md'), 'utf8');
  const program = /```js\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
  const start = () => spawnLines(process.execPath, ['--input-type=module', '-e', program], { cwd: root });
  await using one = await start();
  await using other = await start();
  expect(await Promise.any([one.line(/./), other.line(/./)])).toBe('Ada hello');
});

test('chat: each hears the other, and is told who comes and goes', async () => {
  await using ada = await example('chat', 'Ada');
  await using bob = await example('chat', 'Bob');
  await Promise.all([ada.line(/^\* Bob is here$/), bob.line(/^\* Ada is here$/)]);
  ada.write('hello Bob');
  expect(await bob.line(/hello/)).toBe('Ada: hello Bob');
  bob.write('hello Ada');
  expect(await ada.line(/hello/)).toBe('Bob: hello Ada');
  bob.endInput();
  expect(await bob.ended).toEqual({ code: 0, signal: null });
  expect(await ada.line(/left/)).toBe('* Bob left (goodbye)');
});

test('whisper: a question to one peer is answered', async () => {
  await using answering = await example('whisper', 'answer');
  await using asking = await example('whisper', 'ask', '6', '7');
  expect(await asking.line(/=/)).toBe('6 x 7 = 42');
  expect(await asking.ended).toEqual({ code: 0, signal: null });
  expect(await answering.line(/told/)).toBe('ask was told 42: true');
});

test('headers: a peer is known by its headers when it enters', async () => {
  await using depot = await example('headers', 'depot', 'X-ROLE=store', 'X-SPACE=120GB');
  await using sensor = await example('headers', 'sensor', 'X-ROLE=sensor');
  expect(await sensor.line(/^depot/)).toBe('depot is a store with 120GB space');
  expect(await sensor.line(/^stores:/)).toContain('depot');
  expect(await depot.line(/^sensor/)).toBe('sensor is a sensor with no space');
});

test('groups: a shout reaches the members of its group', async () => {
  await using one = await example('groups', 'listen', 'weather');
  await using both = await example('groups', 'listen', 'weather', 'sports');
  await Promise.all([
    one.line(/^listen weather\+sports joined weather$/),
    both.line(/^listen weather joined/),
  ]);
  await using shouting = await example('groups', 'shout', 'sports=1', 'weather=2');
  expect(await both.lines(2, /^(?:sports|weather):/)).toEqual([
    'sports: news of sports',
    'weather: news of weather',
  ]);
  expect(await one.line(/^(?:sports|weather):/)).toBe('weather: news of weather');
  expect(await shouting.ended).toEqual({ code: 0, signal: null });
});

test('secure: who has the key, or the one before it, is in; nobody else is seen', async () => {
  const [key, newKey, otherKey] = [1, 2, 3].map((n) => Buffer.alloc(32, n).toString('base64'));
  await using ada = await exampleWith({ MESH_KEY: newKey, MESH_KEY_PREVIOUS: key }, 'secure', 'Ada');
  await using bob = await exampleWith({ MESH_KEY: key }, 'secure', 'Bob');
  await using cleo = await exampleWith({ MESH_KEY: newKey }, 'secure', 'Cleo');
  await using eve = await exampleWith({ MESH_KEY: otherKey }, 'secure', 'Eve');
  await using zoe = await exampleWith({}, 'secure', 'Zoe');
  expect((await ada.lines(2, /has the key/)).toSorted()).toEqual([
    'Bob has the key too',
    'Cleo has the key too',
  ]);
  expect(await bob.line(/has the key/)).toBe('Ada has the key too');
  expect(await cleo.line(/has the key/)).toBe('Ada has the key too');
  for (const stranger of [eve, zoe]) {
    await stranger.stop('SIGINT');
    expect(stranger.output('stdout')).toEqual([]);
  }
  // Bob and Cleo share no key yet: that is what the node with both is for.
  await bob.stop('SIGINT');
  await cleo.stop('SIGINT');
  for (const one of [ada, bob, cleo]) expect(one.output('stdout').join()).not.toMatch(/Eve|Zoe/);
});
