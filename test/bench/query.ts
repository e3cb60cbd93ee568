import { join } from 'node:path';
import { type Random, seededRandom } from 'tocsin/mesh';
import { readNetwork } from '../../src/indicator/address.ts';
import type { Itype } from '../../src/indicator/types.ts';
import { searchLimits } from '../../src/query/limits.ts';
import { noRelation } from '../../src/query/match.ts';
import { searchValues } from '../../src/query/search.ts';
import { openDisk } from '../../src/store/disk.ts';
import type { KeyRange } from '../../src/store/keys.ts';
import { openStore } from '../../src/store/level-store.ts';
import type { IndicatorStore } from '../../src/store/store.ts';
import { covering, inside, namesBelow } from '../../src/store/value-ranges.ts';
import { requirementMet } from '../support/requirement.ts';
import { allRecords, cachedCorpus, cachedSqlite, corpusLack } from './corpus-cache.ts';
import { startOverCopy } from './corpus-node.ts';
import { median, quantile, type Row, round } from './measure.ts';
import { pacedGets } from './paced-gets.ts';
import { openSqlite, sqliteLack, sqliteQuestions } from './sqlite.ts';

const runs = 5;
const sampleEvery = 20;
const exactQuestions = 20_000;
const atOnce = 64;
const networkQuestions = 200;
const coveringQuestions = 5_000;
const domainQuestions = 1_000;
/** Bulk searches, of different values each. */
const bulkQuestions = 10;
const bulkValues = 1_000;
/** As many as one answer may hold. */
const answerMax = 10_000;
/** Every so many of the values asked for is nowhere. */
const absentEvery = 10;
const pacedPerSecond = 500;
const pacedSeconds = 10;
const warmSeconds = 5;
const warmQuestions = 10;
/** A node that has just started still reads what it needs. */
const settleMs = 5_000;

type Value = { readonly itype: Itype; readonly indicator: string };
/** Asks one thing and answers how many rows came. */
type Ask<Question> = (question: Question) => number | Promise<number>;

/** A million records in a node's store and in SQLite: the same questions, in one run; and a real node under load over HTTP. */
export async function benchQuery(): Promise<readonly Row[]> {
  if (!requirementMet(corpusLack() ?? (await sqliteLack()))) return [];
  const cached = await cachedCorpus();
  const { dataDirectory } = cached;
  const sqliteFile = await cachedSqlite(cached);
  const random = seededRandom(7);
  const store = await openStore(await openDisk(join(dataDirectory, 'db')));
  const database = await openSqlite(sqliteFile);
  const values = await sampled(store, random);
  const rows = await besideSqlite(store, sqliteQuestions(database), values);
  await store.close();
  database.close();
  return [...rows, ...(await overHttp(dataDirectory, values))];
}

