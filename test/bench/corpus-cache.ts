import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { systemClock } from 'tocsin/mesh';
import { loadOrCreateIdentity, openDataDirectory } from '../../src/data-directory.ts';
import { sealBatches } from '../../src/event/batch.ts';
import { hlcAt } from '../../src/event/hlc.ts';
import type { Entry } from '../../src/event/types.ts';
import type { IndicatorRecord } from '../../src/indicator/types.ts';
import { openDisk } from '../../src/store/disk.ts';
import { openStore } from '../../src/store/level-store.ts';
import type { IndicatorStore } from '../../src/store/store.ts';
import { type CorpusRow, corpusRows } from './corpus.ts';
import { feedsDirectory } from './corpus-values.ts';
import { fillSqlite, openSqlite } from './sqlite.ts';

export const corpusCount = Number(process.env['BENCH_RECORDS'] ?? 1_000_000);
const seed = 1;
const commitEvents = 10_000;
const pageRecords = 10_000;
const dayMs = 24 * 60 * 60 * 1_000;
/** What a node keeps of its log by default. */
const logMs = 7 * dayMs;

const root = join(import.meta.dirname, '../..');
const cacheRoot = join(tmpdir(), 'tocsin-bench-corpus');

/** What is in the cache is not to be written to: take a copy. */
export type CachedCorpus = {
  /** A node's data directory; its LevelDB is in `db`. */
  readonly dataDirectory: string;
  /** The end of the corpus: the beginning of this day, so that a node with the system's clock has a feed of it. */
  readonly nowMs: number;
};

/** What this machine lacks for a corpus, if anything. */
export function corpusLack(): string | undefined {
  return existsSync(feedsDirectory) ? undefined : `there are no feeds at ${feedsDirectory}`;
}

/**
 * Makes the corpus, or takes it from the last run of the same day over the same sources: a store that was filled by other code
 * could lack an index.
 */
export async function cachedCorpus(): Promise<CachedCorpus> {
  const nowMs = Math.floor(systemClock.wallMs() / dayMs) * dayMs;
  const directory = join(cacheRoot, markOf(`${corpusCount} ${nowMs}`));
  const dataDirectory = join(directory, 'node');
  if (!existsSync(dataDirectory)) {
    for (const old of await readdir(cacheRoot).catch(() => []))
      await rm(join(cacheRoot, old), { recursive: true });
    await made(dataDirectory, (making) => fillNode(making, nowMs));
  }
  return { dataDirectory, nowMs };
}

/** The same records in SQLite: a file of the cache. */
export async function cachedSqlite({ dataDirectory }: CachedCorpus): Promise<string> {
  const file = join(dataDirectory, '../sqlite.db');
  if (!existsSync(file)) await made(file, (making) => fillBaseline(dataDirectory, making));
  return file;
}

/** Under its own name only once it is whole. */
async function made(path: string, make: (making: string) => Promise<void>): Promise<void> {
  const making = `${path}.making`;
  console.log(`making ${path} of ${corpusCount} records ...`);
  await mkdir(dirname(path), { recursive: true });
  await rm(making, { recursive: true, force: true });
  await make(making);
  await rename(making, path);
}

export function corpus(nowMs: number, count = corpusCount): Iterable<CorpusRow> {
  return corpusRows({ count, nowMs, seed });
}

/** All records, newest first. */
export async function* allRecords(store: IndicatorStore): AsyncGenerator<readonly IndicatorRecord[]> {
  let after: string | undefined;
  do {
    const { records, next } = await store.newest(after, pageRecords);
    yield records;
    after = next;
  } while (after !== undefined);
}

async function fillNode(directory: string, nowMs: number): Promise<void> {
  const { path, level } = await openDataDirectory(directory);
  const identity = await loadOrCreateIdentity(path, false);
  const store = await openStore(level);
  let seq = 1;
  let entries: Entry[] = [];
  async function commit(): Promise<void> {
    await store.commit(sealBatches(identity, seq, entries));
    seq += entries.length;
    entries = [];
  }
  for (const { observation, reportedMs } of corpus(nowMs)) {
    entries.push({ hlc: hlcAt(reportedMs), kind: 'observe', body: observation });
    if (entries.length === commitEvents) await commit();
  }
  if (entries.length > 0) await commit();
  if (store.count() !== corpusCount) throw new Error(`${store.count()} records of ${corpusCount}`);
  await store.trimLog({ sinceMs: nowMs - logMs, bytesMax: Number.MAX_SAFE_INTEGER });
  // A node that runs for a while is as tidy by itself.
  await level.compactRange?.('', '~');
  await store.close();
}

async function fillBaseline(dataDirectory: string, file: string): Promise<void> {
  const store = await openStore(await openDisk(join(dataDirectory, 'db')));
  const database = await openSqlite(file);
  await fillSqlite(database, allRecords(store));
  database.close();
  await store.close();
}

/** Of what decides how the corpus is made and stored. */
function markOf(what: string): string {
  const hash = createHash('sha256').update(what);
  for (const room of ['src/store', 'src/event', 'src/indicator']) {
    for (const file of readdirSync(join(root, room), { recursive: true, withFileTypes: true })) {
      if (file.isFile()) hash.update(readFileSync(join(file.parentPath, file.name)));
    }
  }
  for (const file of ['corpus.ts', 'corpus-values.ts', 'corpus-cache.ts', 'sqlite.ts'])
    hash.update(readFileSync(join(import.meta.dirname, file)));
  return hash.digest('hex').slice(0, 16);
}
