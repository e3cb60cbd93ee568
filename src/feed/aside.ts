import { isBehind } from '../store/keys.ts';
import type { Value } from './changed-values.ts';
import type { Judgement } from './judge.ts';
import { feedLimits } from './limits.ts';

/**
 * Values that are not in a feed and yet belong to it: those that the allowlist keeps out, which are counted and come back when
 * it changes; networks that are too large; and those that time alone may bring in.
 */
export type Aside = Value & {
  readonly untilMs: number;
  readonly kind: 'allowlisted' | 'too-large' | 'out';
  /** That keeps it out. */
  readonly list: string | undefined;
};

export type LeftOut = {
  readonly allowlisted: { readonly count: number; readonly lists: Readonly<Record<string, number>> };
  readonly tooLarge: number;
};

/** What is to be kept of a value that is no row; undefined when nothing but a new record can change that. */
export function asideOf(
  value: Value,
  judgement: Exclude<Judgement, { readonly kind: 'row' }>,
): Aside | undefined {
  const { kind, untilMs } = judgement;
  if (kind === 'out' && untilMs === Number.POSITIVE_INFINITY) return undefined;
  const list = kind === 'allowlisted' ? judgement.match.list : undefined;
  return { ...value, untilMs, kind, list };
}

export function createAsides() {
  const asides = new Map<string, Aside>();
  /** There were more than are kept. */
  let overflown = false;
  const spilt = new Map<string, number>();
  let spiltTooLarge = 0;

  return {
    set(key: string, aside: Aside): void {
      if (asides.size < feedLimits.asideMax || asides.has(key)) {
        asides.set(key, aside);
        return;
      }
      overflown = true;
      if (aside.list !== undefined) spilt.set(aside.list, (spilt.get(aside.list) ?? 0) + 1);
      if (aside.kind === 'too-large') spiltTooLarge++;
    },
    delete: (key: string): boolean => asides.delete(key),
    deleteBehind(end: string): void {
      for (const key of [...asides.keys()]) if (isBehind(key, end)) asides.delete(key);
    },
    clear(): void {
      asides.clear();
      spilt.clear();
      spiltTooLarge = 0;
      overflown = false;
    },
    entries: (): Iterable<readonly [string, Aside]> => asides,
    size: (): number => asides.size,
    /** Then its counts are right once, and cannot be kept in step. */
    isOverflown: (): boolean => overflown,
    /** What was left out behind `after` and up to `end`. */
    leftOut(after: string | undefined, end: string | undefined): LeftOut {
      const lists = new Map(spilt);
      let tooLarge = spiltTooLarge;
      for (const [key, { kind, list }] of asides) {
        if (after !== undefined && !isBehind(key, after)) continue;
        if (end !== undefined && isBehind(key, end)) continue;
        if (list !== undefined) lists.set(list, (lists.get(list) ?? 0) + 1);
        if (kind === 'too-large') tooLarge++;
      }
      const sorted = [...lists].sort(([a], [b]) => (a < b ? -1 : 1));
      return {
        allowlisted: {
          count: sorted.reduce((sum, [, count]) => sum + count, 0),
          lists: Object.fromEntries(sorted),
        },
        tooLarge,
      };
    },
  };
}
