import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from 'tocsin/mesh';
import { rfc3339 } from '../../src/indicator/times.ts';
import type { Row as SubmittedRow } from '../../src/intake/row.ts';
import { openDisk } from '../../src/store/disk.ts';
import { openStore } from '../../src/store/level-store.ts';
import { requirementMet } from '../support/requirement.ts';
import type { CorpusRow } from './corpus.ts';
import { cachedCorpus, cachedSqlite, corpus, corpusLack } from './corpus-cache.ts';
import { intakeBesideBare } from './intake.ts';
import { median, type Row, round } from './measure.ts';
import { sqliteLack } from './sqlite.ts';

const rowsCount = 50_000;
const batchRows = 500;
const runs = 5;
const megabyte = 1e6;

/** What all the indexes and counts cost: records of every kind from submission to commit, and their room on the disk. */
export async function benchIndexes(): Promise<readonly Row[]> {
  if (!requirementMet(corpusLack() ?? (await sqliteLack()))) return [];
  const cached = await cachedCorpus();
  const { dataDirectory, nowMs } = cached;
  const submissions: SubmittedRow[][] = [];
  for (const row of corpus(nowMs, rowsCount)) {
    if ((submissions.at(-1)?.length ?? batchRows) === batchRows) submissions.push([]);
    const rows = submissions.at(-1) ?? [];
    rows.push({ row: rows.length + 1, value: submitted(row) });
  }
  const rates: number[] = [];
  const bareRates: number[] = [];
  for (let run = 0; run < runs; run++) {
    const [rate, bareRate] = await intakeBesideBare(submissions, seededRandom(run));
    rates.push(rate);
    bareRates.push(bareRate);
  }
  const { records, logBytes, storeBytes } = await sizes(join(dataDirectory, 'db'));
  const sqliteBytes = statSync(await cachedSqlite(cached)).size;
  return [
    [
      `intake of every kind with all indexes and counts, ${batchRows} rows a submission`,
      `${round(median(rates))}/s`,
      `${round(median(bareRates))}/s bare classic-level batch, synced`,
      round(median(rates.map((rate, i) => rate / (bareRates[i] ?? Number.NaN))), 2),
      '≥ 0.50',
    ],
    [
      `disk, ${round(records)} records and their indexes, without the event log`,
      `${round((storeBytes - logBytes) / megabyte)} MB`,
      `${round(sqliteBytes / megabyte)} MB SQLite, vacuumed`,
      round((storeBytes - logBytes) / sqliteBytes, 2),
      '< 1.5',
    ],
    ['the event log of 7 of 90 days beside it', `${round(logBytes / megabyte)} MB`, '–', '–', 'recorded'],
  ];
}

function submitted({ observation }: CorpusRow): Readonly<Record<string, unknown>> {
  const { firsttimeMs, lasttimeMs, ...fields } = observation;
  return { ...fields, firsttime: rfc3339(firsttimeMs), lasttime: rfc3339(lasttimeMs) };
}

async function sizes(directory: string) {
  const store = await openStore(await openDisk(directory));
  const about = { records: store.count(), logBytes: store.logBytes() };
  await store.close();
  const storeBytes = readdirSync(directory).reduce(
    (sum, file) => sum + statSync(join(directory, file)).size,
    0,
  );
  return { ...about, storeBytes };
}
