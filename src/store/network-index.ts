import type { KeyRange } from './keys.ts';

/**
 * Which networks there are records of, in memory: of the 31 (127) networks that cover an address hardly any are known, and to
 * look for each on disk costs ten times as much as to know. It is a superset, as what was swept stays in it.
 */
export type NetworkIndex = {
  /** A record was made. */
  added(key: string): void;
  /** Other records have taken the place of all. */
  forget(): void;
  /** Without the ranges of single networks that nobody knows; all of them as long as the index is not complete. */
  narrow(ranges: readonly KeyRange[]): readonly KeyRange[];
};

/** About 20 MB. With more networks than that, each is looked for on disk. */
const networksMax = 200_000;

/** Of keys and of ranges: the itype, NUL, 32 digits of the address and 2 of the prefix length (sort-key.ts). */
const valueEnd = 5 + 34;
const prefixStart = 5 + 32;
/** 32 and 128 bits: single addresses. */
const addressPrefix = { ipv4: '20', ipv6: '80' } as const;

/** `keysFrom` gives all keys of addresses and networks, in lots; it is asked when the index is first needed. */
export function createNetworkIndex(keysFrom: () => AsyncIterable<readonly string[]>): NetworkIndex {
  let names = new Set<string>();
  let state: 'unasked' | 'building' | 'complete' | 'too-many' = 'unasked';
  let builds = 0;

  function added(key: string): void {
    if (state === 'unasked' || state === 'too-many' || !isNetwork(key)) return;
    names.add(key.slice(0, valueEnd));
    if (names.size <= networksMax) return;
    names = new Set();
    state = 'too-many';
  }

  function forget(): void {
    builds++;
    names = new Set();
    state = 'unasked';
  }

  async function build(): Promise<void> {
    const mine = ++builds;
    state = 'building';
    try {
      for await (const keys of keysFrom()) {
        if (mine !== builds || state !== 'building') return;
        for (const key of keys) added(key);
      }
      if (mine === builds && state === 'building') state = 'complete';
    } catch {
      // The store was closed, or cannot be read, which whoever asked is told by his own reading.
      if (mine === builds) forget();
    }
  }

  return {
    added,
    forget,
    narrow(ranges) {
      if (!ranges.some(isOfNetwork)) return ranges;
      if (state === 'unasked') void build();
      if (state !== 'complete') return ranges;
      return ranges.filter((range) => !isOfNetwork(range) || names.has(range.gt.slice(0, valueEnd)));
    },
  };
}

function isNetwork(key: string): boolean {
  const itype = key.slice(0, 4);
  if ((itype !== 'ipv4' && itype !== 'ipv6') || key[4] !== '\0') return false;
  return key.slice(prefixStart, valueEnd) !== addressPrefix[itype];
}

/** A range of one value that is a network. */
function isOfNetwork({ gt, lt }: KeyRange): boolean {
  return gt.length === valueEnd + 1 && isNetwork(gt) && lt === `${gt.slice(0, valueEnd)}\u0001`;
}
