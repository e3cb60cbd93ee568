import type { Change } from '../store/store.ts';
import type { StreamMessage } from './envelope.ts';
import { type Offered, offer } from './stream-filter.ts';

const tailLimits = {
  /** The newest changes are kept while there are readers; older ones are read from the store again. */
  changesMax: 20_000,
  /** Of a change's text, in UTF-16 units; what is rendered of it is three times as much at most. */
  charactersMax: 16 * 1024 * 1024,
} as const;

/** About what a change has beside its long texts. */
const charactersOfFields = 300;

/** A change in the tail; rendered by the first reader that wants it. */
export type Kept = Offered & { readonly characters: number; message: StreamMessage | undefined };

/** The newest changes, ascending without a gap, so that readers near the end share one copy. */
export interface Tail {
  /** The first position that it has; undefined when it is empty. */
  first(): number | undefined;
  /** From behind `position` on, which is not before the first one. */
  after(position: number, limit: number): readonly Kept[];
  add(changes: readonly Change[]): readonly Kept[];
  clear(): void;
}

/** How many changes without a reader it takes until nothing is kept for readers any more. */
export const unreadChangesMax = tailLimits.changesMax;

export function createTail(): Tail {
  let all: Kept[] = [];
  let characters = 0;

  function trim(): void {
    let cut = 0;
    while (
      cut < all.length &&
      (all.length - cut > tailLimits.changesMax || characters > tailLimits.charactersMax)
    ) {
      characters -= all[cut]?.characters ?? 0;
      cut++;
    }
    if (cut > 0) all = all.slice(cut);
  }

  return {
    first: () => all[0]?.change.position,
    after(position, limit) {
      const from = position + 1 - (all[0]?.change.position ?? 0);
      return all.slice(from, from + limit);
    },
    add(changes) {
      const added = changes.map((change): Kept => {
        const each = kept(change);
        characters += each.characters;
        return each;
      });
      for (const each of added) all.push(each);
      trim();
      return added;
    },
    clear() {
      all = [];
      characters = 0;
    },
  };
}

export function kept(change: Change): Kept {
  const { subject, watchKey } = offer(change);
  return { change, subject, watchKey, characters: charactersOf(change), message: undefined };
}

function charactersOf(change: Change): number {
  if ('document' in change) return charactersOfFields + (change.document.body?.length ?? 0);
  const { indicator, description = '', reference = '', rdata = '', asnDesc = '' } = change.record;
  const long = [indicator, description, reference, rdata, asnDesc];
  return long.reduce((sum, text) => sum + text.length, charactersOfFields);
}
