import { expect, test } from 'vitest';
import { beaconDiscovery } from '../../../mesh/discovery/beacon.ts';
import type { MeshEvent } from '../../../mesh/events.ts';
import { peerIdFromBytes } from '../../../mesh/ids.ts';
import { defaultLimits, type MeshLimits } from '../../../mesh/limits.ts';
import type { Mesh } from '../../../mesh/mesh.ts';
import { startMesh } from '../../../mesh/node.ts';
import { defaultTiming } from '../../../mesh/peer/timing.ts';
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
  function start(host: string, limits: MeshLimits = defaultLimits, name = host): Promise<Mesh> {
    const bytes = new Uint8Array(16).fill(host.charCodeAt(0));
    const beacon = beaconDiscovery({ port: 1, broadcastAddresses: () => ['all'], accepts: () => true });
    return startMesh(
      {
        id: peerIdFromBytes(bytes),
        name,
        headers: new Map(),
        bind: `tcp://${host}:1`,
        discovery: [beacon],
        limits,
      },
      { clock, random, transport: network.transport(host), datagrams: network.datagrams(host) },
    );
  }
  function run(ms: number): void {
    const untilMs = clock.monotonicMs() + ms;
    while ((clock.nextMs() ?? Number.POSITIVE_INFINITY) <= untilMs) clock.step();
  }
  return { start, run };
}

test.each<[string, Partial<MeshLimits>]>([
  ['messages', { outboxMessagesMax: 3 }],
  // A whispered letter is queued as seven bytes: six of header.
  ['bytes', { outboxBytesMax: 20 }],
])(
  'an outbox that is full of %s refuses content, tells of it, and costs the peer no gap',
  async (_, limits) => {
    const { start, run } = world();
    const a = await start('a', { ...defaultLimits, ...limits });
    const b = await start('b');
    run(2_000);
    const told: MeshEvent[] = [];
    a.subscribe((event) => {
      if (event.kind.startsWith('outbox')) told.push(event);
    });
    const heard: string[] = [];
    b.subscribe((event) => {
      if (event.kind === 'whisper') heard.push(String(event.content[0]));
    });

    const taken = ['1', '2', '3', '4', '5'].map((text) => a.whisper(b.id, [Buffer.from(text)]));
    expect(taken).toEqual([true, true, true, false, false]);
    // Once for both messages.
    expect(told).toEqual([{ kind: 'outbox-full', id: b.id, droppedMessages: 1 }]);
    run(2_000);
    expect(told.slice(1)).toEqual([{ kind: 'outbox-drained', id: b.id, droppedMessages: 2 }]);
    expect(a.counters().get('outbox-full')).toBe(2);
    expect(a.whisper(b.id, [Buffer.from('6')])).toBe(true);
    run(100);
    expect(heard).toEqual(['1', '2', '3', '6']);
    expect(a.peers()[0]?.ready).toBe(true);
    await Promise.all([a.stop(), b.stop()]);
  },
);

test('peers above the cap are refused and counted; one that goes makes room', async () => {
  const { start, run } = world();
  const a = await start('a', { ...defaultLimits, peersMax: 1 });
  const b = await start('b');
  run(3_000);
  const c = await start('c');
  run(3_000);
  expect(a.peers().map(({ name }) => name)).toEqual(['b']);
  expect(a.counters().get('peers-max')).toBeGreaterThan(0);
  await b.stop();
  run(10_000);
  expect(a.peers().map(({ name }) => name)).toEqual(['c']);
  await Promise.all([a.stop(), c.stop()]);
});

test('a peer that joins one group above the cap has to start over, and its HELLO is refused', async () => {
  const { start, run } = world();
  const a = await start('a', { ...defaultLimits, groupsMax: 3 });
  const b = await start('b');
  run(3_000);
  const told: MeshEvent[] = [];
  a.subscribe((event) => told.push(event));
  for (const group of ['1', '2', '3']) b.join(group);
  run(1_000);
  expect(a.peers()[0]).toMatchObject({ ready: true, groups: ['1', '2', '3'] });
  b.join('4');
  run(10_000);
  expect(told).toContainEqual({ kind: 'peer-exited', id: b.id, name: 'b', reason: 'gap' });
  expect(a.counters().get('too-many-groups')).toBeGreaterThan(0);
  expect(a.peers().filter(({ ready }) => ready)).toEqual([]);
  await Promise.all([a.stop(), b.stop()]);
});

test('times that would have live peers drop one another are refused', async () => {
  const timing = { ...defaultTiming, silentAfterMs: 30_000 };
  await expect(startMesh({ name: 'a', timing })).rejects.toMatchObject({ code: 'BAD_TIMING' });
});

test('a node that no peer would take does not start, and leaves its endpoint free', async () => {
  const { start } = world();
  await expect(start('a', defaultLimits, 'x'.repeat(256))).rejects.toMatchObject({ code: 'BAD_NAME' });
  await (await start('a')).stop();
});
