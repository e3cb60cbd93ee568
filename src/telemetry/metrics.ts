import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { type MeshNumbers, registerMeshMetrics } from './mesh-metrics.ts';
import { registerWebhookMetrics, type WebhookNumbers } from './webhook-metrics.ts';

/** Where the numbers are read at each scrape; nothing is counted here. */
export type MetricsParts = {
  readonly readiness: () => {
    readonly ready: boolean;
    readonly peers: number;
    readonly missing: number;
    /** How far the peers' clocks are ahead of this node's; undefined while no peer has told. */
    readonly clockOffsetMs?: number;
    /** The snapshot that is on its way here. */
    readonly snapshot?: { readonly records: number; readonly total: number };
  };
  readonly records: () => number;
  readonly logBytes: () => number;
  /** Who is there, and who came and went. */
  readonly mesh: () => MeshNumbers;
  /** What the mesh dropped, by reason. */
  readonly meshEvents: () => ReadonlyMap<string, number>;
  /** What replication refused or did, by reason. */
  readonly replicationEvents: () => ReadonlyMap<string, number>;
  readonly webhooks: () => WebhookNumbers;
  /** What came by ZeroMQ PULL, and what was refused of it, by reason. */
  readonly pullEvents: () => ReadonlyMap<string, number>;
  /** Searches that all nodes were told, and those that they were not. */
  readonly searchEvents: () => ReadonlyMap<string, number>;
  /** What was shouted to foreign peers, what they said, and what was refused of it, by reason. */
  readonly groupEvents: () => ReadonlyMap<string, number>;
  /** Who reads the stream, by transport. */
  readonly streamReaders: () => ReadonlyMap<string, number>;
  /** What befell readers of the stream, by what it was. */
  readonly streamEvents: () => ReadonlyMap<string, number>;
};

/** Metrics as a Prometheus server reads them. */
export type Metrics = { readonly contentType: string; text(): Promise<string> };

/** Of the event loop's delay: at prom-client's own 10 ms it would cost a node at rest more than all the rest. */
const loopSampleEveryMs = 100;

/** Where nobody scrapes, nothing is measured: the registry is made at the first scrape. */
export function createMetrics(parts: MetricsParts): Metrics {
  let registry: Registry | undefined;
  return {
    contentType: Registry.PROMETHEUS_CONTENT_TYPE,
    text() {
      registry ??= registryOf(parts);
      return registry.metrics();
    },
  };
}

function registryOf(parts: MetricsParts): Registry {
  const {
    readiness,
    records,
    logBytes,
    mesh,
    meshEvents,
    replicationEvents,
    searchEvents,
    pullEvents,
    groupEvents,
    streamReaders,
    streamEvents,
  } = parts;
  const registry = new Registry();
  const registers = [registry];

  /** Absent while `read` answers undefined: a zero would be an answer. */
  function gauge(name: string, help: string, read: () => number | undefined): void {
    const made: Gauge = new Gauge({
      name,
      help,
      registers,
      collect() {
        const value = read();
        if (value === undefined) made.remove();
        else made.set(value);
      },
    });
  }

  function counter(name: string, help: string, read: () => ReadonlyMap<string, number>): void {
    const made: Counter = new Counter({
      name,
      help,
      labelNames: ['reason'],
      registers,
      collect() {
        made.reset();
        for (const [reason, count] of read()) made.inc({ reason }, count);
      },
    });
  }

  gauge('tocsin_ready', '1 once this node has caught up with the mesh', () => (readiness().ready ? 1 : 0));
  gauge('tocsin_peers', 'Nodes that this one is connected to', () => readiness().peers);
  gauge('tocsin_records', 'Records that this node holds', records);
  gauge(
    'tocsin_missing_events',
    'Events that a peer holds and this node does not',
    () => readiness().missing,
  );
  gauge('tocsin_event_log_bytes', 'Bytes of the batches in the event log', logBytes);
  gauge('tocsin_clock_offset_seconds', "How far the peers' clocks are ahead of this node's", () => {
    const offsetMs = readiness().clockOffsetMs;
    return offsetMs === undefined ? undefined : offsetMs / 1_000;
  });
  gauge(
    'tocsin_snapshot_records',
    'Records that have come of the snapshot that is on its way here',
    () => readiness().snapshot?.records,
  );
  gauge(
    'tocsin_snapshot_total_records',
    'Records in the snapshot that is on its way here',
    () => readiness().snapshot?.total,
  );
  registerMeshMetrics(registry, mesh);
  registerWebhookMetrics(registry, parts.webhooks);
  counter('tocsin_mesh_events_total', 'What the mesh refused or dropped, by reason', meshEvents);
  const transports: Gauge = new Gauge({
    name: 'tocsin_stream_readers',
    help: 'Readers of the stream, by transport',
    labelNames: ['transport'],
    registers,
    collect() {
      for (const [transport, count] of streamReaders()) transports.set({ transport }, count);
    },
  });
  counter(
    'tocsin_stream_events_total',
    'What befell readers of the stream: gap, reset, stuck (a WebSocket that took nothing for too long), refused (no place)',
    streamEvents,
  );
  counter('tocsin_replication_events_total', 'What replication refused or did, by reason', replicationEvents);
  counter(
    'tocsin_search_events_total',
    'What became of searches: said to all nodes, repeated within a minute, dropped',
    searchEvents,
  );
  counter('tocsin_pull_events_total', 'What ZeroMQ PULL took and refused, by reason', pullEvents);
  counter(
    'tocsin_group_events_total',
    'What was told to foreign peers in the group INDICATORS, and what they said, by reason',
    groupEvents,
  );
  collectDefaultMetrics({
    register: registry,
    prefix: 'tocsin_',
    eventLoopMonitoringPrecision: loopSampleEveryMs,
  });
  return registry;
}
