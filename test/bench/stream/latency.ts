import { programsUsable } from '../../support/requirement.ts';
import { median, round, type Row as TableRow } from '../measure.ts';
import type { Latency } from './listener.ts';
import { rowOf } from './rows.ts';
import { jetStreamSide, ourSide, type Side } from './sides.ts';

const runs = Number(process.env['BENCH_RUNS'] ?? 3);
const perSecond = 2_000;
/** A batch is one POST; of JetStream, as many publishes one after the other. */
const batchRows = Number(process.env['BENCH_BATCH'] ?? 20);
const warmUpMs = 4_000;
const pacedMs = Number(process.env['BENCH_MS'] ?? 8_000);

/** POST at node 1 of three to subscribers at node 2 at a pace, beside a stream of three replicas: one side at a time, in turn. */
export async function benchStreamLatency(): Promise<readonly TableRow[]> {
  if (!programsUsable('nats-server')) return [];
  const [zeromq, sse, nats]: [Latency[], Latency[], Latency[]] = [[], [], []];
  for (let i = 0; i < runs; i++) {
    const [ofZeromq, ofSse] = await runOf('Tocsin, ZeroMQ and SSE', () => ourSide(1, 'zeromq', 'sse'));
    const [ofNats] = await runOf('JetStream R3', jetStreamSide);
    if (ofZeromq) zeromq.push(ofZeromq);
    if (ofSse) sse.push(ofSse);
    if (ofNats) nats.push(ofNats);
  }
  const rowsOf = (way: string, of: readonly Latency[]): readonly TableRow[] =>
    (['p50Ms', 'p99Ms'] as const).map((quantile) => [
      `POST to ${way} at node 2 at ${round(perSecond)}/s, ${batchRows} a POST, ${quantile.slice(0, 3)}`,
      `${round(median(of.map((latency) => latency[quantile])), 1)} ms`,
      `${round(median(nats.map((latency) => latency[quantile])), 1)} ms JetStream R=3`,
      round(median(of.map((latency, i) => latency[quantile] / (nats[i]?.[quantile] ?? Number.NaN))), 2),
      quantile === 'p50Ms' ? '< 5 ms' : '≤ 1.0',
    ]);
  return [...rowsOf('ZeroMQ', zeromq), ...rowsOf('SSE', sse)];
}

async function runOf(name: string, start: () => Promise<Side>): Promise<readonly Latency[]> {
  await using side = await start();
  const warmUpRows = await pace(side, 0, warmUpMs);
  for (const listener of side.listeners) await listener.forget();
  await pace(side, warmUpRows, pacedMs);
  const latencies: Latency[] = [];
  for (const listener of side.listeners) latencies.push(await listener.latency());
  const told = latencies.map(({ p50Ms, p99Ms }) => `p50 ${round(p50Ms, 1)}, p99 ${round(p99Ms, 1)} ms`);
  console.log(`  ${name}: ${told.join('; ')}`);
  return latencies;
}

/** Whatever the answers do: a batch that is due is made, and what it waits counts. Waits until all have come out. */
async function pace(side: Side, first: number, forMs: number): Promise<number> {
  const everyMs = (batchRows / perSecond) * 1_000;
  const sending: Promise<void>[] = [];
  const startMs = performance.now();
  let count = 0;
  for (; count < (forMs / 1_000) * perSecond; count += batchRows) {
    const dueMs = startMs + (count / batchRows) * everyMs;
    await new Promise((resolve) => setTimeout(resolve, dueMs - performance.now()));
    sending.push(side.send(Array.from({ length: batchRows }, (_, i) => rowOf(first + count + i))));
  }
  await Promise.all(sending);
  for (const listener of side.listeners) {
    const { ids } = await listener.heardAll(count, 5_000);
    if (ids !== count) throw new Error(`${ids} of ${count} came`);
  }
  return count;
}
