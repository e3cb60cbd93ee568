import type { Entry } from './entry.ts';

/** The entries of a name and of the names above it, the closest first. */
export function entriesAbove(entries: ReadonlyMap<string, Entry>, name: string): readonly Entry[] {
  let found: Entry[] | undefined;
  let rest = name;
  for (let dot = rest.indexOf('.'); dot !== -1; dot = rest.indexOf('.')) {
    const entry = entries.get(rest);
    if (entry !== undefined) {
      found ??= [];
      found.push(entry);
    }
    rest = rest.slice(dot + 1);
  }
  return found ?? none;
}

const none: readonly Entry[] = [];
