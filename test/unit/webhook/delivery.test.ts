import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { openBatch } from '../../../src/event/batch.ts';
import { openRooms } from '../../support/rooms.ts';
import { type Answer, answering, type Received, startReceiver } from '../../support/webhook-receiver.ts';
import { ask, makeWebhook, until } from './support/driving.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

type Rooms = Awaited<ReturnType<typeof openRooms>>;

function indicatorOf({ body }: Received): string {
  return (JSON.parse(body) as { data: { indicator: string } }).data.indicator;
}

const idOf = ({ headers }: Received): string => String(headers['webhook-id']);

async function state(rooms: Rooms, id: string): Promise<Record<string, unknown>> {
  return (await ask(rooms, 'GET', `/webhooks/${id}`)).body;
}

/** Answers in turn; the last one for ever. */
function inTurn(...answers: readonly Answer[]): Answer {
  return (response, received, n) => answers[Math.min(n, answers.length) - 1]?.(response, received, n);
}

test('what is made after the webhook is posted, signed by its secret, as the CloudEvent of the stream', async () => {
  await using rooms = await openRooms();
  await using receiver = await startReceiver(answering(200));
  await rooms.submit('before.example.com');
  rooms.clock.advance(1);
  const { id, secret } = await makeWebhook(rooms, receiver.url, { filter: { itype: 'fqdn' } });
  await rooms.submit('192.0.2.1', 'after.example.com');
  await until(rooms, 'a delivery', () => receiver.received.length > 0);
  await until(rooms, 'progress', async () => (await state(rooms, id))['last_success'] !== undefined);
  expect(receiver.received).toHaveLength(1);
  const [received] = receiver.received;
  if (received === undefined) throw new Error('nothing came');
  const { headers, body } = received;
  const event = JSON.parse(body) as Record<string, unknown>;
  expect(event).toMatchObject({
    type: 'tocsin.indicator.created',
    source: rooms.identity.nodeId,
    data: { indicator: 'after.example.com' },
  });
  expect(headers['webhook-id']).toBe(`msg_${id}_${event['id']}`);
  expect(headers['user-agent']).toBe('tocsin/0.0.0-test');
  const clocked = { ...headers } as Record<string, string>;
  const now = Date.now;
  Date.now = () => rooms.clock.wallMs();
  try {
    expect(new Webhook(secret).verify(body, clocked)).toEqual(event);
  } finally {
    Date.now = now;
  }
});

test('a search is what a webhook hears of by default, and an indicator is not', async () => {
  await using rooms = await openRooms();
  await using receiver = await startReceiver(answering(200));
  rooms.setOwner(true);
  const { body } = await ask(rooms, 'POST', '/webhooks', { name: 'soc', url: receiver.url, format: 'slack' });
  expect(body['kinds']).toEqual(['search']);
  await rooms.submit('example.com');
  await rooms.intake.say([{ kind: 'search', body: { q: 'example.com', itype: 'fqdn', by: 'alice' } }]);
  await until(rooms, 'a delivery', () => receiver.received.length > 0);
  expect(JSON.parse(receiver.received[0]?.body ?? '')).toMatchObject({
    text: expect.stringMatching(/^\*alice\* searched for `example\[\.\]com` \(fqdn\)/),
  });
});

test('500 and then 200: the same message comes again under the same id', async () => {
  await using rooms = await openRooms();
  await using receiver = await startReceiver(inTurn(answering(500), answering(503), answering(200)));
  const { id } = await makeWebhook(rooms, receiver.url);
  await rooms.submit('example.com');
  await until(rooms, 'a failure', async () => (await state(rooms, id))['pending'] === 1);
  expect(await state(rooms, id)).toMatchObject({ last_failure: { reason: 'it answered 500: seen' } });
  await until(rooms, 'three tries', () => receiver.received.length === 3);
  await until(rooms, 'nothing pending', async () => (await state(rooms, id))['pending'] === 0);
  expect(new Set(receiver.received.map(idOf)).size).toBe(1);
  expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1);
  expect(rooms.webhooks.numbers().outcomes).toEqual(
    new Map([
      ['retried', 2],
      ['delivered', 1],
    ]),
  );
});

test('a receiver that hangs is given up after 15 s and tried again', async () => {
  await using rooms = await openRooms();
  await using receiver = await startReceiver(inTurn(() => undefined, answering(200)));
  const { id } = await makeWebhook(rooms, receiver.url);
  await rooms.submit('example.com');
  await until(rooms, 'a second try', () => receiver.received.length === 2);
  expect(await state(rooms, id)).toMatchObject({ last_failure: { reason: 'no answer within 15 s' } });
});

