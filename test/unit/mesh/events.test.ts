import { expect, test } from 'vitest';
import { beaconDiscovery } from '../../../mesh/discovery/beacon.ts';
import { MeshError } from '../../../mesh/errors.ts';
import type { QueuedEvent } from '../../../mesh/event-queue.ts';
import { defaultLimits, type MeshLimits } from '../../../mesh/limits.ts';
import type { Mesh } from '../../../mesh/mesh.ts';
import { startMesh } from '../../../mesh/node.ts';
import { seededRandom } from '../../../mesh/random.ts';
import { simulatedClock, simulatedNetwork } from '../../../mesh/transport/simulated.ts';

function world() {
  const clock = simulatedClock(0);
  const random = seededRandom(1);
  const network = simulatedNetwork(clock, random, {
    delayMsMin: 10,
    delayMsMax: 10,
    loss: 0,
    duplication: 0,
  });
  const beacon = beaconDiscovery({ port: 1, broadcastAddresses: () => ['all'], accepts: () => true });
  const start = (host: string, limits: MeshLimits = defaultLimits): Promise<Mesh> =>
    startMesh(
      { name: host, bind: `tcp://${host}:1`, discovery: [beacon], limits },
      { clock, random, transport: network.transport(host), datagrams: network.datagrams(host) },
    );
  function run(ms: number): void {
    const untilMs = clock.monotonicMs() + ms;
    while ((clock.nextMs() ?? Number.POSITIVE_INFINITY) <= untilMs) clock.step();
  }
  async function stop(mesh: Mesh): Promise<void> {
    const stopped = mesh.stop();
    run(1_000);
    await stopped;
  }
  return { start, run, stop };
}

/** What there is to take, without waiting for more. */
async function taken(events: AsyncIterator<QueuedEvent, undefined>): Promise<readonly QueuedEvent[]> {
  const all: QueuedEvent[] = [];
  const nothing = Symbol('nothing');
  for (;;) {
    const result = await Promise.race([
      events.next(),
      new Promise((resolve) => setImmediate(resolve, nothing)),
    ]);
    if (result === nothing) return all;
    const { value } = result as IteratorResult<QueuedEvent, undefined>;
    if (value === undefined) return all;
    all.push(value);
  }
}

test('iterating begins with the peers that are here, and goes on with what happens, in order', async () => {
  const { start, run } = world();
  const a = await start('a');
  const b = await start('b');
  b.join('chat');
  run(2_000);
  const events = a.events();
  b.whisper(a.id, 'héllo');
  b.leave('chat');
  run(100);
  expect((await taken(events)).map(({ kind }) => kind)).toEqual([
    'peer-entered',
    'peer-joined',
    'whisper',
    'peer-left',
  ]);
});

test('a reader that waits is given the next event, and may ask for several at once', async () => {
  const { start, run } = world();
  const a = await start('a');
  const b = await start('b');
  run(2_000);
  const events = a.events({ content: true });
  await events.next();
  const [first, second] = [events.next(), events.next()];
  b.whisper(a.id, '1');
  b.whisper(a.id, '2');
  run(100);
  const contents = [(await first).value, (await second).value].map(
    (event) => event?.kind === 'whisper' && String(event.content[0]),
  );
  expect(contents).toEqual(['1', '2']);
});

test('without content only who is here is told', async () => {
  const { start, run } = world();
  const a = await start('a');
  const b = await start('b');
  run(2_000);
  const events = a.events({ content: false });
  b.whisper(a.id, 'psst');
  b.join('chat');
  run(100);
  expect((await taken(events)).map(({ kind }) => kind)).toEqual(['peer-entered', 'peer-joined']);
});

