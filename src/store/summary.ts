import type { Held, Hlc, NodeId, Vector } from '../event/types.ts';
import type { Level, RecordTables } from './tables.ts';
import { metaTable } from './tables.ts';

/** What a node's store knows of itself beside its records. */
export type Summary = {
  /** What the records contain. */
  readonly vector: Vector;
  /** When each origin's newest event was made, Unix milliseconds. */
  readonly lastMs: ReadonlyMap<NodeId, number>;
  /** Records. */
  readonly count: number;
  /** Position of the newest change. */
  readonly position: number;
  readonly lastHlc: Hlc;
  /** Bytes of the batches in the log. */
  readonly logBytes: number;
  /** Whether the log still has every event of the vector: nothing was trimmed, and no snapshot came in. */
  readonly logIsWhole: boolean;
};

export const emptySummary: Summary = {
  vector: new Map(),
  lastMs: new Map(),
  count: 0,
  position: 0,
  lastHlc: 0n,
  logBytes: 0,
  logIsWhole: true,
};

/** One row of the vector table. */
export type OriginRow = Held & { readonly lastMs: number };

/** Everything of it but what is by origin. */
export function summaryText({ count, position, lastHlc, logBytes, logIsWhole }: Summary): string {
  return JSON.stringify([count, position, lastHlc.toString(), logBytes, logIsWhole]);
}

export function originText(summary: Summary, origin: NodeId): string {
  const held = summary.vector.get(origin);
  return JSON.stringify({ ...held, lastMs: summary.lastMs.get(origin) ?? 0 });
}

export async function readSummary(level: Level, { vectors }: RecordTables): Promise<Summary> {
  const text = await metaTable(level).get('summary');
  if (text === undefined) return emptySummary;
  const [count, position, lastHlc, logBytes, logIsWhole] = JSON.parse(text) as [
    number,
    number,
    string,
    number,
    boolean,
  ];
  const vector = new Map<NodeId, Held>();
  const lastMs = new Map<NodeId, number>();
  for (const [origin, row] of await vectors.iterator().all()) {
    const { upTo, above, lastMs: ms } = JSON.parse(row) as OriginRow;
    vector.set(origin as NodeId, { upTo, above });
    lastMs.set(origin as NodeId, ms);
  }
  return { vector, lastMs, count, position, lastHlc: BigInt(lastHlc), logBytes, logIsWhole };
}
