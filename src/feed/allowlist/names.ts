/** What there is by name, to be asked for that of a name and of the names above it. */
export type Names<T> = {
  note(name: string): void;
  /** The closest first. */
  entriesAbove(name: string): readonly T[];
};

/** Bits for each entry: of the names without one, at most one in eight is looked up in vain. */
const bitsEach = 8;
const bitsMin = 1_024;
const dot = 0x2e;

/**
 * A name has a handful of names above it, and nearly none of them an entry. One walk from its last letter to the first hashes
 * them all, and only what may have an entry by its hash is cut out and looked up: cutting costs more than the walk.
 * @param entries each of its names must be noted once it is there; one that is gone costs a look-up in vain
 */
export function createNames<T>(entries: ReadonlyMap<string, T>): Names<T> {
  let marks = new Uint32Array(bitsMin / 32);
  let noted = 0;

  function mark(name: string): void {
    let hash = 0;
    for (let at = name.length - 1; at >= 0; at--) hash = mixed(hash, name.charCodeAt(at));
    const word = wordOf(hash, marks);
    marks[word] = (marks[word] ?? 0) | bitOf(hash);
  }

  return {
    note(name) {
      noted++;
      if (noted * bitsEach > marks.length * 32) {
        marks = new Uint32Array(marks.length * 2);
        noted = entries.size;
        for (const known of entries.keys()) mark(known);
      } else mark(name);
    },
    entriesAbove(name) {
      let found: T[] | undefined;
      let hash = 0;
      for (let at = name.length - 1; at >= 0; at--) {
        hash = mixed(hash, name.charCodeAt(at));
        if (at > 0 && name.charCodeAt(at - 1) !== dot) continue;
        if (((marks[wordOf(hash, marks)] ?? 0) & bitOf(hash)) === 0) continue;
        const entry = entries.get(at === 0 ? name : name.slice(at));
        if (entry === undefined) continue;
        found ??= [];
        found.unshift(entry);
      }
      return found ?? none;
    },
  };
}

/** FNV-1a. */
function mixed(hash: number, code: number): number {
  return Math.imul(hash ^ code, 0x01000193);
}

/** The size is a power of two. */
function wordOf(hash: number, { length }: Uint32Array): number {
  return (hash ^ (hash >>> 15)) & (length - 1);
}

function bitOf(hash: number): number {
  return 1 << (hash >>> 27);
}

const none: readonly never[] = [];
