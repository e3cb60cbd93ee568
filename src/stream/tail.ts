import type { Change } from '../store/store.ts';
import type { StreamMessage } from './envelope.ts';
import { type Offered, offer } from './stream-filter.ts';

const tailLimits = {
  /** The newest changes are kept while there are readers; older ones are read from the store again. */
  changesMax: 20_000,
  /** So many are kept however old they are, and the others only for so long: each is some KB once it is rendered. */
  changesMin: 1_000,
  keptMs: 2_000,
  /** Of a change's text, in UTF-16 units; what is rendered of it is three times as much at most. */
  charactersMax: 16 * 1024 * 1024,
} as const;

/** About what a change has beside its long texts. */
const charactersOfFields = 300;

/** A change in the tail; rendered by the first reader that wants it. */
export type Kept = Offered & {
  readonly characters: number;
  /** When it came, Unix milliseconds. */
  readonly atMs: number;
  message: StreamMessage | undefined;
};

/** The newest changes, ascending without a gap, so that readers near the end share one copy. */
export interface Tail {
  /** The first position that it has; undefined when it is empty. */
  first(): number | undefined;
  /** From behind `position` on, which is not before the first one. */
  after(position: number, limit: number): readonly Kept[];
  /** `nowMs` is the time, Unix milliseconds. */
  add(changes: readonly Change[], nowMs: number): readonly Kept[];
  clear(): void;
}

/** How many changes without a reader it takes until nothing is kept for readers any more. */
export const unreadChangesMax = tailLimits.changesMax;

export function createTail(): Tail {
  /**
   * A ring, each change at the place that its position gives it: to cut an array of so many at each commit took longer than the
   * commit.
   */
  let ring: (Kept | undefined)[] = [];
  /** The positions that it has: from `first` to before `end`. */
  let first = 0;
  let end = 0;
  let characters = 0;

  function placeOf(position: number): number {
    return position % tailLimits.changesMax;
  }

  function trim(nowMs: number): void {
    while (first < end && (characters > tailLimits.charactersMax || isOld(nowMs))) drop();
  }

  function isOld(nowMs: number): boolean {
    if (end - first <= tailLimits.changesMin) return false;
    return Math.abs(nowMs - (ring[placeOf(first)]?.atMs ?? 0)) > tailLimits.keptMs;
  }

  function drop(): void {
    characters -= ring[placeOf(first)]?.characters ?? 0;
    ring[placeOf(first)] = undefined;
    first++;
  }

  function keep(change: Change, nowMs: number): Kept {
    const each = kept(change, nowMs);
    if (first === end) [first, end] = [change.position, change.position];
    if (end - first === tailLimits.changesMax) drop();
    ring[placeOf(change.position)] = each;
    end++;
    characters += each.characters;
    return each;
  }

  return {
    first: () => (first === end ? undefined : first),
    after(position, limit) {
      const found: Kept[] = [];
      for (let at = position + 1; at < end && found.length < limit; at++) {
        const each = ring[placeOf(at)];
        if (each !== undefined) found.push(each);
      }
      return found;
    },
    add(changes, nowMs) {
      // Whole from the beginning: an array with a hole of thousands would be kept as a table of its indexes.
      if (ring.length === 0) ring = new Array(tailLimits.changesMax).fill(undefined);
      const added = changes.map((change) => keep(change, nowMs));
      trim(nowMs);
      return added;
    },
    clear() {
      ring = [];
      [first, end, characters] = [0, 0, 0];
    },
  };
}

export function kept(change: Change, atMs: number): Kept {
  const { subject, watchKey } = offer(change);
  return { change, subject, watchKey, characters: charactersOf(change), atMs, message: undefined };
}

function charactersOf(change: Change): number {
  if ('document' in change) return charactersOfFields + (change.document.body?.length ?? 0);
  const { indicator, description = '', reference = '', rdata = '', asnDesc = '' } = change.record;
  const long = [indicator, description, reference, rdata, asnDesc];
  return long.reduce((sum, text) => sum + text.length, charactersOfFields);
}
