import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClient, type EventMessage, type StreamState } from '../../src/client/client.ts';
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

  const page = await reader.search('*.moves.example.com', { limit: 10_000, nolog: true });
  expect(page.data.map(({ indicator }) => indicator).toSorted()).toEqual(heard.map(named).toSorted());
  const answers = await reader.search(['1.moves.example.com', 'not an indicator', 'unknown.example.com']);
  expect(answers.map(({ records, refused }) => [records.length, refused !== undefined])).toEqual([
    [1, false],
    [0, true],
    [0, false],
  ]);
  expect((await reader.feed({ itype: 'fqdn', limit: 3, confidence: 0 })).data).toHaveLength(3);
});