test('a redirect to the metadata of a cloud is refused, and the message given up after three tries', async () => {
  await using rooms = await openRooms();
  await using receiver = await startReceiver(
    (response) =>
      void response.writeHead(307, { location: 'http://169.254.169.254/latest/meta-data/' }).end(),
  );
  const { id } = await makeWebhook(rooms, receiver.url);
  await rooms.submit('example.com');
  await until(rooms, 'a dead letter', async () => (await state(rooms, id))['dead'] === 1);
  expect(receiver.received).toHaveLength(3);
  const { body } = await ask(rooms, 'GET', `/webhooks/${id}/dead`);
  expect(body).toMatchObject([
    { attempts: 3, count: 1, reason: /169\.254\.169\.254.*--webhook-allow.*3 times/ },
  ]);
});

test('410 disables the webhook; enabled again it delivers what waited, and what is made from then on', async () => {
  await using rooms = await openRooms();
  await using receiver = await startReceiver(answering(410));
  const { id } = await makeWebhook(rooms, receiver.url);
  await rooms.submit('example.com');
  await until(rooms, 'disabled', async () => (await state(rooms, id))['enabled'] === false);
  expect(await state(rooms, id)).toMatchObject({ disabled: { reason: 'it answered 410: seen' } });
  expect(rooms.told.join()).toMatch(/is disabled.*PATCH \/webhooks/);
  await rooms.submit('meanwhile.example.com');
  rooms.clock.advance(minuteMs);
  receiver.answer(answering(200));
  expect((await ask(rooms, 'PATCH', `/webhooks/${id}`, { enabled: true })).body['disabled']).toBeUndefined();
  await rooms.submit('after.example.com');
  await until(rooms, 'both', () => receiver.received.length >= 3);
  expect(receiver.received.map(indicatorOf)).toEqual(['example.com', 'example.com', 'after.example.com']);
  expect(new Set(receiver.received.slice(0, 2).map(idOf)).size).toBe(1);
});

test('Retry-After is waited for', async () => {
  await using rooms = await openRooms();
  await using receiver = await startReceiver(
    inTurn(answering(429, { 'retry-after': '3600' }), answering(200)),
  );
  const { id } = await makeWebhook(rooms, receiver.url);
  await rooms.submit('a.example.com');
  await until(rooms, 'the first try', () => receiver.received.length === 1);
  const askedMs = rooms.clock.wallMs();
  await until(rooms, 'the failure', async () => (await state(rooms, id))['pending'] === 1);
  await rooms.submit('b.example.com');
  rooms.clock.advance(hourMs - 10_000);
  await until(rooms, 'both', () => receiver.received.length === 3);
  expect(rooms.clock.wallMs() - askedMs).toBeGreaterThanOrEqual(hourMs);
});

test('a receiver dies and comes back: the breaker lets probes through, and nothing is lost', async () => {
  await using rooms = await openRooms();
  const first = await startReceiver(answering(200));
  const { id } = await makeWebhook(rooms, first.url);
  await first[Symbol.asyncDispose]();
  const names = Array.from({ length: 30 }, (_, i) => `h${i}.example.com`);
  for (const name of names) await rooms.submit(name);
  await until(rooms, 'the breaker', async () => (await state(rooms, id))['breaker'] === 'open', 1_000);
  expect(rooms.told.join()).toMatch(/ECONNREFUSED.*POST \/webhooks/);
  await until(rooms, 'some time', () => rooms.webhooks.numbers().outcomes.get('retried') === 12, 10_000);
  await using back = await startReceiver(answering(200), first.port);
  await until(rooms, 'all of them', () => back.received.length >= names.length, 1_000);
  await until(rooms, 'nothing pending', async () => {
    const now = await state(rooms, id);
    return now['pending'] === 0 && now['waiting'] === 0;
  });
  expect(back.received.map(indicatorOf).sort()).toEqual([...names].sort());
  expect(await state(rooms, id)).toMatchObject({ breaker: 'closed', dead: 0, waiting: 0 });
});