test('a reader that is too slow loses messages, is told how many, and costs the others none', async () => {
  const { start, run } = world();
  const a = await start('a', { ...defaultLimits, eventQueueMessagesMax: 3 });
  const b = await start('b');
  run(2_000);
  const slow = a.events();
  let heard = 0;
  a.subscribe(({ kind }) => {
    if (kind === 'whisper') heard++;
  });
  for (let i = 0; i < 10; i++) b.whisper(a.id, 'x');
  b.join('chat');
  run(100);
  expect(heard).toBe(10);
  const told = await taken(slow);
  expect(told.map(({ kind }) => kind)).toEqual([
    'peer-entered',
    'whisper',
    'whisper',
    'whisper',
    'inbox-full',
    'peer-joined',
  ]);
  expect(told).toContainEqual({ kind: 'inbox-full', droppedEvents: 7 });
});

test('break, the signal and a stop each end it; a stop gives what waits before', async () => {
  const { start, run, stop } = world();
  const a = await start('a');
  await start('b');
  run(2_000);
  for await (const { kind } of a.events()) {
    expect(kind).toBe('peer-entered');
    break;
  }
  const abandon = new AbortController();
  const abandoned = a.events({ signal: abandon.signal });
  await abandoned.next();
  const waiting = abandoned.next();
  abandon.abort();
  expect(await waiting).toEqual({ done: true, value: undefined });
  expect(await abandoned.next()).toEqual({ done: true, value: undefined });
  expect(await taken(a.events({ signal: AbortSignal.abort() }))).toEqual([]);

  const behind = a.events();
  await stop(a);
  expect((await behind.next()).value?.kind).toBe('peer-entered');
  expect(await behind.next()).toEqual({ done: true, value: undefined });
  expect(await a.events().next()).toEqual({ done: true, value: undefined });
});

test('waiting for peers ends when so many are there, in the group', async () => {
  const { start, run } = world();
  const a = await start('a');
  const b = await start('b');
  const c = await start('c');
  b.join('chat');
  const one = a.waitForPeers();
  const both = a.waitForPeers({ group: 'chat', count: 2 });
  run(2_000);
  expect((await one).length).toBeGreaterThan(0);
  expect(a.shout('chat', 'too soon for c')).toBe(1);
  c.join('chat');
  run(100);
  expect([...(await both)].sort()).toEqual([b.id, c.id].sort());
  expect(a.shout('chat', 'now')).toBe(2);
  expect(await a.waitForPeers({ group: 'chat', count: 2 })).toHaveLength(2);
});

test('waiting for peers that do not come ends with what is missing', async () => {
  const { start, run, stop } = world();
  const a = await start('a');
  await start('b');
  run(2_000);
  const giveUp = new AbortController();
  const missed = a.waitForPeers({ group: 'chat', count: 2, signal: giveUp.signal });
  giveUp.abort(new Error('too long'));
  const error = await missed.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(MeshError);
  expect(error).toMatchObject({ code: 'NOT_ENOUGH_PEERS', cause: new Error('too long') });
  expect(String(error)).toContain('0 of 2 peers in the group chat came in time: see that they run');
  await expect(a.waitForPeers({ count: 9, signal: AbortSignal.abort() })).rejects.toThrow(
    '1 of 9 peers came',
  );

  const left = a.waitForPeers({ count: 9 });
  const told = expect(left).rejects.toMatchObject({ code: 'STOPPED' });
  await stop(a);
  await told;
  await expect(a.waitForPeers()).rejects.toMatchObject({ code: 'STOPPED' });
});

test('a shout may be to some of a group', async () => {
  const { start, run } = world();
  const [a, b, c] = [await start('a'), await start('b'), await start('c')];
  for (const mesh of [b, c]) mesh.join('chat');
  run(2_000);
  const heard: string[] = [];
  for (const mesh of [b, c]) {
    mesh.subscribe((event) => {
      if (event.kind === 'shout') heard.push(`${mesh.name} ${event.content}`);
    });
  }
  expect(a.shout('chat', 'to one', { to: (peer) => peer === c.id })).toBe(1);
  expect(a.shout('chat', 'to nobody', { to: () => false })).toBe(0);
  expect(a.shout('chat', 'to all', {})).toBe(2);
  run(100);
  expect(heard.toSorted()).toEqual(['b to all', 'c to all', 'c to one']);
});
