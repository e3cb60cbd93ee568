import { expect, test } from 'vitest';
import { noMesh } from '../../../src/telemetry/mesh-metrics.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';

type Readiness = ReturnType<Parameters<typeof createMetrics>[0]['readiness']>;

/** Metrics over numbers that a test sets. */
function metricsOf() {
  const told = {
    readiness: { ready: false, peers: 2, missing: 7 } as Readiness,
    numbers: noMesh,
    mesh: new Map([['bad-hello', 3]]),
    replication: new Map<string, number>(),
    pull: new Map([['accepted', 5]]),
    readers: new Map([['sse', 3]]),
  };
  const metrics = createMetrics({
    readiness: () => told.readiness,
    records: () => 11,
    logBytes: () => 4_096,
    mesh: () => told.numbers,
    meshEvents: () => told.mesh,
    replicationEvents: () => told.replication,
    webhooks: () => ({ outcomes: new Map([['delivered', 3]]), pending: 2, dead: 1 }),
    pullEvents: () => told.pull,
    groupEvents: () => new Map(),
    streamReaders: () => told.readers,
    streamEvents: () => new Map([['gap', 2]]),
    searchEvents: () => new Map(),
  });
  const samples = async () =>
    (await metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return { metrics, told, samples };
}

test('a scrape tells what the node says of itself at that moment', async () => {
  const { told, samples } = metricsOf();
  const first = await samples();
  expect(first).toEqual(
    expect.arrayContaining([
      'tocsin_ready 0',
      'tocsin_peers 2',
      'tocsin_records 11',
      'tocsin_missing_events 7',
      'tocsin_event_log_bytes 4096',
      'tocsin_webhook_deliveries_total{outcome="delivered"} 3',
      'tocsin_webhook_pending_messages 2',
      'tocsin_webhook_dead_messages 1',
      'tocsin_mesh_events_total{reason="bad-hello"} 3',
      'tocsin_stream_readers{transport="sse"} 3',
      'tocsin_stream_events_total{reason="gap"} 2',
    ]),
  );
  told.readiness = { ready: true, peers: 3, missing: 0 };
  told.mesh.set('bad-hello', 5);
  told.replication.set('snapshot-taken', 1);
  told.readers.set('sse', 0);
  expect(await samples()).toEqual(
    expect.arrayContaining([
      'tocsin_ready 1',
      'tocsin_peers 3',
      'tocsin_missing_events 0',
      'tocsin_mesh_events_total{reason="bad-hello"} 5',
      'tocsin_stream_readers{transport="sse"} 0',
      'tocsin_replication_events_total{reason="snapshot-taken"} 1',
    ]),
  );
});

test('what is not known has no value, and loses it again', async () => {
  const { told, samples } = metricsOf();
  const unknown = /^tocsin_(?:clock_offset|snapshot)/;
  expect((await samples()).filter((line) => unknown.test(line))).toEqual([]);
  told.readiness = { ...told.readiness, clockOffsetMs: -1_500, snapshot: { records: 0, total: 900 } };
  expect((await samples()).filter((line) => unknown.test(line))).toEqual([
    'tocsin_clock_offset_seconds -1.5',
    'tocsin_snapshot_records 0',
    'tocsin_snapshot_total_records 900',
  ]);
  told.readiness = { ready: true, peers: 0, missing: 0 };
  expect((await samples()).filter((line) => unknown.test(line))).toEqual([]);
});

test('every name is of this node, each with its help and its type, and two nodes of one process share nothing', async () => {
  const { metrics, samples } = metricsOf();
  metricsOf();
  const text = await metrics.text();
  const names = [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name);
  expect(names).toContain('tocsin_process_resident_memory_bytes');
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) {
    expect(name).toMatch(/^tocsin_[a-z0-9_]+$/);
    expect(text).toMatch(new RegExp(`^# HELP ${name} \\S`, 'm'));
  }
  for (const line of await samples()) expect(line).toMatch(/^tocsin_\S+ -?(?:[\d.e+-]+|Nan|\+Inf)$/);
  expect(metrics.contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
});
