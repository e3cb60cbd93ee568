import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  createClient,
  type EventMessage,
  type IndicatorRecord,
  type StreamState,
} from '../../src/client/client.ts';
import { spawnLines } from '../support/process.ts';
import { eventually, type Fleet, startFleet } from './fleet.ts';

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet(3);
});
afterAll(() => fleet[Symbol.asyncDispose]());

const choice = ({ url, token }: { url: string; token: string }) => ({ url, token });

test('a stream moves on when its node is killed, and hands out every event once', {
  timeout: 120_000,
}, async () => {
  const [one, two, three] = fleet.nodes;
  if (one === undefined || two === undefined || three === undefined) throw new Error('no three nodes');
  const writer = createClient({ nodes: [choice(one)] });
  const reader = createClient({ nodes: [choice(two), choice(three)] });
  const states: StreamState[] = [];
  const stream = reader.stream({ kind: 'indicator', onState: (state) => states.push(state) });
  const heard: EventMessage[] = [];
  const following = (async () => {
    for await (const message of stream) {
      if (message.kind === 'reset') throw new Error(message.detail);
      heard.push(message);
    }
  })();
  await eventually('it is connected', async () => (stream.cursor === undefined ? undefined : true));

  const count = 3_000;
  async function* rows() {
    for (let n = 1; n <= count; n++) {
      if (n === count / 2) await two?.process.stop('SIGKILL');
      yield { indicator: `${n}.moves.example.com`, tags: ['moves'] };
    }
  }
  expect(await writer.submit(rows(), { batchRows: 20 })).toMatchObject({ rows: count, accepted: count });
  const named = (message: EventMessage) => String((message.data as { indicator?: string }).indicator);
  await eventually('the last one is heard', async () =>
    heard.some((message) => named(message) === `${count}.moves.example.com`) ? true : undefined,
  );
  await stream.return?.();
  await following;
  expect(heard.map(named).toSorted()).toEqual(
    Array.from({ length: count }, (_, i) => `${i + 1}.moves.example.com`).toSorted(),
  );
  expect(new Set(heard.map(({ id }) => id)).size).toBe(count);
  expect(states.map(({ kind }) => kind)).toEqual(['connected', 'lost', 'failed', 'moved']);

  // Where the killed node was, a node of another test may be by now.
  const asker = createClient({ nodes: [choice(three)] });
  const page = await asker.search('*.moves.example.com', { limit: 10_000, nolog: true });
  expect(page.data.map(({ indicator }) => indicator).toSorted()).toEqual(heard.map(named).toSorted());
  const answers = await asker.search(['1.moves.example.com', 'not an indicator', 'unknown.example.com']);
  expect(answers.map(({ records, refused }) => [records.length, refused !== undefined])).toEqual([
    [1, false],
    [0, true],
    [0, false],
  ]);
  expect((await asker.feed({ itype: 'fqdn', limit: 3, confidence: 0 })).data).toHaveLength(3);
});

test('a snapshot and the stream after it are all there is, while others write', {
  timeout: 120_000,
}, async () => {
  const [one, , three] = fleet.nodes;
  if (one === undefined || three === undefined) throw new Error('no nodes');
  const writer = createClient({ nodes: [choice(one)] });
  const reader = createClient({ nodes: [choice(three)] });
  // Three pages, of which the writer changes some while they are read.
  const many = 11_000;
  const all = Array.from({ length: many }, (_, i) => `${i}.mirror.example.com`);
  await writer.submit(all, { batchRows: 2_000 });
  const until = new AbortController();
  async function* changes() {
    for (let n = 0; !until.signal.aborted; n++) {
      yield { indicator: `${(n * 7_919) % many}.mirror.example.com`, tags: [`t${n}`], provider: 'second' };
      yield { indicator: `${n}.later.example.com` };
    }
    yield { indicator: 'last.mirror.example.com' };
  }
  const writing = writer.submit(changes(), { batchRows: 50 });
  const kept = new Map<string, IndicatorRecord>();
  const snapshot = reader.snapshot();
  for await (const record of snapshot) kept.set(record.id, record);
  expect(kept.size).toBeGreaterThan(many);
  for await (const message of reader.stream({ cursor: snapshot.cursor })) {
    if (message.kind === 'reset' || message.kind === 'search' || message.kind === 'other')
      throw new Error(message.kind);
    if (message.kind === 'expire') kept.delete(message.data.id);
    else kept.set(message.data.id, message.data);
    until.abort();
    if (message.data.indicator === 'last.mirror.example.com') break;
  }
  expect(await writing).toMatchObject({ refused: 0 });
  const stored = new Map<string, IndicatorRecord>();
  for await (const record of reader.snapshot()) stored.set(record.id, record);
  expect(kept.size).toBe(stored.size);
  expect(kept).toEqual(stored);
});

test('the mirror of the examples begins with all records, and follows', { timeout: 60_000 }, async () => {
  const [one, , three] = fleet.nodes;
  if (one === undefined || three === undefined) throw new Error('no nodes');
  const script = join(import.meta.dirname, '../../examples/mirror.mjs');
  const env = { TOCSIN_TOKEN: three.token };
  await using mirror = await spawnLines(process.execPath, [script, three.url], { env });
  await mirror.line(/^\d{5} records$/, { deadlineMs: 30_000 });
  await createClient({ nodes: [choice(one)] }).submit(['seen.example.com']);
  await mirror.line(/records, after tocsin\.indicator\.created of seen\.example\.com$/);
});
