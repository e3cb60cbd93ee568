import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Level } from 'level';
import { type Random, seededRandom, systemClock } from 'tocsin/mesh';
import { hybridClock } from '../../src/event/hlc.ts';
import { createIdentity } from '../../src/event/identity.ts';
import { standardDefaults } from '../../src/indicator/observation.ts';
import { createIntake } from '../../src/intake/intake.ts';
import type { Row } from '../../src/intake/row.ts';
import { openDisk } from '../../src/store/disk.ts';
import { openStore } from '../../src/store/level-store.ts';
import { ackLocally } from '../support/ack-locally.ts';
import { median, round, type Row as TableRow } from './measure.ts';

const rowsCount = 50_000;
const batchRows = 500;
const runs = 5;

/** Intake to commit on one node, beside a bare classic-level that writes the same keys and bytes, in as many synced batches. */
export async function benchIntake(): Promise<readonly TableRow[]> {
  const ours: number[] = [];
  const bare: number[] = [];
  for (let run = 0; run < runs; run++) {
    const [perSecond, barePerSecond] = await once(run);
    ours.push(perSecond);
    bare.push(barePerSecond);
  }
  const ratio = median(ours.map((value, i) => value / (bare[i] ?? Number.NaN)));
  return [
    [
      `intake to commit, ${batchRows} rows a submission`,
      `${round(median(ours))}/s`,
      `${round(median(bare))}/s bare classic-level batch, synced`,
      round(ratio, 2),
      '≥ 0.40',
    ],
  ];
}

async function once(seed: number): Promise<readonly [number, number]> {
  const random = seededRandom(seed);
  const submissions = Array.from({ length: rowsCount / batchRows }, () =>
    Array.from({ length: batchRows }, (_, i) => {
      const name = Math.floor(random.next() * 1e12).toString(36);
      return { row: i + 1, value: `http://${name}.example.com/${name}/index.php?id=${i}` };
    }),
  );
  return intakeBesideBare(submissions, random);
}

/** Submissions into an empty store, one after another, and what it then holds into a bare LevelDB: rows a second of each. */
export async function intakeBesideBare(
  submissions: readonly (readonly Row[])[],
  random: Random,
): Promise<readonly [perSecond: number, barePerSecond: number]> {
  const directory = await mkdtemp(join(tmpdir(), 'tocsin-bench-'));
  const level = await openDisk(join(directory, 'ours'));
  const store = await openStore(level);
  const intake = createIntake({
    store,
    identity: createIdentity(),
    hybridClock: hybridClock(systemClock, 0n),
    clock: systemClock,
    acknowledged: ackLocally,
  });
  const defaults = { ...standardDefaults, provider: 'bench', tags: ['malware'] };
  const rowsCount = submissions.reduce((sum, rows) => sum + rows.length, 0);
  const startMs = performance.now();
  for (const rows of submissions) await intake.submit(rows, defaults);
  const oursMs = performance.now() - startMs;

  const written: { type: 'put'; key: string; value: Buffer }[] = [];
  for await (const [key, value] of level.iterator<string, Buffer>({ valueEncoding: 'buffer' })) {
    written.push({ type: 'put', key, value });
  }
  // In key order LevelDB would have it easier than it had.
  for (let i = written.length - 1; i > 0; i--) {
    const j = Math.floor(random.next() * (i + 1));
    const [a, b] = [written[i], written[j]];
    if (a && b) [written[i], written[j]] = [b, a];
  }
  await store.close();
  const bare = new Level<string, Buffer>(join(directory, 'bare'), { valueEncoding: 'buffer' });
  await bare.open();
  const perBatch = Math.ceil(written.length / submissions.length);
  const bareStartMs = performance.now();
  for (let i = 0; i < written.length; i += perBatch)
    await bare.batch(written.slice(i, i + perBatch), { sync: true });
  const bareMs = performance.now() - bareStartMs;
  await bare.close();
  await rm(directory, { recursive: true });
  return [(rowsCount / oursMs) * 1_000, (rowsCount / bareMs) * 1_000];
}
