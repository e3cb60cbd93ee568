import { addressBits, formatNetwork } from '../../indicator/address.ts';
import { specialPurposeRanges } from '../../indicator/special-purpose.ts';
import { type Entry, sayTogether } from './entry.ts';
import { createRanges, type Ranges } from './ranges.ts';
import { readWords } from './words.ts';

export type Family = 'ipv4' | 'ipv6';

/** What the entries say of an address or a network. */
export type NetworkFinding = {
  /** The narrowest around it that keeps it out, else the lowest within it. */
  readonly keeper: Entry | undefined;
  /** All around it, the narrowest first, then those within it. */
  readonly context: readonly Entry[];
};

/** Entries that are addresses and networks, and the special-purpose ranges. */
export type Networks = {
  add(family: Family, entry: Entry): void;
  /** To be told of an entry that was retired. */
  noteRetired(family: Family, entry: Entry): void;
  /** @param contextMax of what lies within a network, at most so many */
  find(family: Family, indicator: string, contextMax: number): NetworkFinding;
};

/** Apart, so that a cloud's hundreds of networks are not walked through in search of one that keeps out. */
type Kinds = { readonly suppressing: Ranges<Entry>; readonly context: Ranges<Entry> };

const nothing: NetworkFinding = { keeper: undefined, context: [] };

export function createNetworks(): Networks {
  const families = { ipv4: kinds(1), ipv6: kinds(4) } as const;

  function add(family: Family, entry: Entry): void {
    const words = readWords(family, entry.indicator);
    if (entry.says.suppressor !== undefined) families[family].suppressing.add(words, entry);
    if (entry.says.contexts.length > 0) families[family].context.add(words, entry);
  }

  for (const { network, name } of specialPurposeRanges) {
    const says = { ...sayTogether([], false), suppressor: name };
    add(network.itype, { indicator: formatNetwork(network), says, retired: false });
  }

  return {
    add,
    noteRetired(family, { says }) {
      if (says.suppressor !== undefined) families[family].suppressing.noteRetired();
      if (says.contexts.length > 0) families[family].context.noteRetired();
    },
    find(family, indicator, contextMax) {
      const { suppressing, context } = families[family];
      const query = readWords(family, indicator);
      const [around] = suppressing.covering(query);
      const contextAround = context.covering(query);
      if (query.prefix === addressBits[family]) {
        if (around === undefined && contextAround.length === 0) return nothing;
        return { keeper: around, context: contextAround };
      }
      return {
        keeper: around ?? suppressing.within(query, 1)[0],
        context: [...contextAround, ...context.within(query, contextMax)],
      };
    },
  };
}

function kinds(width: 1 | 4): Kinds {
  return { suppressing: createRanges(width), context: createRanges(width) };
}
