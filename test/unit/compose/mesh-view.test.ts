import {
  beaconDiscovery,
  defaultLimits,
  type Mesh,
  type MeshLimits,
  seededRandom,
  simulatedClock,
  startMesh,
} from 'tocsin/mesh';
import { expect, test } from 'vitest';
import { tallyMesh } from '../../../src/compose/mesh-tally.ts';
import { eventRows, peerRows } from '../../../src/compose/mesh-view.ts';
import { type MeshEventRow, meshEventSchema, peerSchema } from '../../../src/facade/mesh-rows.ts';
import { quietNetwork } from '../../support/simulated-node.ts';

const wallMs = Date.UTC(2026, 0, 2, 3, 4, 5);

/** Two nodes of a simulated network; `a` is looked at. */
async function twoNodes(limits: Partial<MeshLimits> = {}) {
  const clock = simulatedClock(0);
  const network = quietNetwork(clock, 1);
  const random = seededRandom(1);
  const start = (host: string, header: string): Promise<Mesh> =>
    startMesh(
      {
        name: host,
        headers: { 'X-TOCSIN': header },
        bind: `tcp://${host}:1`,
        discovery: [beaconDiscovery({ port: 1, broadcastAddresses: () => ['all'], accepts: () => true })],
        limits: { ...defaultLimits, ...limits },
      },
      { clock, random, transport: network.transport(host), datagrams: network.datagrams(host) },
    );
  const a = await start('a', '1.0.0 http://a:8480');
  const numbers = tallyMesh(a);
  const b = await start('b', '1.2.3 http://b:8480');
  function run(ms: number): void {
    const untilMs = clock.monotonicMs() + ms;
    while ((clock.nextMs() ?? Number.POSITIVE_INFINITY) <= untilMs) clock.step();
  }
  b.join('chat');
  run(2_000);
  return { a, b, run, numbers };
}

/** What there is to read, each row held against the schema. */
async function rowsOf(mesh: Mesh, happen: () => Promise<void>): Promise<readonly MeshEventRow[]> {
  const enough = new AbortController();
  const rows: MeshEventRow[] = [];
  const reading = (async () => {
    for await (const row of eventRows(mesh, () => wallMs, enough.signal))
      rows.push(meshEventSchema.parse(row));
  })();
  await happen();
  await new Promise((resolve) => setImmediate(resolve));
  enough.abort();
  await reading;
  return rows;
}

test('a peer is shown as its HELLO introduced it, and as it stands', async () => {
  const { a, b } = await twoNodes();
  const [row, ...others] = peerRows(a);
  expect(others).toEqual([]);
  expect(peerSchema.parse(row)).toMatchObject({
    id: b.id.toLowerCase(),
    name: 'b',
    endpoint: 'tcp://b:1',
    ready: true,
    version: '1.2.3',
    http: 'http://b:8480',
    groups: ['chat'],
    found_by: ['beacon'],
    queued_messages: 0,
    queued_bytes: 0,
  });
});

test('who is here, joins, leaves, takes no more and exits is told, and counted; what is said is not', async () => {
  const { a, b, run, numbers } = await twoNodes({ outboxMessagesMax: 1 });
  const rows = await rowsOf(a, async () => {
    b.leave('chat');
    b.whisper(a.id, 'unseen');
    run(100);
    expect([a.whisper(b.id, '1'), a.whisper(b.id, '2')]).toEqual([true, false]);
    const stopped = b.stop();
    // Discovery says goodbye first.
    await new Promise((resolve) => setImmediate(resolve));
    run(1_000);
    await stopped;
  });
  const about = { time: '2026-01-02T03:04:05.000Z', id: b.id.toLowerCase() };
  expect(rows).toEqual([
    {
      kind: 'peer-entered',
      ...about,
      name: 'b',
      endpoint: 'tcp://b:1',
      version: '1.2.3',
      http: 'http://b:8480',
      groups: ['chat'],
    },
    { kind: 'peer-joined', ...about, name: expect.any(String), group: 'chat' },
    { kind: 'peer-left', ...about, name: expect.any(String), group: 'chat' },
    { kind: 'outbox-full', ...about, name: expect.any(String), dropped: 1 },
    { kind: 'peer-exited', ...about, name: 'b', reason: 'goodbye' },
  ]);
  expect(numbers()).toMatchObject({
    entered: 1,
    joined: 1,
    left: 1,
    dropped: 1,
    exited: new Map([['goodbye', 1]]),
  });
});
