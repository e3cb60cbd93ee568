import type { Words } from './words.ts';

/**
 * Networks of one family with a value each, to be asked which of them cover a network and which lie in it. Networks nest or
 * are apart, so one sorted array with the closest network around each answers both by one binary search.
 *
 * New networks wait unsorted until the next question, then in a second, small array until they are worth a merge: a list that
 * grows while it is asked does not sort all of itself for each addition. Values say themselves that they are retired.
 */
export type Ranges<Value> = {
  add(words: Words, value: Value): void;
  /** To be told of each value that was retired, so that many of them are cleared away. */
  noteRetired(): void;
  /** The values of all networks that cover `query` or are it, the narrowest first. */
  covering(query: Words): readonly Value[];
  /** The values of networks within `query` and smaller than it, the lowest first, at most `max`. */
  within(query: Words, max: number): readonly Value[];
};

type Run<Value> = {
  readonly count: number;
  /** `width` numbers each. Sorted by these, then by prefix: a network stands before those within it. */
  readonly lows: Uint32Array;
  readonly prefixes: Uint8Array;
  /** Place of the closest network around each; -1 where there is none. */
  readonly parents: Int32Array;
  readonly values: readonly Value[];
};

/** A second array smaller than this, or than an eighth of the first, is not merged yet. */
const recentMin = 1_024;
const retiredMin = 1_024;

/** @param width numbers of an address: 1 for IPv4, 4 for IPv6 */
export function createRanges<Value extends { readonly retired: boolean }>(width: 1 | 4): Ranges<Value> {
  const empty = runOf<Value>(width, [], []);
  let base = empty;
  let recent = empty;
  let waiting: { readonly words: Words; readonly value: Value }[] = [];
  let retired = 0;

  function settle(): void {
    const isLittered = retired > Math.max(retiredMin, base.count / 8);
    if (waiting.length === 0 && !isLittered) return;
    waiting.sort((a, b) => compareWords(a.words, b.words));
    const arrived = runOf(
      width,
      waiting.map(({ words }) => words),
      waiting.map(({ value }) => value),
    );
    waiting = [];
    recent = merge(width, recent, arrived);
    if (!isLittered && recent.count <= Math.max(recentMin, base.count / 8)) return;
    base = merge(width, base, recent);
    recent = empty;
    retired = 0;
  }

  return {
    add(words, value) {
      waiting.push({ words, value });
    },
    noteRetired() {
      retired++;
    },
    covering(query) {
      settle();
      let inBase = closest(width, base, query);
      let inRecent = closest(width, recent, query);
      if (inBase < 0 && inRecent < 0) return [];
      const found: Value[] = [];
      while (inBase >= 0 || inRecent >= 0) {
        const isBase = prefixAt(base, inBase) >= prefixAt(recent, inRecent);
        const run = isBase ? base : recent;
        const at = isBase ? inBase : inRecent;
        const value = run.values[at];
        if (value !== undefined && !value.retired) found.push(value);
        if (isBase) inBase = base.parents[at] ?? -1;
        else inRecent = recent.parents[at] ?? -1;
      }
      return found;
    },
    within(query, max) {
      settle();
      const found: Value[] = [];
      let inBase = firstWithin(width, base, query, -1);
      let inRecent = firstWithin(width, recent, query, -1);
      while (found.length < max && (inBase >= 0 || inRecent >= 0)) {
        const isBase =
          inRecent < 0 || (inBase >= 0 && compareAcross(width, base, inBase, recent, inRecent) < 0);
        const value = isBase ? base.values[inBase] : recent.values[inRecent];
        if (value !== undefined) found.push(value);
        if (isBase) inBase = firstWithin(width, base, query, inBase);
        else inRecent = firstWithin(width, recent, query, inRecent);
      }
      return found;
    },
  };
}

function runOf<Value>(width: number, words: readonly Words[], values: readonly Value[]): Run<Value> {
  const lows = new Uint32Array(words.length * width);
  const prefixes = new Uint8Array(words.length);
  for (const [at, { low, prefix }] of words.entries()) {
    lows.set(low, at * width);
    prefixes[at] = prefix;
  }
  return withParents(width, lows, prefixes, values);
}

