import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Level } from 'level';
import { recordId } from '../../src/indicator/record.ts';
import { openDisk } from '../../src/store/disk.ts';
import { newestKey } from '../../src/store/keys.ts';
import { decodeRecord } from '../../src/store/record-codec.ts';
import { recordTables } from '../../src/store/tables.ts';
import { eventually, type FleetNode, getJson, main, nodeFlags } from '../e2e/fleet.ts';
import { spawnLines } from '../support/process.ts';
import { fillDirectory } from './fill.ts';
import { type Row, round } from './measure.ts';
import { cpuSeconds, peakRssMegabytes } from './proc.ts';

const recordsCount = Number(process.env['BENCH_RECORDS'] ?? 1_000_000);
/** A directory for CPU profiles of both nodes; none are made without. */
const profileDirectory = process.env['BENCH_PROFILES'];
const bareBatchRecords = 1_000;
const pingEveryMs = 10;
/** After its start LevelDB puts in order what was filled in; that is not what is measured. */
const settleMs = 5_000;
const catchUpMsMax = 600_000;

/** An empty node beside one that holds all: from its start until it is ready with the same digest, against bare LevelDB. */
export async function benchCatchUp(): Promise<readonly Row[]> {
  const directory = await mkdtemp(join(tmpdir(), 'tocsin-bench-'));
  const beaconPort = String(20_000 + (process.pid % 20_000));
  try {
    const full = join(directory, 'full');
    await fillDirectory(full, recordsCount);
    const { tookMs, recordsMs, serving, gapMs, receiver, server } = await catchUp(
      full,
      join(directory, 'empty'),
      beaconPort,
    );
    const bareMs = await loadBare(join(full, 'db'), join(directory, 'bare'));
    const [rate, bareRate] = [tookMs, bareMs].map((ms) => (recordsCount / ms) * 1_000) as [number, number];
    return [
      [
        `an empty node catches up with ${round(recordsCount)} records`,
        `${round(rate)}/s (${round(tookMs / 1_000, 1)} s)`,
        `${round(bareRate)}/s bare classic-level bulk load, not synced`,
        round(rate / bareRate, 2),
        '≥ 0.50',
      ],
      [
        'of that, until all records are there, before the log and the stream have the newest events',
        `${round((recordsCount / recordsMs) * 1_000)}/s (${round(recordsMs / 1_000, 1)} s)`,
        'the same',
        round(bareMs / recordsMs, 2),
        'recorded',
      ],
      [
        'peak RSS while catching up',
        `${round(receiver.megabytes)} MB receiver, ${round(server.megabytes)} MB server`,
        '–',
        '–',
        'recorded',
      ],
      [
        'CPU while catching up',
        `${round(receiver.cpuS, 1)} s receiver, ${round(server.cpuS, 1)} s server`,
        '–',
        '–',
        'recorded',
      ],
      [
        'longest gap between answers of the serving node',
        `${round(gapMs)} ms of ${serving} pings`,
        `one each ${pingEveryMs} ms`,
        '–',
        'recorded',
      ],
    ];
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function catchUp(full: string, empty: string, beaconPort: string) {
  await using server = await startNode(full, beaconPort);
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  const pings = startPinging(server.node);
  const serverCpuS = cpuSeconds(server.node.process.pid);
  const startMs = performance.now();
  await using receiver = await startNode(empty, beaconPort);
  let recordsMs = 0;
  await eventually(
    'caught up',
    async () => {
      // A node that has not met its peer yet is ready as well, and empty.
      const { ready, records } = await getJson(receiver.node, '/mesh');
      if (records !== recordsCount) return undefined;
      if (recordsMs === 0) recordsMs = performance.now() - startMs;
      return ready === true ? true : undefined;
    },
    catchUpMsMax,
  );
  const tookMs = performance.now() - startMs;
  const spent = {
    receiver: spentBy(receiver.node.process.pid),
    server: spentBy(server.node.process.pid, serverCpuS),
  };
  const { gapMs, answers } = await pings.stop();
  const [ours, theirs] = await Promise.all(
    [receiver, server].map(({ node }) => getJson(node, '/mesh/digest')),
  );
  if (ours?.['sha256'] !== theirs?.['sha256']) throw new Error('the digests differ');
  return {
    tookMs,
    recordsMs,
    gapMs,
    serving: answers,
    ...spent,
  };
}

/** Since it had spent `cpuS`. */
function spentBy(pid: number, cpuS = 0) {
  return { megabytes: peakRssMegabytes(pid), cpuS: cpuSeconds(pid) - cpuS };
}

/** Resolves as soon as it answers, ready or not. Disposing it lets it write its profile. */
async function startNode(
  dataDirectory: string,
  beaconPort: string,
): Promise<AsyncDisposable & { readonly node: FleetNode }> {
  const profiling =
    profileDirectory === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDirectory}`];
  const running = await spawnLines(process.execPath, [...nodeFlags, ...profiling, main, 'start'], {
    env: { TOCSIN_DATA_DIR: dataDirectory, TOCSIN_BEACON_PORT: beaconPort },
  });
  const { url, token } = await eventually('node.json', () =>
    readFile(join(dataDirectory, 'node.json'), 'utf8').then(
      (text) => JSON.parse(text) as { url: string; token: string },
      () => undefined,
    ),
  );
  return {
    node: { n: 1, url, token, process: running },
    async [Symbol.asyncDispose]() {
      await running.stop();
    },
  };
}

/** Asks the node for a sign of life again and again. */
function startPinging(node: FleetNode) {
  let stopped = false;
  let answers = 0;
  let gapMs = 0;
  const pinging = (async () => {
    let lastMs = performance.now();
    while (!stopped) {
      await getJson(node, '/ping');
      gapMs = Math.max(gapMs, performance.now() - lastMs);
      lastMs = performance.now();
      answers++;
      await new Promise((resolve) => setTimeout(resolve, pingEveryMs));
    }
  })();
  return {
    async stop() {
      stopped = true;
      await pinging;
      return { gapMs, answers };
    },
  };
}

/** Writes the same records and the same rows of the indexes, in the same order, to a LevelDB of their own. */
async function loadBare(fromDirectory: string, toDirectory: string): Promise<number> {
  const from = await openDisk(fromDirectory);
  const { records, newest, ids, values } = recordTables(from, 0);
  const bare = new Level<string, string>(toDirectory);
  await bare.open();
  const iterator = records.iterator();
  let tookMs = 0;
  for (;;) {
    const rows = await iterator.nextv(bareBatchRecords);
    if (rows.length === 0) break;
    const puts = rows.flatMap(([key, text]) => {
      const record = decodeRecord(text);
      const [itype = '', value = '', ...rest] = key.split('\0');
      const put = (to: string, of: string) => ({ type: 'put' as const, key: to, value: of });
      return [
        put(records.prefix + key, text),
        put(newest.prefix + newestKey(record.reporttimeMs, key), ''),
        put(ids.prefix + recordId(record), key),
        put(`${values.prefix}${itype}\0${value}`, rest.join('\0')),
      ];
    });
    const startMs = performance.now();
    await bare.batch(puts);
    tookMs += performance.now() - startMs;
  }
  await iterator.close();
  await bare.close();
  await from.close();
  return tookMs;
}
