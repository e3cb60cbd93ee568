import type { Clock } from '../clock.ts';
import { doorLimits as limits } from './limits.ts';

/** What a door did and refused, by a word of a closed list: the words become labels of a metric. */
export interface Tally {
  count(what: string, number?: number): void;
  /** Counts a refusal, and says it in the log, at most once a minute for each code. */
  refuse(code: string, reason: string, number?: number): void;
  counters(): ReadonlyMap<string, number>;
}

export type Warn = (message: string, details: Record<string, unknown>) => void;

/** `sentence` is what the log says of a refusal; its details are the code, the reason, and how many since it last did. */
export function createTally(clock: Clock, warn: Warn, sentence: string): Tally {
  const counts = new Map<string, number>();
  const warned = new Map<string, { readonly atMs: number; readonly count: number }>();

  function count(what: string, number = 1): void {
    if (number > 0) counts.set(what, (counts.get(what) ?? 0) + number);
  }

  return {
    count,
    refuse(code, reason, number = 1) {
      count(code, number);
      const nowMs = clock.wallMs();
      const last = warned.get(code);
      if (last !== undefined && nowMs >= last.atMs && nowMs < last.atMs + limits.warnEveryMs) return;
      const total = counts.get(code) ?? 0;
      warn(sentence, { code, reason, rows: total - (last?.count ?? 0) });
      warned.set(code, { atMs: nowMs, count: total });
    },
    counters: () => counts,
  };
}
