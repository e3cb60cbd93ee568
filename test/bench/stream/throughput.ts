import { programsUsable } from '../../support/requirement.ts';
import { nowMs } from '../jetstream/side.ts';
import { median, round, type Row as TableRow } from '../measure.ts';
import { cpuSeconds } from '../proc.ts';
import { rowOf } from './rows.ts';
import { bareSide, coreNatsSide, ourSide, type Side } from './sides.ts';

const runs = Number(process.env['BENCH_RUNS'] ?? 3);
const rowsCount = Number(process.env['BENCH_ROWS'] ?? 100_000);
const warmUpRows = 20_000;
const batchRows = 500;

type Kind = {
  readonly name: string;
  readonly start: () => Promise<Side>;
  /** May lose some. */
  readonly isLossy?: true;
};

const kinds: readonly Kind[] = [
  { name: 'ZeroMQ', start: () => ourSide(2, 'zeromq') },
  { name: 'core NATS', start: coreNatsSide },
  { name: 'SSE', start: () => ourSide(2, 'sse') },
  { name: 'bare zeromq.js PUB/SUB', start: bareSide, isLossy: true },
];

type Run = {
  /** Indicators to the slowest of the subscribers. */
  readonly perSecond: number;
  /** Share of what was sent, over all subscribers. */
  readonly lost: number;
};

/** POST at node 1 of three to subscribers at nodes 2 and 3, beside a cluster of three nats-servers: one side at a time, in turn. */
export async function benchStreamThroughput(): Promise<readonly TableRow[]> {
  if (!programsUsable('nats-server')) return [];
  const found = new Map<string, Run[]>(kinds.map(({ name }) => [name, []]));
  for (let i = 0; i < runs; i++) {
    for (const kind of kinds) found.get(kind.name)?.push(await runOf(kind));
  }
  const rateOf = (name: string) => (found.get(name) ?? []).map(({ perSecond }) => perSecond);
  const nats = rateOf('core NATS');
  const row = (name: string, what: string, bar: string): TableRow => [
    what,
    `${round(median(rateOf(name)))}/s`,
    `${round(median(nats))}/s core NATS, which stores nothing`,
    round(median(rateOf(name).map((rate, k) => rate / (nats[k] ?? Number.NaN))), 2),
    bar,
  ];
  const losses = (found.get('bare zeromq.js PUB/SUB') ?? []).map(({ lost }) => lost);
  return [
    row('ZeroMQ', `POST at node 1 to ZeroMQ at nodes 2 and 3, ${batchRows} a POST`, '≥ 0.8'),
    row('SSE', `POST at node 1 to SSE at nodes 2 and 3, ${batchRows} a POST`, 'recorded'),
    row(
      'bare zeromq.js PUB/SUB',
      `zeromq.js PUB/SUB alone, which lost ${round(median(losses) * 100, 1)} %`,
      'recorded',
    ),
  ];
}

async function runOf({ name, start, isLossy }: Kind): Promise<Run> {
  await using side = await start();
  await flood(side, 0, warmUpRows);
  for (const listener of side.listeners) await listener.forget();
  const pids = [...side.pids, process.pid, ...side.listeners.map(({ pid }) => pid)];
  const cpuBefore = pids.map(cpuSeconds);
  const startMs = nowMs();
  const all = await flood(side, warmUpRows, rowsCount);
  const cpu = pids.map((pid, i) => ((cpuSeconds(pid) - (cpuBefore[i] ?? 0)) / rowsCount) * 1e6);
  const ends = all.map(({ ids, lastMs }) => (ids / (lastMs - startMs)) * 1_000);
  const run = {
    perSecond: Math.min(...ends),
    lost: 1 - all.reduce((sum, { ids }) => sum + ids, 0) / (rowsCount * all.length),
  };
  console.log(
    `  ${name}: ${round(run.perSecond)}/s, lost ${round(run.lost * 100, 2)} %; CPU µs an indicator: servers ` +
      `${list(cpu.slice(0, side.pids.length))}; publisher and subscribers ${list(cpu.slice(side.pids.length))}`,
  );
  for (const { events, ids, indicators } of all) {
    const whole = ids === rowsCount || isLossy;
    if (!whole || events !== ids || indicators !== ids)
      throw new Error(
        `${name}: of ${rowsCount} indicators ${events} events came, ${ids} different ones of ${indicators} indicators`,
      );
  }
  return run;
}

/** As fast as they go in; waits until all have come out.. */
async function flood(side: Side, first: number, count: number) {
  for (let n = first; n < first + count; n += batchRows)
    await side.send(Array.from({ length: batchRows }, (_, i) => rowOf(n + i)));
  return Promise.all(side.listeners.map((listener) => listener.heardAll(count, 5_000)));
}

function list(values: readonly number[]): string {
  return values.map((value) => round(value)).join(' + ');
}
