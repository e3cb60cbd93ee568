import { spawnSync } from 'node:child_process';
import { requirementMet } from '../../support/requirement.ts';
import { median, quantile, type Row } from '../measure.ts';
import { cpuSeconds, rssMegabytes } from '../proc.ts';
import { indicatorBytes } from './indicators.ts';
import { flood, pace } from './load.ts';
import { startNats } from './nats-side.ts';
import { type Rate, type Run, report, rowsOf, type Speed } from './report.ts';
import { nowMs, type Publisher, type Side, type Subscriber } from './side.ts';
import { startTocsin } from './tocsin-side.ts';

const runs = Number(process.env['BENCH_RUNS'] ?? 3);
const warmUpMs = 3_000;
const floodMs = 6_000;
const pacedPerSecond = 2_000;
const pacedMs = 6_000;
const rowsPerMessage = 100;
const killAfterMs = 2_000;
/** No acknowledgement for so long is a stall, and it is over when there was none of those for so long. */
const stallMs = 200;
const recoveredMs = 4_000;
const killMsMax = 60_000;

type Kind = {
  readonly name: string;
  readonly start: () => Promise<Side>;
  readonly killed: readonly number[];
};

const tocsin: Kind = { name: 'Tocsin', start: startTocsin, killed: [0, 1, 2] };
/** Of JetStream the leader, which is the first: only then must the others elect one. */
const nats: Kind = { name: 'JetStream', start: startNats, killed: [0] };

/** Three nodes beside three clustered nats-servers with a stream of three replicas: one side at a time, in turn. */
export async function benchJetStream(): Promise<readonly Row[]> {
  const found = spawnSync('nats-server', ['--version'], { encoding: 'utf8' });
  const version = found.stdout?.trim().replace(/^nats-server: /, '');
  if (!requirementMet(found.error && 'nats-server is not installed (apt-get install nats-server)')) return [];
  console.log(`  beside nats-server ${version}, indicators of ${indicatorBytes} bytes`);
  const ours: Run[] = [];
  const theirs: Run[] = [];
  for (let i = 0; i < runs; i++) {
    ours.push(await runOf(tocsin));
    theirs.push(await runOf(nats));
  }
  return rowsOf(ours, theirs);
}

async function runOf(kind: Kind): Promise<Run> {
  const measured = await measureSpeed(kind);
  const pausesMs: number[] = [];
  // Each kill meets servers that are new: a rejoin is not what is measured.
  for (const server of kind.killed) pausesMs.push(await measurePause(kind, server));
  const run = { ...measured, pausesMs };
  report(kind.name, run);
  return run;
}

async function measureSpeed({ start }: Kind): Promise<Omit<Run, 'pausesMs'>> {
  await using side = await start();
  await using subscriber = await side.subscribe();
  const speed = await speedOf(side, await side.publisher(), subscriber);
  const requests = side.requestPublisher && {
    requests: await speedOf(side, await side.requestPublisher(), subscriber),
  };
  return { ...speed, ...requests, rssMegabytes: side.pids.map(rssMegabytes) };
}

async function speedOf(side: Side, opened: Publisher, subscriber: Subscriber): Promise<Speed> {
  await using publisher = opened;
  await flood(publisher, 1, warmUpMs);
  const single = await rateOf(side, publisher, subscriber, 1);
  const paced = await pace(publisher, pacedPerSecond, pacedMs, (startMs) => nowMs() - startMs > pacedMs);
  await flood(publisher, rowsPerMessage, warmUpMs);
  const hundred = await rateOf(side, publisher, subscriber, rowsPerMessage);
  return {
    single,
    hundred,
    p50Ms: median(paced.latenciesMs),
    p99Ms: quantile(paced.latenciesMs, 0.99),
    unmet: paced.unmet,
  };
}

async function rateOf(side: Side, publisher: Publisher, subscriber: Subscriber, rows: number): Promise<Rate> {
  const heardBefore = await settled(side, subscriber);
  const clients = [process.pid, subscriber.pid];
  const cpuBefore = [...side.pids, ...clients].map(cpuSeconds);
  const { startMs, lastAnswerMs, acknowledged, unmet } = await flood(publisher, rows, floodMs);
  const sent = acknowledged + unmet;
  const heardMs = await subscriber.heardAll(heardBefore + sent);
  await settled(side, subscriber);
  const cpu = [...side.pids, ...clients].map(
    (pid, i) => ((cpuSeconds(pid) - (cpuBefore[i] ?? 0)) / sent) * 1e6,
  );
  return {
    acknowledgedPerSecond: (acknowledged / (lastAnswerMs - startMs)) * 1_000,
    heardPerSecond: heardMs === undefined ? Number.NaN : (sent / (heardMs - startMs)) * 1_000,
    unmet,
    cpuMicroseconds: cpu.slice(0, side.pids.length),
    clientMicroseconds: cpu.slice(side.pids.length),
  };
}

/** Waits until no server has work left, the one without a subscriber neither; answers how many the subscriber has heard. */
async function settled({ pids }: Side, subscriber: Subscriber): Promise<number> {
  const stepMs = 500;
  for (let i = 0; i < 120; i++) {
    const before = pids.map(cpuSeconds);
    await new Promise((resolve) => setTimeout(resolve, stepMs));
    const busiest = Math.max(...pids.map((pid, k) => cpuSeconds(pid) - (before[k] ?? 0)));
    if (busiest <= 0.06 * (stepMs / 1_000)) break;
  }
  return subscriber.heard();
}

/** The longest time without an acknowledgement from the kill on, at a pace. */
async function measurePause({ start }: Kind, server: number): Promise<number> {
  await using side = await start();
  await using publisher = await side.publisher();
  await flood(publisher, 1, warmUpMs);
  let killedMs = Number.POSITIVE_INFINITY;
  const killing = setTimeout(() => {
    killedMs = nowMs();
    void side.kill(server);
  }, killAfterMs);
  let stallEndMs = 0;
  const { acknowledgedAtMs } = await pace(publisher, pacedPerSecond, killMsMax, (startMs, at) => {
    const atMs = nowMs();
    if (atMs - (at.at(-1) ?? startMs) > stallMs) stallEndMs = atMs;
    // Until acknowledgements flow again, however long that takes.
    return atMs - Math.max(killedMs, stallEndMs) > recoveredMs || atMs - startMs > killMsMax;
  });
  clearTimeout(killing);
  let longestMs = 0;
  for (const [i, atMs] of acknowledgedAtMs.entries()) {
    const beforeMs = acknowledgedAtMs[i - 1];
    if (beforeMs !== undefined && atMs > killedMs) longestMs = Math.max(longestMs, atMs - beforeMs);
  }
  return longestMs;
}
