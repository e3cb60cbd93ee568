import {
  closeSync,
  cpSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { Level } from 'level';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mountsUsable, mountTmpfs } from '../support/tmpfs.ts';
import { eventually, type Fleet, type FleetNode, getJson, startFleet } from './fleet.ts';

/*
 * One node of a fleet has a bad disk. It says what is wrong and what to do about it; the other node goes on; and once it has been
 * done, everything is there that was ever acknowledged.
 */

const mounts = mountsUsable();

let fleet: Fleet;
let well: FleetNode;
/** A data directory with a table and a write-ahead log; the well node has all that is in it. */
let seed: string;
const seeded = hosts('seeded', 200);

beforeAll(async () => {
  fleet = await startFleet(1);
  const [first] = fleet.nodes;
  if (first === undefined) throw new Error('no node');
  well = first;
  seed = join(fleet.directory, 'seed');
  // LevelDB makes a table of its log when it is opened again.
  for (const part of [seeded.slice(0, 100), seeded.slice(100)]) {
    await using node = await startAt(seed);
    for (let i = 0; i < part.length; i += 20) await acknowledged(node, part.slice(i, i + 20), '1');
    expect(await node.process.stop()).toMatchObject({ code: 0 });
  }
}, 120_000);
afterAll(() => fleet?.[Symbol.asyncDispose]());

describe('a damaged database', { timeout: 60_000 }, () => {
  test.each<[string, RegExp, (path: string) => void]>([
    ['CURRENT is gone', /^CURRENT$/, rmSync],
    ['the MANIFEST is gone', /^MANIFEST/, rmSync],
    ['the MANIFEST is garbled', /^MANIFEST/, (path) => garble(path, 20)],
    ['the MANIFEST is cut off', /^MANIFEST/, (path) => truncateSync(path, 60)],
    ['a table is garbled', /ldb$/, (path) => garble(path, 500)],
    ['a table is cut off', /ldb$/, (path) => truncateSync(path, 500)],
    ['a commit in the write-ahead log is garbled', /\d\.log$/, (path) => garble(path, 500)],
  ])(
    '%s: the node says so and what to do, and having done it gets everything back',
    async (name, pattern, damage) => {
      const directory = copyOfSeed(name);
      const database = join(directory, 'db');
      const files = readdirSync(database).filter((file) => pattern.test(file));
      expect(files).not.toEqual([]);
      for (const file of files) damage(join(database, file));
      expect(await refusal(directory)).toMatch(
        /^The node did not start: .*db is damaged \(.+\): stop the node, move it away and start again; /,
      );
      await expectWell();

      renameSync(database, join(directory, 'db.damaged'));
      await using node = await startAt(directory);
      await expectInStep(node);
    },
  );
});

describe('a directory that is not this node’s to use', () => {
  test('data of a newer release is refused, and is unharmed', async () => {
    const directory = copyOfSeed('newer');
    await stateVersion(directory, '99');
    expect(await refusal(directory)).toMatch(
      /newer release \(format 99; .*\): upgrade, or name another --data-dir/,
    );
    await expectWell();

    await stateVersion(directory, '2');
    await using node = await startAt(directory);
    await expectInStep(node);
  });

  test('one that another node uses is refused, and that node goes on', async () => {
    expect(await refusal(join('.tocsin', '1'))).toMatch(/in use by another node: name another --data-dir/);
    await expectWell();
  });
});

describe.skipIf(!mounts)('a disk', { timeout: 90_000 }, () => {
  test('that is full at the first start: wherever it ends, more space is all that the next start needs', async () => {
    const directory = join(fleet.directory, 'tiny');
    using disk = mountTmpfs(directory, 'size=4k');
    let refused = 0;
    for (let kib = 4; ; kib += 4) {
      disk.remount(`size=${kib}k`);
      await using running = await fleet.start('start', '--data-dir', directory);
      if (await running.line(/is up\.$/, { from: 'stdout' }).catch(() => undefined)) break;
      refused++;
      expect(await running.ended).toMatchObject({ code: 1 });
      expect(running.output('stderr').join('\n')).toMatch(/The node did not start: .*\bspace\b.*then start/);
    }
    expect(refused).toBeGreaterThan(3);
    await expectWell();

    disk.remount('size=8m');
    await using node = await startAt(directory);
    await expectInStep(node);
  });

  test('that becomes full: nothing acknowledged is lost, reading goes on, and freeing space heals the node', async () => {
    const directory = join(fleet.directory, 'small');
    using _ = mountTmpfs(directory, 'size=2m');
    const filler = join(directory, 'filler');
    const kept: string[] = [];
    {
      await using node = await startAt(directory);
      fill(filler, 64 * 1024);
      let answer = await post(node, hosts('full0', 50));
      for (let i = 1; answer.status === 201; i++) {
        kept.push(...hosts(`full${i - 1}`, 50));
        answer = await post(node, hosts(`full${i}`, 50));
      }
      expect(kept.length).toBeGreaterThan(0);
      expect(answer).toMatchObject({
        status: 503,
        body: {
          code: 'BROKEN',
          detail: expect.stringMatching(/not stored, .* full: free some space, then start/),
        },
      });

      // It answers, and takes nothing; the other one takes everything.
      expect(await getJson(node, '/health/ready')).toMatchObject({
        ready: false,
        reason: expect.stringMatching(/cannot|full: free some space/),
      });
      for (const host of kept) expect(await knows(node, host), host).toBe(true);
      const submit = await fleet.start('submit', '-', '--data-dir', directory);
      submit.write('late.example.com');
      submit.endInput();
      expect(await submit.ended).toMatchObject({ code: 3 });
      expect(submit.output('stderr').join('\n')).toMatch(/full: free some space, then start/);
      await expectWell();
      await node.process.line(/full: free some space, then start/, { from: 'stderr' });
      expect(await node.process.stop()).toEqual({ code: 0, signal: null });
    }

    fill(filler, 0);
    expect(await refusal(directory)).toMatch(/is full: free some space, then start the node again$/m);

    rmSync(filler);
    await using node = await startAt(directory);
    for (const host of kept) expect(await knows(node, host), host).toBe(true);
    await acknowledged(node, hosts('freed', 1), '1');
    await expectInStep(node);
  });

  test('that is read-only: the node says so, and starts once it can write', async () => {
    const disk = join(fleet.directory, 'locked');
    using mounted = mountTmpfs(disk, 'size=8m');
    const directory = join(disk, 'data');
    cpSync(seed, directory, { recursive: true });
    mounted.remount('ro');
    for (const path of [directory, join(disk, 'new')]) {
      expect(await refusal(path)).toMatch(
        /db cannot be written: check .* how its disk is mounted, or name another/,
      );
    }
    await expectWell();

    mounted.remount('rw');
    await using node = await startAt(directory);
    await expectInStep(node);
  });
});

