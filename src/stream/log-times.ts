/** Times are kept by so much: a cursor's margin is a multiple of it. */
const stepMs = 10_000;
/** Steps that are kept; beyond it two become one, which says less and is never wrong. */
const stepsMax = 20_000;

/**
 * The earliest time of what comes behind a position. Changes lie in the order of arrival: what was made first may come last,
 * and a reader that stands before it has not seen it.
 */
export type Floors = {
  /** Positions ascend. */
  add(position: number, ms: number): void;
  /** The earliest time that was added behind `position`, or up to 10 s before it; infinite when there is nothing. */
  behind(position: number): number;
};

export function createFloors(): Floors {
  /** Both ascend: what a later and smaller time is behind needs no step of its own. */
  let steps: { readonly position: number; readonly ms: number }[] = [];
  return {
    add(position, ms) {
      const floor = Math.floor(ms / stepMs) * stepMs;
      for (let top = steps.at(-1); top !== undefined && top.ms >= floor; top = steps.at(-1)) steps.pop();
      steps.push({ position, ms: floor });
      if (steps.length <= stepsMax) return;
      steps = steps.flatMap((step, i) =>
        i % 2 === 0 ? [{ position: steps[i + 1]?.position ?? step.position, ms: step.ms }] : [],
      );
    },
    behind: (position) =>
      steps[firstIndex(steps, (step) => step.position > position)]?.ms ?? Number.POSITIVE_INFINITY,
  };
}

/** Where the first thing lies that was made at a time or later. */
export type Ceilings = {
  /** Positions ascend. */
  add(position: number, ms: number): void;
  /** A position before everything that was added with this time or a later one; undefined when there is none. */
  before(ms: number): number | undefined;
};

export function createCeilings(): Ceilings {
  let steps: { readonly position: number; readonly ms: number }[] = [];
  return {
    add(position, ms) {
      const ceiling = Math.ceil(ms / stepMs) * stepMs;
      if (ceiling <= (steps.at(-1)?.ms ?? Number.NEGATIVE_INFINITY)) return;
      steps.push({ position, ms: ceiling });
      if (steps.length <= stepsMax) return;
      steps = steps.flatMap((step, i) => (i % 2 === 0 ? [{ ...step, ms: steps[i + 1]?.ms ?? step.ms }] : []));
    },
    before(ms) {
      const found = steps[firstIndex(steps, (step) => step.ms >= ms)];
      return found === undefined ? undefined : found.position - 1;
    },
  };
}

/** Of the first that is so, where all behind it are. */
function firstIndex<T>(sorted: readonly T[], isSo: (item: T) => boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = sorted[middle];
    if (item !== undefined && isSo(item)) high = middle;
    else low = middle + 1;
  }
  return low;
}
