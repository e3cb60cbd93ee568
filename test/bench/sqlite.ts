import { highOf, readNetwork } from '../../src/indicator/address.ts';
import { valueKey } from '../../src/indicator/sort-key.ts';
import type { IndicatorRecord, Itype } from '../../src/indicator/types.ts';

/** What the benches use of better-sqlite3, which has no types of its own. */
export type Statement = {
  run(...values: readonly unknown[]): unknown;
  all(...values: readonly unknown[]): Record<string, unknown>[];
};
export type Database = {
  pragma(text: string): unknown;
  exec(sql: string): void;
  prepare(sql: string): Statement;
  transaction<Rows>(run: (rows: Rows) => void): (rows: Rows) => void;
  close(): void;
};

type Library = { readonly default: new (file: string) => Database };

/** It is no dependency of the project, as it needs a compiler. */
const library: string = 'better-sqlite3';

/** What this machine lacks for the baseline, if anything. */
export async function sqliteLack(): Promise<string | undefined> {
  try {
    await import(library);
    return undefined;
  } catch {
    return 'the baseline is missing (npm install --no-save better-sqlite3@12)';
  }
}

export async function openSqlite(file: string): Promise<Database> {
  const { default: Constructor } = (await import(library)) as Library;
  const database = new Constructor(file);
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = NORMAL');
  database.pragma('cache_size = -65536');
  return database;
}

/**
 * One table, as one would write it for these questions: addresses as 16 bytes with their prefix length, names with their
 * labels reversed (those of URLs and e-mail addresses too), one index for each question that a node answers, and none more.
 */
const schema = `
  CREATE TABLE indicators (
    id BLOB NOT NULL,
    itype TEXT NOT NULL,
    indicator TEXT NOT NULL,
    provider TEXT NOT NULL,
    grp TEXT NOT NULL,
    low BLOB,
    prefix INTEGER,
    host TEXT,
    tlp TEXT NOT NULL,
    confidence REAL NOT NULL,
    tags TEXT NOT NULL,
    count INTEGER NOT NULL,
    firsttime INTEGER NOT NULL,
    lasttime INTEGER NOT NULL,
    reporttime INTEGER NOT NULL,
    hlc INTEGER NOT NULL,
    origin BLOB NOT NULL,
    description TEXT,
    reference TEXT,
    portlist TEXT,
    protocol TEXT
  );
`;
/** Built behind the rows, which is what makes a file small and a load quick. */
const indexes = `
  CREATE UNIQUE INDEX by_value ON indicators (itype, indicator, provider, grp);
  CREATE UNIQUE INDEX by_id ON indicators (id);
  CREATE INDEX by_address ON indicators (low, prefix) WHERE low IS NOT NULL;
  CREATE INDEX by_host ON indicators (host) WHERE host IS NOT NULL;
  CREATE INDEX by_reporttime ON indicators (reporttime);
`;

const columns = 21;

/** Fills an empty file with records as they come, and leaves it tidy. */
export async function fillSqlite(
  database: Database,
  pages: AsyncIterable<readonly IndicatorRecord[]>,
): Promise<void> {
  database.exec(schema);
  const insert = database.prepare(`INSERT INTO indicators VALUES (${Array(columns).fill('?').join(',')})`);
  const insertAll = database.transaction((records: readonly IndicatorRecord[]) => {
    for (const record of records) insert.run(...valuesOf(record));
  });
  for await (const records of pages) insertAll(records);
  database.exec(indexes);
  database.exec('ANALYZE');
  database.exec('VACUUM');
  database.pragma('wal_checkpoint(TRUNCATE)');
}

let ids = 0;

function valuesOf(record: IndicatorRecord): readonly unknown[] {
  const { itype, indicator, stamp } = record;
  const isAddress = itype === 'ipv4' || itype === 'ipv6';
  const id = Buffer.alloc(16);
  // As wide and as scattered as the hash that a record's id is.
  id.writeUInt32BE(Math.imul(++ids, 2_654_435_761) >>> 0);
  id.writeUInt32BE(ids, 12);
  return [
    id,
    itype,
    indicator,
    record.provider,
    record.group,
    isAddress ? addressBytes(readNetwork(indicator).low) : null,
    isAddress ? readNetwork(indicator).prefix : null,
    hostOf(itype, indicator) ?? null,
    record.tlp,
    record.confidence,
    record.tags.join(','),
    record.count,
    record.firsttimeMs,
    record.lasttimeMs,
    record.reporttimeMs,
    stamp.hlc,
    Buffer.from(stamp.origin, 'hex'),
    record.description ?? null,
    record.reference ?? null,
    record.portlist ?? null,
    record.protocol ?? null,
  ];
}

function hostOf(itype: Itype, indicator: string): string | undefined {
  if (itype !== 'fqdn' && itype !== 'url' && itype !== 'email') return undefined;
  const [host] = valueKey(itype, indicator).split(' ');
  return host;
}

function addressBytes(address: bigint): Buffer {
  return Buffer.from(address.toString(16).padStart(32, '0'), 'hex');
}

const bitsMax = 32;

/** The questions of the benches, each a prepared statement; rows come as objects with their tags in a list, as records do. */
export function sqliteQuestions(database: Database) {
  const byValue = database.prepare('SELECT * FROM indicators WHERE itype = ? AND indicator = ?');
  const inside = database.prepare(
    'SELECT * FROM indicators WHERE low BETWEEN ? AND ? AND prefix > ? AND itype = ? LIMIT ?',
  );
  const covering = database.prepare(
    `WITH wanted (low, prefix) AS (VALUES ${Array(bitsMax - 1)
      .fill('(?, ?)')
      .join(',')})
     SELECT indicators.* FROM wanted CROSS JOIN indicators
     ON indicators.low = wanted.low AND indicators.prefix = wanted.prefix WHERE itype = ?`,
  );
  const below = database.prepare(
    "SELECT * FROM indicators WHERE host > ? AND host < ? AND itype = 'fqdn' LIMIT ?",
  );
  return {
    byValue: (itype: Itype, indicator: string) => byValue.all(itype, indicator).map(withTags),
    /** What lies within a network, without itself. */
    inside(network: string, limit: number) {
      const read = readNetwork(network);
      return inside
        .all(addressBytes(read.low), addressBytes(highOf(read)), read.prefix, read.itype, limit)
        .map(withTags);
    },
    /** The networks that cover an IPv4 address. */
    covering(address: string) {
      const { low, itype } = readNetwork(address);
      const wanted = Array.from({ length: bitsMax - 1 }, (_, i) => {
        const prefix = i + 1;
        const hostBits = BigInt(bitsMax - prefix);
        return [addressBytes((low >> hostBits) << hostBits), prefix];
      });
      return covering.all(...wanted.flat(), itype).map(withTags);
    },
    /** The names below a name, without itself. */
    subdomains(domain: string, limit: number) {
      const host = hostOf('fqdn', domain) ?? '';
      return below.all(host, `${host.slice(0, -1)}/`, limit).map(withTags);
    },
  };
}

function withTags(row: Record<string, unknown>): Record<string, unknown> {
  row['tags'] = String(row['tags']).split(',');
  return row;
}
