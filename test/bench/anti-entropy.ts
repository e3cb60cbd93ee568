import { type Frames, type Mesh, simulatedClock } from 'tocsin/mesh';
import { sealBatches } from '../../src/event/batch.ts';
import { hlcAt } from '../../src/event/hlc.ts';
import { createIdentity } from '../../src/event/identity.ts';
import type { OpenedBatch } from '../../src/event/types.ts';
import { parseObservation, standardDefaults } from '../../src/indicator/observation.ts';
import { encodeMessage } from '../../src/replicate/message.ts';
import { quietNetwork, startSimulatedNode, stepFor } from '../support/simulated-node.ts';
import { type Row, round } from './measure.ts';

const startMs = Date.UTC(2026, 0, 1);
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
  const network = quietNetwork(clock, origins);
  const tally: Tally = { rounds: 0, bytes: 0 };
  const batches = Array.from({ length: origins }, (_, i) => batchOf(i));
  const [one, two] = await Promise.all(
    [1, 2].map((n) =>
      startSimulatedNode(`h${n}`, createIdentity(new Uint8Array(32).fill(n)), network, clock, {
        around: (mesh) => counted(mesh, tally),
      }),
    ),
  );
  if (one === undefined || two === undefined) throw new Error('no nodes');
  for (const { store } of [one, two]) await store.commit(batches);
  const [, replicator] = [one.start(), two.start()];
  await stepFor(clock, meetMs);
  const { ready, peers } = replicator.status();
  if (!ready || peers !== 1) throw new Error('the nodes have not met');

  clear(tally);
  await stepFor(clock, measuredMs);
  const { rounds, bytes } = tally;

  // An event of somebody else, which its node would have told to both and told to one only.
  const missed = batchOf(origins);
  clear(tally);
  await one.store.commit([missed]);
  while (two.store.count() < origins + 1) await stepFor(clock, 10);
  // What is still on its way about it.
  await stepFor(clock, 100);
  const repairBytes = tally.bytes;
  await one.stop();
  await two.stop();
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
  const [batch] = sealBatches(createIdentity(seed), 1, [
    { hlc: hlcAt(startMs), kind: 'observe', body: parsed.value },
  ]);
  if (batch === undefined) throw new Error('no batch');
  return batch;
}

function counted(mesh: Mesh, tally: Tally): Mesh {
  return {
    ...mesh,
    whisper(to, said) {
      // Replication says frames, never text.
      const content = said as Frames;
      if (content[0]?.[0] === hashKind) tally.rounds++;
      for (const { byteLength } of content) tally.bytes += byteLength;
      return mesh.whisper(to, content);
    },
  };
}
