import type { Level } from './tables.ts';

/** What is written of a table: its rows stand in one key space with all others', behind its prefix. */
type Table = { readonly prefix: string };

/** Rows of several tables that become real in one write. */
export interface Rows {
  put(table: Table, key: string, value: string | Uint8Array): void;
  del(table: Table, key: string): void;
  /** Resolves when the disk has them. */
  write(): Promise<void>;
  /** Resolves when they can be read. A power failure before the next `flush` may take any of them. */
  writeSoon(): Promise<void>;
}

const asBytes = { valueEncoding: 'view' } as const;

/** Keys get their prefix here: with the option `sublevel` of a chained batch a put costs six times as much. */
export function newRows(level: Level): Rows {
  const batch = level.batch();
  return {
    put({ prefix }, key, value) {
      if (typeof value === 'string') batch.put(prefix + key, value);
      else batch.put<string, Uint8Array>(prefix + key, value, asBytes);
    },
    del({ prefix }, key) {
      batch.del(prefix + key);
    },
    write: () => batch.write({ sync: true }),
    writeSoon: () => batch.write({ sync: false }),
  };
}

/** Behind all keys, which begin with the mark of a sublevel. */
const nowhere = ['\u007f', '\u007f\u007f'] as const;

/**
 * Resolves when the disk has all that was written soon. To sync one more write would not do: that reaches LevelDB's present
 * write-ahead log, and not the one before it, whose rows are on their way into a table. To compact a range without keys puts
 * both into tables, which LevelDB syncs, and does nothing else.
 */
export async function flush(level: Level): Promise<void> {
  await level.compactRange?.(...nowhere);
}