async function besideSqlite(
  store: IndicatorStore,
  sqlite: ReturnType<typeof sqliteQuestions>,
  values: readonly Value[],
): Promise<readonly Row[]> {
  const exact = values.slice(0, exactQuestions);
  const byValue = async ({ itype, indicator }: Value) => (await store.byValue(itype, indicator)).length;
  const byValueInSqlite = ({ itype, indicator }: Value) => sqlite.byValue(itype, indicator).length;
  const addresses = values.filter(({ itype, indicator }) => itype === 'ipv4' && !indicator.includes('/'));
  const networks = addresses
    .slice(0, networkQuestions)
    .map(({ indicator }) => `${indicator.split('.', 2).join('.')}.0.0/16`);
  const names = values.filter(({ itype }) => itype === 'fqdn');
  const domains = names
    .slice(0, domainQuestions)
    .map(({ indicator }) => indicator.split('.').slice(-2).join('.'));
  const inRanges = async (ranges: readonly KeyRange[]) =>
    (await store.inRanges(ranges, undefined, answerMax)).records.length;
  const bulks = Array.from({ length: bulkQuestions }, (_, i) =>
    values.slice(i * bulkValues, (i + 1) * bulkValues),
  );
  const plain = { related: noRelation, filter: {}, limit: searchLimits.limitMax };
  return [
    await compared('exact lookup, one after another', '≥ 1.0', exact, byValue, byValueInSqlite),
    await compared(`exact lookup, ${atOnce} at once`, '≥ 1.0', exact, byValue, byValueInSqlite, atOnce),
    await compared(
      'what lies in a /16',
      '≥ 0.8',
      networks,
      (network) => inRanges(inside('ipv4', network)),
      (network) => sqlite.inside(network, answerMax).length,
    ),
    await compared(
      'networks that cover an address',
      '≥ 0.8',
      addresses.slice(0, coveringQuestions),
      ({ indicator }) => inRanges(covering(readNetwork(indicator))),
      ({ indicator }) => sqlite.covering(indicator).length,
    ),
    await compared(
      'names below a domain',
      '≥ 0.8',
      domains,
      (domain) => inRanges([namesBelow(domain)]),
      (domain) => sqlite.subdomains(domain, answerMax).length,
    ),
    await compared(
      `${round(bulkValues)} values in one search`,
      '≥ 10/s (100 ms each)',
      bulks,
      async (bulk) => {
        const found = await searchValues(
          store,
          bulk.map((value) => [value]),
          plain,
        );
        return found.reduce((sum, { answers }) => sum + answers.length, 0);
      },
      (bulk) => bulk.reduce((sum, value) => sum + byValueInSqlite(value), 0),
    ),
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

async function overHttp(dataDirectory: string, values: readonly Value[]): Promise<readonly Row[]> {
  await using running = await startOverCopy(dataDirectory);
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  const { url, token } = running.node;
  const bulkMs: number[] = [];
  // What is measured is a node that runs, not its first requests; each time it is asked about others.
  for (let i = 0; i < warmQuestions + bulkQuestions; i++) {
    const indicators = values.slice(i * bulkValues, (i + 1) * bulkValues).map(({ indicator }) => indicator);
    const tookMs = await search(url, token, indicators);
    if (i >= warmQuestions) bulkMs.push(tookMs);
  }
  const paths = values
    .slice(0, pacedPerSecond * pacedSeconds)
    .map(({ indicator }) => `/indicators?q=${encodeURIComponent(indicator)}&related=none&nolog=1`);
  await pacedGets(url, token, paths.slice(0, pacedPerSecond * warmSeconds), pacedPerSecond);
  const tookMs = await pacedGets(url, token, paths, pacedPerSecond);
  const empty = paths.map(() => '/health/live');
  const emptyMs = await pacedGets(url, token, empty, pacedPerSecond);
  return [
    [
      `${round(bulkValues)} values in one search over HTTP, whole answer`,
      `${round(median(bulkMs))} ms`,
      '–',
      '–',
      '< 100 ms',
    ],
    [
      `exact lookup over HTTP at ${pacedPerSecond}/s for ${pacedSeconds} s`,
      tail(tookMs),
      `${tail(emptyMs)} /health/live, which reads nothing`,
      '–',
      'p99 < 5 ms',
    ],
  ];
}

function tail(tookMs: readonly number[]): string {
  return `p50 ${round(median(tookMs), 1)} ms, p99 ${round(quantile(tookMs, 0.99), 1)} ms`;
}

async function search(url: string, token: string, indicators: readonly string[]): Promise<number> {
  const startMs = performance.now();
  const response = await fetch(`${url}/indicators/search`, {
    method: 'POST',
    // fetch would ask for gzip, which costs more than the search.
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'accept-encoding': 'identity',
    },
    body: JSON.stringify({ indicators }),
  });
  if (response.status !== 200) throw new Error(`search answers ${response.status}: ${await response.text()}`);
  await response.arrayBuffer();
  return performance.now() - startMs;
}
