import { MemoryLevel } from 'memory-level';
import {
  beaconDiscovery,
  type Mesh,
  peerIdFromBytes,
  type SimulatedClock,
  type SimulatedNetwork,
  seededRandom,
  simulatedClock,
  simulatedNetwork,
  startMesh,
} from 'tocsin/mesh';
import { sealBatches } from '../../src/event/batch.ts';
import { hlcAt, hybridClock } from '../../src/event/hlc.ts';
import { createIdentity } from '../../src/event/identity.ts';
import type { OpenedBatch } from '../../src/event/types.ts';
import { parseObservation, standardDefaults } from '../../src/indicator/observation.ts';
import { encodeMessage } from '../../src/replicate/message.ts';
import { startReplicator } from '../../src/replicate/replicator.ts';
import { openStore } from '../../src/store/level-store.ts';
import type { IndicatorStore } from '../../src/store/store.ts';
import { type Row, round } from './measure.ts';

const startMs = Date.UTC(2026, 0, 1);
const dayMs = 24 * 60 * 60_000;
const meetMs = 20_000;
const measuredMs = 10 * 60_000;
/** The first byte of a message that begins a round. */
const [hashKind] = encodeMessage({ kind: 'hash', hash: new Uint8Array(32), wallMs: 0 })[0] ?? [];

type Tally = { rounds: number; bytes: number };

/**
 * Two nodes over a simulated network, ten minutes of its time. Counted is what replication hands to the mesh as content of
 * WHISPER, on both sides; a round begins with a hash. ZRE's own frame around it (some ten bytes) and its PINGs are not.
 */
export async function benchAntiEntropy(): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const origins of [10, 1_000]) {
    const { rounds, bytes, repairBytes, batchBytes } = await measure(origins);
    const of = `${round(origins)} origins`;
    rows.push(
      [
        `anti-entropy, a round between equal nodes, ${of}`,
        `${round(bytes / rounds)} bytes (${rounds} rounds)`,
        '–',
        '–',
        '< 2,048 bytes',
      ],
      [
        `anti-entropy, until one missed event is made good, ${of}`,
        `${round(repairBytes)} bytes`,
        `${round(batchBytes)} bytes of the event's batch`,
        round(repairBytes / batchBytes, 1),
        'recorded',
      ],
    );
  }
  return rows;
}

async function measure(origins: number) {
  const clock = simulatedClock(startMs);
  const network = simulatedNetwork(clock, seededRandom(origins), {
    delayMsMin: 1,
    delayMsMax: 5,
    loss: 0,
    duplication: 0,
  });
  const tally: Tally = { rounds: 0, bytes: 0 };
  const batches = Array.from({ length: origins }, (_, i) => batchOf(i));
  const one = await startNode(1, batches, network, clock, tally);
  const two = await startNode(2, batches, network, clock, tally);
  await run(clock, meetMs);
  const { ready, peers } = two.replicator.status();
  if (!ready || peers !== 1) throw new Error('the nodes have not met');

  clear(tally);
  await run(clock, measuredMs);
  const { rounds, bytes } = tally;

  // An event of somebody else, which its node would have told to both and told to one only.
  const missed = batchOf(origins);
  clear(tally);
  await one.store.commit([missed]);
  while (two.store.count() < origins + 1) await run(clock, 10);
  // What is still on its way about it.
  await run(clock, 100);
  const repairBytes = tally.bytes;
  for (const { replicator, mesh, store } of [one, two]) {
    await Promise.all([replicator.stop(), mesh.stop(), run(clock, 1_000)]);
    await store.close();
  }
  return { rounds, bytes, repairBytes, batchBytes: missed.bytes.byteLength };
}

function clear(tally: Tally): void {
  tally.rounds = 0;
  tally.bytes = 0;
}

/** One event of an origin of its own. */
function batchOf(i: number): OpenedBatch {
  const seed = new Uint8Array(32);
  new DataView(seed.buffer).setUint32(0, i + 1);
  const parsed = parseObservation(
    { indicator: `n${i}.example.com` },
    { ...standardDefaults, provider: 'bench' },
    startMs,
  );
  if (!parsed.ok) throw new Error(parsed.reason);
  const [batch] = sealBatches(createIdentity(seed), 1, [{ hlc: hlcAt(startMs), body: parsed.value }]);
  if (batch === undefined) throw new Error('no batch');
  return batch;
}

async function startNode(
  n: number,
  batches: readonly OpenedBatch[],
  network: SimulatedNetwork,
  clock: SimulatedClock,
  tally: Tally,
) {
  const host = `h${n}`;
  const random = seededRandom(n);
  const store: IndicatorStore = await openStore(new MemoryLevel<string, string>());
  await store.commit(batches);
  const identity = createIdentity(new Uint8Array(32).fill(n));
  const mesh = await startMesh(
    {
      id: peerIdFromBytes(Buffer.from(identity.nodeId, 'hex')),
      name: host,
      headers: new Map(),
      bind: `tcp://${host}:*`,
      discovery: [
        beaconDiscovery({ port: 5670, broadcastAddresses: () => ['everyone'], accepts: () => true }),
      ],
    },
    { clock, random, transport: network.transport(host), datagrams: network.datagrams(host) },
  );
  const replicator = startReplicator({
    mesh: counted(mesh, tally),
    store,
    hybridClock: hybridClock(clock, store.lastHlc()),
    clock,
    random,
    origin: identity.nodeId,
    windowMs: 7 * dayMs,
    sayAnew: async () => {},
    onIdentityLost: (reason) => {
      throw new Error(reason);
    },
    warn: (message) => {
      throw new Error(message);
    },
  });
  return { mesh, store, replicator };
}

function counted(mesh: Mesh, tally: Tally): Mesh {
  return {
    ...mesh,
    whisper(to, content) {
      if (content[0]?.[0] === hashKind) tally.rounds++;
      for (const { byteLength } of content) tally.bytes += byteLength;
      return mesh.whisper(to, content);
    },
  };
}

async function run(clock: SimulatedClock, ms: number): Promise<void> {
  let reached = false;
  clock.after(ms, () => {
    reached = true;
  });
  while (!reached && clock.step()) {
    // What a step set going on a disk in memory ends before the next one.
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
