import { Counter, Gauge, type Registry } from 'prom-client';

/** The mesh in numbers; what a metric needs of a peer is all that is asked for. */
export type MeshNumbers = {
  readonly peers: readonly {
    readonly ready: boolean;
    readonly foundBy: readonly string[];
    readonly queuedMessages: number;
    readonly queuedBytes: number;
    /** Undefined before the first PING was answered. */
    readonly roundTripMs: number | undefined;
  }[];
  readonly entered: number;
  readonly exited: ReadonlyMap<string, number>;
  readonly joined: number;
  readonly left: number;
  /** Messages that did not fit into an outbox. */
  readonly dropped: number;
};

export const noMesh: MeshNumbers = {
  peers: [],
  entered: 0,
  exited: new Map(),
  joined: 0,
  left: 0,
  dropped: 0,
};

type Samples = Iterable<readonly [label: string, value: number]>;
type Numbers = () => MeshNumbers;

const quantiles = [0.5, 0.9, 1] as const;

/** Labels are of closed lists: peers choose their names, and could make as many series as they like. */
export function registerMeshMetrics(registry: Registry, mesh: Numbers): void {
  const registers = [registry];

  function gauge(name: string, help: string, label: string, read: (numbers: MeshNumbers) => Samples): void {
    const made: Gauge = new Gauge({
      name,
      help,
      labelNames: [label],
      registers,
      collect() {
        made.reset();
        for (const [of, value] of read(mesh())) made.set({ [label]: of }, value);
      },
    });
  }

  function total(name: string, help: string, read: (numbers: MeshNumbers) => number): void {
    const made: Gauge = new Gauge({ name, help, registers, collect: () => made.set(read(mesh())) });
  }

  function counter(name: string, help: string, read: (numbers: MeshNumbers) => number): void {
    const made: Counter = new Counter({
      name,
      help,
      registers,
      collect() {
        made.reset();
        made.inc(read(mesh()));
      },
    });
  }

  gauge('tocsin_mesh_peers', 'Peers by phase: greeted ones have not answered yet', 'phase', ({ peers }) => {
    const ready = peers.filter((peer) => peer.ready).length;
    return [
      ['ready', ready],
      ['greeted', peers.length - ready],
    ];
  });
  gauge('tocsin_mesh_found_peers', 'Peers that each way of discovery knows now', 'source', ({ peers }) => {
    const found = new Map<string, number>();
    for (const { foundBy } of peers)
      for (const source of foundBy) found.set(source, (found.get(source) ?? 0) + 1);
    return found;
  });
  gauge(
    'tocsin_mesh_round_trip_seconds',
    'From the last PING to its answer, over the peers; quantile 1 is the slowest peer',
    'quantile',
    ({ peers }) => {
      const sorted = peers.flatMap(({ roundTripMs }) => roundTripMs ?? []).sort((a, b) => a - b);
      return quantiles.flatMap((quantile) => {
        const ms = sorted[Math.ceil(quantile * sorted.length) - 1];
        return ms === undefined ? [] : [[String(quantile), ms / 1_000] as const];
      });
    },
  );
  total('tocsin_mesh_queued_messages', 'Messages to peers that are not written yet', ({ peers }) =>
    peers.reduce((sum, { queuedMessages }) => sum + queuedMessages, 0),
  );
  total('tocsin_mesh_queued_bytes', 'Bytes to peers that are not written yet', ({ peers }) =>
    peers.reduce((sum, { queuedBytes }) => sum + queuedBytes, 0),
  );
  counter('tocsin_mesh_enters_total', 'Peers that entered', ({ entered }) => entered);
  counter('tocsin_mesh_joins_total', 'Groups that peers joined', ({ joined }) => joined);
  counter('tocsin_mesh_leaves_total', 'Groups that peers left', ({ left }) => left);
  counter(
    'tocsin_mesh_outbox_drops_total',
    'Messages that did not fit into the outbox of a peer',
    ({ dropped }) => dropped,
  );
  const exits: Counter = new Counter({
    name: 'tocsin_mesh_exits_total',
    help: 'Peers that exited, by reason',
    labelNames: ['reason'],
    registers,
    collect() {
      exits.reset();
      for (const [reason, count] of mesh().exited) exits.inc({ reason }, count);
    },
  });
}
