/**
 * What came long after it was made, although this node was in step: a node that was cut off alone, or was away with its disk,
 * has come back with what it had said. Others may have heard of it no sooner, so a cursor of theirs that is later than its
 * making says nothing of it: what counts is when it came here.
 */
export interface LateArrivals {
  add(stretch: Stretch): void;
  /** Those that came at a time or later, Unix milliseconds; by position. */
  since(ms: number): readonly Stretch[];
}

/** Changes that follow one another. */
export type Stretch = {
  readonly from: number;
  readonly to: number;
  /** When the last of them came, Unix milliseconds. */
  readonly arrivedMs: number;
};

const lateLimits = {
  /** What comes within it is one stretch: whoever comes back is heard in one go. */
  togetherMs: 10_000,
  /** Beyond it the two oldest become one, with all between. */
  stretchesMax: 1_000,
} as const;

export function createLateArrivals(): LateArrivals {
  const stretches: Stretch[] = [];

  /** Replaces the two from `at` on by one. */
  function join(at: number): void {
    const [a, b] = stretches.slice(at, at + 2);
    if (a === undefined || b === undefined) return;
    const arrivedMs = Math.max(a.arrivedMs, b.arrivedMs);
    stretches.splice(at, 2, { from: a.from, to: b.to, arrivedMs });
  }

  return {
    add(stretch) {
      const last = stretches.at(-1);
      stretches.push(stretch);
      if (last !== undefined && stretch.arrivedMs - last.arrivedMs <= lateLimits.togetherMs)
        join(stretches.length - 2);
      if (stretches.length > lateLimits.stretchesMax) join(0);
    },
    since: (ms) => stretches.filter(({ arrivedMs }) => arrivedMs >= ms),
  };
}