/** Both in one, without what is retired. */
function merge<Value extends { readonly retired: boolean }>(
  width: number,
  a: Run<Value>,
  b: Run<Value>,
): Run<Value> {
  const lows = new Uint32Array((a.count + b.count) * width);
  const prefixes = new Uint8Array(a.count + b.count);
  const values: Value[] = [];
  let inA = 0;
  let inB = 0;
  while (inA < a.count || inB < b.count) {
    const isA = inB >= b.count || (inA < a.count && compareAcross(width, a, inA, b, inB) <= 0);
    const from = isA ? a : b;
    const at = isA ? inA++ : inB++;
    const value = from.values[at];
    if (value === undefined || value.retired) continue;
    for (let i = 0; i < width; i++) lows[values.length * width + i] = from.lows[at * width + i] ?? 0;
    prefixes[values.length] = from.prefixes[at] ?? 0;
    values.push(value);
  }
  return withParents(width, lows.slice(0, values.length * width), prefixes.slice(0, values.length), values);
}

function withParents<Value>(
  width: number,
  lows: Uint32Array,
  prefixes: Uint8Array,
  values: readonly Value[],
): Run<Value> {
  const parents = new Int32Array(prefixes.length);
  for (let at = 0; at < prefixes.length; at++) {
    // Whatever covers this one covers the one before it too, or is it.
    let parent = at - 1;
    while (parent >= 0 && !startsAlike(width, lows, parent, lows, at, prefixes[parent] ?? 0)) {
      parent = parents[parent] ?? -1;
    }
    parents[at] = parent;
  }
  return { count: prefixes.length, lows, prefixes, parents, values };
}

/** Place of the narrowest network that covers `query`; -1 when none does. It is the last up to the query, or around that. */
function closest<Value>(width: number, run: Run<Value>, query: Words): number {
  let at = lastUpTo(width, run, query);
  while (at >= 0 && !startsAlike(width, run.lows, at, query.low, 0, run.prefixes[at] ?? 0)) {
    at = run.parents[at] ?? -1;
  }
  return at;
}

/** Place of the first network that is not retired, lies within `query`, and stands behind `after`; -1 when none does. */
function firstWithin<Value extends { readonly retired: boolean }>(
  width: number,
  run: Run<Value>,
  query: Words,
  after: number,
): number {
  let at = after >= 0 ? after + 1 : lastUpTo(width, run, query) + 1;
  while (at < run.count && startsAlike(width, run.lows, at, query.low, 0, query.prefix)) {
    if (run.values[at]?.retired === false) return at;
    at++;
  }
  return -1;
}

/** Place of the last that sorts up to `query`, itself included; -1 when all sort behind it. */
function lastUpTo<Value>(width: number, run: Run<Value>, query: Words): number {
  let from = 0;
  let to = run.count;
  while (from < to) {
    const middle = (from + to) >> 1;
    const order =
      compareLows(width, run.lows, middle, query.low, 0) || (run.prefixes[middle] ?? 0) - query.prefix;
    if (order <= 0) from = middle + 1;
    else to = middle;
  }
  return from - 1;
}

function prefixAt<Value>(run: Run<Value>, at: number): number {
  return at < 0 ? -1 : (run.prefixes[at] ?? -1);
}

function compareWords(a: Words, b: Words): number {
  return compareLows(a.low.length, a.low, 0, b.low, 0) || a.prefix - b.prefix;
}

function compareAcross<Value>(width: number, a: Run<Value>, inA: number, b: Run<Value>, inB: number): number {
  return compareLows(width, a.lows, inA, b.lows, inB) || (a.prefixes[inA] ?? 0) - (b.prefixes[inB] ?? 0);
}

type Numbers = Uint32Array | readonly number[];

function compareLows(width: number, a: Numbers, inA: number, b: Numbers, inB: number): number {
  for (let i = 0; i < width; i++) {
    const difference = (a[inA * width + i] ?? 0) - (b[inB * width + i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Whether the first `prefix` bits are the same. */
function startsAlike(
  width: number,
  a: Numbers,
  inA: number,
  b: Numbers,
  inB: number,
  prefix: number,
): boolean {
  for (let i = 0; i < width && i * 32 < prefix; i++) {
    const bits = Math.min(32, prefix - i * 32);
    if (((a[inA * width + i] ?? 0) ^ (b[inB * width + i] ?? 0)) >>> (32 - bits) !== 0) return false;
  }
  return true;
}
