import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { type MeshNumbers, noMesh, registerMeshMetrics } from '../../../src/telemetry/mesh-metrics.ts';

function samplesOf() {
  const told = { numbers: noMesh };
  const registry = new Registry();
  registerMeshMetrics(registry, () => told.numbers);
  const samples = async () =>
    (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return { told, samples };
}

function peer(roundTripMs: number | undefined, foundBy: readonly string[]): MeshNumbers['peers'][number] {
  return { ready: roundTripMs !== undefined, foundBy, queuedMessages: 2, queuedBytes: 500, roundTripMs };
}

test('a scrape counts peers by phase and by way of discovery, what waits, and who came and went', async () => {
  const { told, samples } = samplesOf();
  told.numbers = {
    peers: [peer(1, ['beacon', 'gossip']), peer(3, ['gossip']), peer(20, []), peer(undefined, ['beacon'])],
    entered: 7,
    exited: new Map([
      ['expired', 3],
      ['goodbye', 1],
    ]),
    joined: 9,
    left: 2,
    dropped: 4,
  };
  expect((await samples()).sort()).toEqual([
    'tocsin_mesh_enters_total 7',
    'tocsin_mesh_exits_total{reason="expired"} 3',
    'tocsin_mesh_exits_total{reason="goodbye"} 1',
    'tocsin_mesh_found_peers{source="beacon"} 2',
    'tocsin_mesh_found_peers{source="gossip"} 2',
    'tocsin_mesh_joins_total 9',
    'tocsin_mesh_leaves_total 2',
    'tocsin_mesh_outbox_drops_total 4',
    'tocsin_mesh_peers{phase="greeted"} 1',
    'tocsin_mesh_peers{phase="ready"} 3',
    'tocsin_mesh_queued_bytes 2000',
    'tocsin_mesh_queued_messages 8',
    'tocsin_mesh_round_trip_seconds{quantile="0.5"} 0.003',
    'tocsin_mesh_round_trip_seconds{quantile="0.9"} 0.02',
    'tocsin_mesh_round_trip_seconds{quantile="1"} 0.02',
  ]);
});

test('a node alone has no round trip, and a peer that is gone is in no number any more', async () => {
  const { told, samples } = samplesOf();
  told.numbers = { ...noMesh, peers: [peer(1, ['beacon'])] };
  await samples();
  told.numbers = noMesh;
  const lines = await samples();
  expect(lines).toContain('tocsin_mesh_peers{phase="ready"} 0');
  expect(lines.filter((line) => /round_trip|found/.test(line))).toEqual([]);
});
