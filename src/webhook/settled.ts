import { deliveryLimits as limits } from './limits.ts';

/**
 * Events that the stream need not be read for again, because they were delivered or a document has them: by id, with the
 * time since when, Unix ms. What another owner would read again is remembered, and no more than a cap.
 */
export type Settled = ReadonlyMap<string, number>;

export function settleEvents(settled: Settled, ids: readonly string[], nowMs: number): Settled {
  const next = new Map(settled);
  for (const id of ids) next.set(id, nowMs);
  return next;
}

/** Without those that lie so far before `cursorMs`, from which another owner goes back a little, that it does not meet them. */
export function forgetSettled(settled: Settled, cursorMs: number): Settled {
  const from = Math.max(0, settled.size - limits.settledMax);
  return new Map([...settled].filter(([, atMs], i) => i >= from && atMs >= cursorMs - limits.settledKeptMs));
}

/** Ids as a document has them: the numbers of each origin together, and ids of other forms as they are. */
export type SettledText = {
  readonly of: Readonly<Record<string, string>>;
  readonly other: readonly string[];
};

const numbered = /^([0-9a-f]{32})-(\d{1,16})$/;

export function writeSettled(settled: Settled): SettledText {
  const of = new Map<string, string[]>();
  const other: string[] = [];
  for (const id of settled.keys()) {
    const [, origin, seq] = numbered.exec(id) ?? [];
    if (origin === undefined || seq === undefined) other.push(id);
    else of.set(origin, [...(of.get(origin) ?? []), seq]);
  }
  return {
    of: Object.fromEntries([...of].map(([origin, seqs]) => [origin, seqs.join(',')])),
    other,
  };
}

export function readSettled({ of, other }: SettledText, nowMs: number): Settled {
  const numberedIds = Object.entries(of).flatMap(([origin, seqs]) =>
    seqs.split(',').map((seq) => `${origin}-${seq}`),
  );
  return settleEvents(new Map(), [...numberedIds, ...other], nowMs);
}
