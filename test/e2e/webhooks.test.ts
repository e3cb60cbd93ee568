import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { spawnLines } from '../support/process.ts';
import { answering, type Received, startReceiver } from '../support/webhook-receiver.ts';
import { eventually, type Fleet, type FleetNode, getJson, startFleet } from './fleet.ts';

// The promise of webhooks on real processes: whoever delivers is killed while deliveries fail and events come, and each event
// that a node has acknowledged arrives all the same.

type Receiver = Awaited<ReturnType<typeof startReceiver>>;

const settings = {
  TOCSIN_WEBHOOK_ALLOW: '127.0.0.1',
  // The next owner is found when the killed one is taken for gone.
  TOCSIN_PEER_EVASIVE_MS: '1000',
  TOCSIN_PEER_SILENT_MS: '2000',
  TOCSIN_PEER_EXPIRED_MS: '3000',
};

let fleet: Fleet;
let receiver: Receiver;
let killed: FleetNode | undefined;

beforeAll(async () => {
  receiver = await startReceiver(answering(200));
  fleet = await startFleet(3, settings);
}, 120_000);

afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
  await receiver?.[Symbol.asyncDispose]();
}, 60_000);

async function send(node: FleetNode, method: string, path: string, body: unknown) {
  const response = await fetch(node.url + path, {
    method,
    headers: { authorization: `Bearer ${node.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** Ids of the events in a message, a digest or not. */
function eventIds({ body }: Received): readonly string[] {
  const event = JSON.parse(body) as { type: string; id: string; data: { items: { id: string }[] } };
  return event.type === 'tocsin.digest' ? event.data.items.map(({ id }) => id) : [event.id];
}

/** Submits at nodes in turn until it is stopped, and answers the ids of the events that were acknowledged. */
function startWriting(nodes: () => readonly FleetNode[]) {
  const ids: string[] = [];
  let running = true;
  async function write(): Promise<void> {
    for (let n = 0; running; n++) {
      const node = nodes()[n % nodes().length];
      if (node === undefined) return;
      const rows = [`w${n}.example.com`, `w${n}.example.net`];
      // The killed one answers nothing any more: what it has not acknowledged, nobody was promised.
      const answer = await send(node, 'POST', '/indicators', rows).catch(() => undefined);
      // A person asks, and another one who wants no trace of it.
      await getJson(node, `/indicators?q=s${n}.example.com`).catch(() => undefined);
      await getJson(node, `/indicators?q=nolog${n}.example.com&nolog=1`).catch(() => undefined);
      const { first, last } = (answer?.body['events'] ?? {}) as { first?: string; last?: string };
      if (answer?.status === 201 && first !== undefined && last !== undefined)
        ids.push(...new Set([first, last]));
      await pass(20);
    }
  }
  const writing = write();
  return {
    ids,
    async stop(): Promise<void> {
      running = false;
      await writing;
    },
  };
}

/** Who delivers now, as a node tells. */
async function ownerAt(node: FleetNode, id: string, nodes: readonly FleetNode[]): Promise<FleetNode> {
  return eventually('an owner', async () => {
    const { owner } = await getJson(node, `/webhooks/${id}`);
    for (const one of nodes) if ((await getJson(one, '/mesh'))['id'] === owner) return one;
    return undefined;
  });
}

async function makeWebhook(node: FleetNode): Promise<string> {
  const wish = { name: 'siem', url: receiver.url, kinds: ['indicator', 'search'] };
  const made = await send(node, 'POST', '/webhooks', wish);
  expect(made.status, JSON.stringify(made.body)).toBe(201);
  return String(made.body['id']);
}

/** A node with data of its own: a stopped one leaves its directory to whoever starts next. */
async function newcomer(to: Fleet, n: number): Promise<FleetNode> {
  const directory = join(to.directory, `newcomer-${n}`);
  const running = await to.start('start', '--data-dir', directory);
  await running.line(/^Ready/, { deadlineMs: 60_000 });
  const { url, token } = JSON.parse(await readFile(join(directory, 'node.json'), 'utf8')) as FleetNode;
  return { n, url, token, process: running };
}

/** The events that were acknowledged, and the searches that a node knows of. */
async function expectAll(
  acknowledged: readonly string[],
  delivered: readonly string[],
  node: FleetNode,
): Promise<void> {
  const { data } = (await getJson(node, '/searches?limit=1000')) as { data: { id: string; q: string }[] };
  expect(data.length).toBeGreaterThan(0);
  expect(data.filter(({ q }) => q.startsWith('nolog'))).toEqual([]);
  const expected = new Set([...acknowledged, ...data.map(({ id }) => id)]);
  await eventually('every event', async () => {
    const seen = new Set(delivered);
    return [...expected].every((one) => seen.has(one)) ? true : undefined;
  });
  const twice = delivered.length - new Set(delivered).size;
  console.log(`${expected.size} events, ${delivered.length} delivered, ${twice} of them again`);
  expect(twice).toBeLessThan(expected.size / 5);
}

test('the owner is killed while deliveries fail and events come: each event arrives, and few of them twice', {
  timeout: 180_000,
}, async () => {
  const [first] = fleet.nodes;
  if (first === undefined) throw new Error('no node');
  const id = await makeWebhook(first);
  const delivered: string[] = [];
  let isFailing = false;
  receiver.answer((response, received) => {
    if (!isFailing) delivered.push(...eventIds(received));
    response.writeHead(isFailing ? 500 : 200).end();
  });

  const writer = startWriting(() => fleet.nodes);
  await eventually('deliveries', async () => (delivered.length > 60 ? true : undefined));
  const owner = await ownerAt(first, id, fleet.nodes);
  isFailing = true;
  const others = fleet.nodes.filter((node) => node !== owner);
  const [other] = others;
  if (other === undefined) throw new Error('no other node');
  await eventually('failures', async () =>
    Number((await getJson(other, `/webhooks/${id}`))['pending']) > 3 ? true : undefined,
  );
  await owner.process.stop('SIGKILL');
  killed = owner;
  await pass(1_000);
  isFailing = false;
  await ownerAt(other, id, others);
  await pass(2_000);
  await writer.stop();
  await expectAll(writer.ids, delivered, other);
  await eventually('nothing pending', async () =>
    (await getJson(other, `/webhooks/${id}`))['pending'] === 0 ? true : undefined,
  );
  expect(await getJson(other, `/webhooks/${id}`)).toMatchObject({ dead: 0, breaker: 'closed' });
});

test('the example verifies and shows what comes, and answers 401 to who has not the secret', {
  timeout: 60_000,
}, async () => {
  const node = fleet.nodes.find((one) => one !== killed);
  if (node === undefined) throw new Error('no node');
  await using place = await startReceiver(answering(200));
  const { port } = place;
  await place[Symbol.asyncDispose]();
  const url = `http://127.0.0.1:${port}/`;
  const made = await send(node, 'POST', '/webhooks', { name: 'example', url, kinds: ['indicator'] });
  const { id, secret } = made.body;
  const example = join(import.meta.dirname, '../../examples/webhook-receiver.mjs');
  await using running = await spawnLines(process.execPath, [example, String(port)], {
    env: { WEBHOOK_SECRET: String(secret) },
  });
  await eventually('a ping', async () =>
    (await send(node, 'POST', `/webhooks/${id}/test`, {})).body['delivered'] === true ? true : undefined,
  );
  await running.line(/^tocsin\.ping example$/);
  await send(node, 'POST', '/indicators', ['shown.example.com']);
  await running.line(/^tocsin\.indicator\.created shown\.example\.com$/, { deadlineMs: 30_000 });
  expect((await fetch(url, { method: 'POST', body: '{}' })).status).toBe(401);
});

test('nodes come, and owners are stopped in good order, while events come: each event arrives, and hardly one twice', {
  timeout: 180_000,
}, async () => {
  await using quick = await startFleet(2, settings);
  const live = [...quick.nodes];
  const delivered: string[] = [];
  receiver.answer((response, received) => {
    delivered.push(...eventIds(received));
    response.writeHead(200).end();
  });
  const [first] = live;
  if (first === undefined) throw new Error('no node');
  const id = await makeWebhook(first);
  const writer = startWriting(() => live);
  for (let round = 0; round < 2; round++) {
    const node = await newcomer(quick, round);
    live.push(node);
    const owner = await ownerAt(node, id, live);
    const before = delivered.length;
    await eventually('deliveries', async () => (delivered.length > before + 30 ? true : undefined));
    live.splice(live.indexOf(owner), 1);
    await owner.process.stop();
    const [next] = live;
    if (next === undefined) throw new Error('no node');
    await ownerAt(next, id, live);
  }
  await writer.stop();
  const [rest] = live;
  if (rest === undefined) throw new Error('no node');
  await expectAll(writer.ids, delivered, rest);
  for (const { process: running } of live) await running.stop();
});