test('what a receiver did not take for a day is given up, tried or not, and the log says how much of it', async () => {
  await using rooms = await openRooms();
  await using receiver = await startReceiver(answering(500));
  const { id } = await makeWebhook(rooms, receiver.url);
  const names = Array.from({ length: 20 }, (_, i) => `h${i}.example.com`);
  await rooms.submit(...names);
  await until(rooms, 'the breaker', async () => (await state(rooms, id))['breaker'] === 'open', 1_000);
  await until(rooms, 'none under way', async () => {
    const before = receiver.received.length;
    return before > 4 && rooms.webhooks.numbers().outcomes.get('retried') === before;
  });
  rooms.clock.advance(24 * hourMs);
  await until(rooms, 'dead letters', async () => (await state(rooms, id))['dead'] === names.length);
  expect(await state(rooms, id)).toMatchObject({ pending: 0, waiting: 0 });
  expect(rooms.told.at(-1)).toMatch(
    /^\d+ messages of the webhook siem given up: .*POST \/webhooks\/.*replay/,
  );
});

test('while secrets rotate either verifies; when it is finished only the new one does', async () => {
  await using rooms = await openRooms();
  await using receiver = await startReceiver(answering(200));
  const { id, secret } = await makeWebhook(rooms, receiver.url);
  const rotated = await ask(rooms, 'POST', `/webhooks/${id}/rotate`);
  const next = String(rotated.body['secret']);
  expect(next).toMatch(/^whsec_/);
  expect((await ask(rooms, 'POST', `/webhooks/${id}/rotate`)).status).toBe(409);
  const verifies = (key: string, { body, headers }: Received): boolean => {
    const at = new Date(Number(headers['webhook-timestamp']) * 1_000);
    const signature = new Webhook(key).sign(idOf({ headers } as Received), at, body);
    return String(headers['webhook-signature']).split(' ').includes(signature);
  };
  await rooms.submit('example.com');
  await until(rooms, 'a delivery', () => receiver.received.length === 1);
  const [both] = receiver.received;
  if (both === undefined) throw new Error('nothing came');
  expect([verifies(secret, both), verifies(next, both)]).toEqual([true, true]);
  const finished = await ask(rooms, 'POST', `/webhooks/${id}/rotate?finish=1`);
  expect(finished.body).toMatchObject({ id, secrets: 1 });
  await rooms.submit('example.net');
  await until(rooms, 'another one', () => receiver.received.length === 2);
  const [, one] = receiver.received;
  if (one === undefined) throw new Error('nothing came');
  expect([verifies(secret, one), verifies(next, one)]).toEqual([false, true]);
});

describe('floods', () => {
  test('a program gets all events of a flood, as digests of up to fifty', async () => {
    await using rooms = await openRooms();
    const seen: string[] = [];
    await using receiver = await startReceiver((response, { body }) => {
      const event = JSON.parse(body) as { type: string; data: { indicator: string; items: [] } };
      const items: { data: { indicator: string } }[] =
        event.type === 'tocsin.digest' ? event.data.items : [event];
      seen.push(...items.map(({ data }) => data.indicator));
      response.writeHead(200).end();
    });
    const { id } = await makeWebhook(rooms, receiver.url);
    await until(rooms, 'the owner', async () => (await state(rooms, id))['owner'] !== undefined);
    const names = Array.from({ length: 1_200 }, (_, i) => `h${i}.example.com`);
    await rooms.submit(...names);
    await until(rooms, 'all of them', () => seen.length >= names.length);
    expect(seen.sort()).toEqual([...names].sort());
    expect(receiver.received.length).toBeLessThan(300);
  });

  test('Slack is told of a flood in one message a second, with how many and the first ones', async () => {
    await using rooms = await openRooms();
    await using receiver = await startReceiver(answering(200));
    const { id } = await makeWebhook(rooms, receiver.url, { format: 'slack' });
    await until(rooms, 'the owner', async () => (await state(rooms, id))['owner'] !== undefined);
    await rooms.submit(...Array.from({ length: 2_000 }, (_, i) => `h${i}.example.com`));
    await until(rooms, 'nothing waiting', async () => {
      const now = await state(rooms, id);
      return receiver.received.length > 0 && now['waiting'] === 0;
    });
    const texts = receiver.received.map(({ body }) => (JSON.parse(body) as { text: string }).text);
    const counted = texts.map((text) => Number(/^\*(\d+) messages\*/.exec(text)?.[1] ?? 1));
    expect(counted.reduce((sum, count) => sum + count, 0)).toBe(2_000);
    expect(texts.length).toBeLessThan(20);
  });
});

