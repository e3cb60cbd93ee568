import type { AbstractLevel } from 'abstract-level';

/** A LevelDB of either kind: on disk, or in memory for tests and simulations. */
export type Level = AbstractLevel<string | Buffer | Uint8Array, string, string> & {
  /** On disk. */
  compactRange?(start: string, end: string): Promise<void>;
};

/**
 * The records and what is computed from them. A snapshot is written beside the records in use, as the next generation, and
 * takes their place in one write; so a generation is whole, or is not in use.
 */
export function recordTables(level: Level, generation: number) {
  const name = (table: string) => (generation === 0 ? table : `${table}~${generation}`);
  return {
    generation,
    /** By key in value order (keys.ts): record-codec's text. */
    records: level.sublevel<string, string>(name('records'), {}),
    /** By reporttime, newest first, then key: nothing. */
    newest: level.sublevel<string, string>(name('newest'), {}),
    /** By itype and value key: what follows them in the keys of its records. */
    values: level.sublevel<string, string>(name('values'), {}),
    /** By record id: the record's key. */
    ids: level.sublevel<string, string>(name('ids'), {}),
    /** By key, those that are allowlist entries: the record's text again, so that all of them are one scan. */
    allowlist: level.sublevel<string, string>(name('allowlist'), {}),
    /** By field and name: how many records say it. */
    counts: level.sublevel<string, string>(name('counts'), {}),
    /** By origin: what the records contain of its events. */
    vectors: level.sublevel<string, string>(name('vector'), {}),
  };
}

export type RecordTables = ReturnType<typeof recordTables>;

/** The event log, which stays as it is when the records change their generation. */
export function logTables(level: Level) {
  return {
    /** By origin and seq: the batch as it was signed. */
    log: level.sublevel<string, Uint8Array>('log', { valueEncoding: 'view' }),
    /** By position: which batch was applied there, in the order of arrival. */
    applied: level.sublevel<string, string>('applied', {}),
    /** By origin: when the newest event was made that left the log, or never came into it; at the latest, Unix milliseconds. */
    lost: level.sublevel<string, string>('lost', {}),
  };
}

export type LogTables = ReturnType<typeof logTables>;

export function metaTable(level: Level) {
  return level.sublevel<string, string>('meta', {});
}