function hosts(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `h${i}.${name}.example.com`);
}

type StartedAt = FleetNode & AsyncDisposable;

async function startAt(directory: string): Promise<StartedAt> {
  const running = await fleet.start('start', '--data-dir', directory);
  await running.line(/^Ready/, { deadlineMs: 30_000 });
  const { url, token } = JSON.parse(readFileSync(join(directory, 'node.json'), 'utf8'));
  return { n: 0, url, token, process: running, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() };
}

/** What a node says that does not start. */
async function refusal(directory: string): Promise<string> {
  await using running = await fleet.start('start', '--data-dir', directory);
  expect(await running.ended).toEqual({ code: 1, signal: null });
  expect(running.output('stdout')).toEqual([]);
  return running.output('stderr').join('\n');
}

type Answer = { readonly status: number; readonly body: Record<string, unknown> };

async function post(node: FleetNode, indicators: readonly string[], ack = 'local'): Promise<Answer> {
  const response = await fetch(`${node.url}/indicators?ack=${ack}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${node.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(indicators.map((indicator) => ({ indicator }))),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function acknowledged(node: FleetNode, indicators: readonly string[], ack: string): Promise<void> {
  expect(await post(node, indicators, ack)).toMatchObject({
    status: 201,
    body: { accepted: indicators.length },
  });
}

async function knows(node: FleetNode, indicator: string): Promise<boolean> {
  const { data } = await getJson(node, `/indicators?q=${indicator}&nolog=1`);
  return Array.isArray(data) && data.length > 0;
}

let asked = 0;

/** The node whose disk is well takes what is new and gives what is old. */
async function expectWell(): Promise<void> {
  const fresh = hosts(`well${asked++}`, 1);
  await acknowledged(well, fresh, 'local');
  for (const host of [...fresh, ...seeded.slice(-1)]) expect(await knows(well, host), host).toBe(true);
}

/** Both nodes come to the same records, and what was acknowledged at first is among them. */
async function expectInStep(node: FleetNode): Promise<void> {
  await eventually('equal digests', async () => {
    const [here, there] = await Promise.all([node, well].map((of) => getJson(of, '/mesh/digest')));
    return here?.['sha256'] === there?.['sha256'] ? true : undefined;
  });
  for (const host of [seeded[0], seeded[100], seeded[199]])
    expect(await knows(node, host ?? ''), host).toBe(true);
}

function copyOfSeed(name: string): string {
  const directory = join(fleet.directory, name.replaceAll(' ', '-'));
  cpSync(seed, directory, { recursive: true });
  return directory;
}

function garble(path: string, at: number): void {
  const bytes = readFileSync(path);
  for (let i = at; i < at + 8; i++) bytes.writeUInt8(bytes.readUInt8(i) ^ 0xa5, i);
  writeFileSync(path, bytes);
}

async function stateVersion(directory: string, version: string): Promise<void> {
  await using level = new Level<string, string>(join(directory, 'db'));
  await level.sublevel<string, string>('meta', {}).put('version', version);
}

/** Takes a disk's space but for `freeBytes`. */
function fill(path: string, freeBytes: number): void {
  const file = openSync(path, existsSync(path) ? 'a' : 'w');
  try {
    const { bavail, bsize } = statfsSync(join(path, '..'));
    const bytes = bavail * bsize - freeBytes;
    if (bytes > 0) writeSync(file, Buffer.alloc(bytes));
  } finally {
    closeSync(file);
  }
}