test('a dead letter is replayed under its id, all of them or by id', async () => {
  await using rooms = await openRooms();
  await using receiver = await startReceiver(answering(400));
  const { id } = await makeWebhook(rooms, receiver.url);
  await rooms.submit('a.example.com', 'b.example.com');
  await until(rooms, 'dead letters', async () => (await state(rooms, id))['dead'] === 2);
  const dead = (await ask(rooms, 'GET', `/webhooks/${id}/dead`)).body as unknown as {
    id: string;
    message_id: string;
  }[];
  receiver.answer(answering(200));
  const before = receiver.received.length;
  const one = await ask(rooms, 'POST', `/webhooks/${id}/replay`, { ids: [dead[1]?.id, 'no-such-id'] });
  expect(one).toEqual({ status: 202, body: { replayed: 1 } });
  await until(rooms, 'the one', () => receiver.received.length === before + 1);
  expect(receiver.received.map(idOf).at(-1)).toBe(dead[1]?.message_id);
  expect((await ask(rooms, 'POST', `/webhooks/${id}/replay`)).body).toEqual({ replayed: 1 });
  await until(rooms, 'the other', () => receiver.received.length === before + 2);
  expect(receiver.received.map(idOf).at(-1)).toBe(dead[0]?.message_id);
  await until(rooms, 'nothing left', async () => {
    const now = await state(rooms, id);
    return now['pending'] === 0 && now['dead'] === 0;
  });
});

test('another node goes on where the owner was: what was pending comes, and what was delivered does not come again', async () => {
  await using owner = await openRooms(1);
  await using heir = await openRooms(2);
  await using receiver = await startReceiver(answering(200));
  /** As replication does: what the one has the other has too. */
  const copy = async (from: Rooms, to: Rooms): Promise<void> => {
    const origin = from.identity.nodeId;
    const batches = await from.store.batches(origin, { from: 1, to: 1_000_000 }, 100_000_000);
    await to.store.commit(
      batches.flatMap(({ bytes }) => {
        const opened = openBatch(bytes);
        return opened.ok ? [opened.value] : [];
      }),
    );
  };
  const { id } = await makeWebhook(owner, receiver.url);
  await owner.submit('a.example.com', 'b.example.com');
  await until([owner, heir], 'two deliveries', () => receiver.received.length === 2);
  receiver.answer(answering(500));
  await owner.submit('c.example.com');
  await until([owner, heir], 'one pending', async () => (await state(owner, id))['pending'] === 1);
  await until([owner, heir], 'progress', async () => {
    const progress = await owner.store.document('webhook-progress', id);
    return progress?.body?.includes('lastFailure') === true;
  });
  // Killed: it writes nothing more. What came to the other node after its last progress is undelivered.
  owner.setOwner(false);
  await copy(owner, heir);
  await heir.submit('d.example.com');
  const before = receiver.received.length;
  receiver.answer(answering(200));
  heir.setOwner(true);
  await until([heir], 'the rest', () => receiver.received.length >= before + 2);
  await until([heir], 'nothing pending', async () => (await state(heir, id))['pending'] === 0);
  expect(receiver.received.slice(before).map(indicatorOf).sort()).toEqual(['c.example.com', 'd.example.com']);
  expect(await state(heir, id)).toMatchObject({ owner: heir.identity.nodeId });
});

test('a ping is sent now, by whichever node is asked, and tells what the receiver said', async () => {
  await using rooms = await openRooms();
  await using receiver = await startReceiver(answering(200));
  const { id } = await makeWebhook(rooms, receiver.url);
  rooms.setOwner(false);
  const good = await ask(rooms, 'POST', `/webhooks/${id}/test`);
  expect(good.body).toMatchObject({ delivered: true, status: 200, answer: 'seen' });
  expect(JSON.parse(receiver.received[0]?.body ?? '')).toMatchObject({
    type: 'tocsin.ping',
    data: { webhook: id, name: 'siem' },
  });
  receiver.answer(answering(403));
  expect((await ask(rooms, 'POST', `/webhooks/${id}/test`)).body).toMatchObject({
    delivered: false,
    status: 403,
    reason: 'it answered 403: seen',
  });
});

test('a webhook that is deleted takes all that waits with it', async () => {
  await using rooms = await openRooms();
  await using receiver = await startReceiver(answering(500));
  const { id } = await makeWebhook(rooms, receiver.url);
  await rooms.submit('example.com');
  await until(rooms, 'one pending', async () => (await state(rooms, id))['pending'] === 1);
  expect((await ask(rooms, 'DELETE', `/webhooks/${id}`)).status).toBe(204);
  expect((await ask(rooms, 'GET', `/webhooks/${id}`)).status).toBe(404);
  const before = receiver.received.length;
  rooms.clock.advance(hourMs);
  for (const collection of ['webhook', 'webhook-progress', 'webhook-pending', 'webhook-dead'])
    expect(await rooms.store.documents(collection, undefined, 10), collection).toEqual([]);
  expect(receiver.received).toHaveLength(before);
});
