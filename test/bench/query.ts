import { join } from 'node:path';
import { type Random, seededRandom } from 'tocsin/mesh';
import type { Itype } from '../../src/indicator/types.ts';
import { openDisk } from '../../src/store/disk.ts';
import { openStore } from '../../src/store/level-store.ts';
import type { IndicatorStore } from '../../src/store/store.ts';
import { allRecords, cachedCorpus } from './corpus-cache.ts';
import { startOverCopy } from './corpus-node.ts';
import { median, quantile, type Row, round } from './measure.ts';
import { pacedGets } from './paced-gets.ts';
import { openSqlite, sqliteQuestions } from './sqlite.ts';

const runs = 5;
const sampleEvery = 20;
const exactQuestions = 20_000;
const atOnce = 64;
/** Every so many of the values asked for is nowhere. */
const absentEvery = 10;
const pacedPerSecond = 500;
const pacedSeconds = 10;
/** A node that has just started still reads what it needs. */
const settleMs = 5_000;

type Value = { readonly itype: Itype; readonly indicator: string };
/** Asks one thing and answers how many rows came. */
type Ask<Question> = (question: Question) => number | Promise<number>;

/** A million records in a node's store and in SQLite: the same questions, in one run; and a real node under load over HTTP. */
export async function benchQuery(): Promise<readonly Row[]> {
  const { dataDirectory, sqliteFile } = await cachedCorpus();
  const random = seededRandom(7);
  const store = await openStore(await openDisk(join(dataDirectory, 'db')));
  const database = await openSqlite(sqliteFile);
  const values = await sampled(store, random);
  const rows = await besideSqlite(store, sqliteQuestions(database), values);
  await store.close();
  database.close();
  return [...rows, await overHttp(dataDirectory, values)];
}

async function besideSqlite(
  store: IndicatorStore,
  sqlite: ReturnType<typeof sqliteQuestions>,
  values: readonly Value[],
): Promise<readonly Row[]> {
  const exact = values.slice(0, exactQuestions);
  const byValue = async ({ itype, indicator }: Value) => (await store.byValue(itype, indicator)).length;
  const byValueInSqlite = ({ itype, indicator }: Value) => sqlite.byValue(itype, indicator).length;
  return [
    await compared('exact lookup, one after another', '≥ 1.0', exact, byValue, byValueInSqlite),
    await compared(`exact lookup, ${atOnce} at once`, '≥ 1.0', exact, byValue, byValueInSqlite, atOnce),
  ];
}

/** The same questions to both sides in turn, several times over. */
async function compared<Question>(
  what: string,
  bar: string,
  questions: readonly Question[],
  ours: Ask<Question>,
  sqlite: Ask<Question>,
  oursAtOnce = 1,
): Promise<Row> {
  const rates: number[] = [];
  const sqliteRates: number[] = [];
  let found = 0;
  let sqliteFound = 0;
  for (let run = 0; run < runs; run++) {
    const [tookMs, count] = await timed(questions, ours, oursAtOnce);
    const [sqliteTookMs, sqliteCount] = await timed(questions, sqlite, 1);
    rates.push((questions.length / tookMs) * 1_000);
    sqliteRates.push((questions.length / sqliteTookMs) * 1_000);
    [found, sqliteFound] = [count, sqliteCount];
  }
  // Unlike answers would make the ratio worth nothing.
  const answers =
    found === sqliteFound
      ? `${round(found)} records`
      : `${round(found)} records, SQLite ${round(sqliteFound)}`;
  const [rate, sqliteRate] = [median(rates), median(sqliteRates)];
  return [
    `${what} (${round(questions.length)} questions, ${answers})`,
    `${round(rate)}/s`,
    `${round(sqliteRate)}/s better-sqlite3`,
    round(rate / sqliteRate, 2),
    bar,
  ];
}

async function timed<Question>(
  questions: readonly Question[],
  ask: Ask<Question>,
  askedAtOnce: number,
): Promise<readonly [tookMs: number, found: number]> {
  let found = 0;
  const startMs = performance.now();
  if (askedAtOnce === 1) for (const question of questions) found += await ask(question);
  else {
    for (let i = 0; i < questions.length; i += askedAtOnce) {
      const counts = await Promise.all(questions.slice(i, i + askedAtOnce).map(ask));
      found += counts.reduce((sum, count) => sum + count, 0);
    }
  }
  return [performance.now() - startMs, found];
}

/** Values of all kinds in no order, some of which nobody has reported. */
async function sampled(store: IndicatorStore, random: Random): Promise<readonly Value[]> {
  const values: Value[] = [];
  let seen = 0;
  for await (const records of allRecords(store)) {
    for (const { itype, indicator } of records) {
      if (++seen % sampleEvery !== 0) continue;
      const isAbsent = values.length % absentEvery === 0 && itype === 'fqdn';
      values.push({ itype, indicator: isAbsent ? `absent.${indicator}` : indicator });
    }
  }
  for (let i = values.length - 1; i > 0; i--) {
    const j = Math.floor(random.next() * (i + 1));
    [values[i], values[j]] = [values[j] as Value, values[i] as Value];
  }
  return values;
}

async function overHttp(dataDirectory: string, values: readonly Value[]): Promise<Row> {
  await using running = await startOverCopy(dataDirectory);
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  const paths = values
    .slice(0, pacedPerSecond * pacedSeconds)
    .map(({ indicator }) => `/indicators?q=${encodeURIComponent(indicator)}`);
  const tookMs = await pacedGets(running.node.url, running.node.token, paths, pacedPerSecond);
  return [
    `exact lookup over HTTP at ${pacedPerSecond}/s for ${pacedSeconds} s`,
    `p50 ${round(median(tookMs), 1)} ms, p99 ${round(quantile(tookMs, 0.99), 1)} ms`,
    '–',
    '–',
    'p99 < 5 ms',
  ];
}
