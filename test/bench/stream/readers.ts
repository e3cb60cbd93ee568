import { fileURLToPath } from 'node:url';
import { type FleetNode, startFleet } from '../../e2e/fleet.ts';
import { spawnLines } from '../../support/process.ts';
import { openHttpPublisher } from '../jetstream/http-publisher.ts';
import { median, round, type Row as TableRow } from '../measure.ts';
import { cpuSeconds, rssMegabytes } from '../proc.ts';
import { confidenceOf, tagOf } from './reader-filters.ts';
import { rowOf } from './rows.ts';

export type ReadersArgument = {
  readonly url: string;
  readonly token: string;
  readonly count: number;
};

export type ReadersHeard = {
  /** Subscriber by subscriber, since the start. */
  readonly counts: readonly number[];
  /** Of the events since the question before. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** What should not have come. */
  readonly problem?: string;
};

const script = fileURLToPath(new URL('./reader-process.ts', import.meta.url));
const readersCount = 500;
const perSecond = 500;
const batchRows = 10;
const underWayMax = 64;
/** More than a node keeps in memory for its readers: that is not the price of one more. */
const rowsBefore = 25_000;
/** Until the heap of a node under this load has its size. */
const alonePhaseMs = Number(process.env['BENCH_MS'] ?? 20_000);
const readersPhaseMs = Number(process.env['BENCH_MS'] ?? 30_000);
/** What is compared: the beginning and the end of the time with readers. */
const windowMs = 5_000;

/** 500 SSE subscribers on one node, no two with the same filter, while 500 indicators come in a second. */
export async function benchStreamReaders(): Promise<readonly TableRow[]> {
  await using fleet = await startFleet(1);
  const [node] = fleet.nodes;
  if (node === undefined) throw new Error('no node');
  await using _ = await startReaders(node, 1);
  await using writing = write(node);
  const rssBefore = await rssOver(node, alonePhaseMs);
  const beganMs = performance.now();
  const cpuBefore = cpuSeconds(node.process.pid);
  await using readers = await startReaders(node, readersCount);
  const first = writing.count();
  await readers.heard();
  await pause(windowMs);
  const atFirst = await readers.heard();
  const rss = await rssOver(node, readersPhaseMs - 2 * windowMs);
  await readers.heard();
  await pause(windowMs);
  const atLast = await readers.heard();
  const cpu = (cpuSeconds(node.process.pid) - cpuBefore) / ((performance.now() - beganMs) / 1_000);
  const last = writing.count();
  await writing[Symbol.asyncDispose]();
  await pause(1_000);
  const { counts, problem } = await readers.heard();
  if (problem !== undefined) throw new Error(problem);
  for (const [reader, count] of counts.entries()) {
    const expected = matching(reader, first, last);
    // A subscriber that came while rows were under way may have had some of those before.
    if (count < expected) throw new Error(`reader ${reader} heard ${count} of ${expected}`);
  }
  const perReader = ((rss - rssBefore) * 1_024) / readersCount;
  console.log(
    `  RSS ${round(rssBefore)} MB with one, ${round(rss)} MB with all; ${round(cpu * 100)} % of a core; ${counts.reduce((a, b) => a + b, 0)} events`,
  );
  const lag = ({ p50Ms, p99Ms }: ReadersHeard) => `p50 ${round(p50Ms, 1)} ms, p99 ${round(p99Ms, 1)} ms`;
  return [
    [
      `RSS for each of ${readersCount} SSE subscribers at ${perSecond}/s`,
      `${round(perReader)} KiB`,
      '–',
      '–',
      '< 100 KB',
    ],
    [
      `their lag from the POST, in the last ${windowMs / 1_000} s of ${readersPhaseMs / 1_000}`,
      lag(atLast),
      `${lag(atFirst)} in the first`,
      round(atLast.p50Ms / atFirst.p50Ms, 2),
      'no growth',
    ],
  ];
}

/** How many of the rows from `first` to before `last` a reader is to hear. */
function matching(reader: number, first: number, last: number): number {
  let count = 0;
  for (let n = first; n < last; n++)
    if (tagOf(n) === tagOf(reader) && confidenceOf(n) >= confidenceOf(reader)) count++;
  return count;
}

/** Writes at the pace until disposed, which waits for the answers. */
function write(node: FleetNode): AsyncDisposable & { count(): number } {
  const publisher = openHttpPublisher([node], 'local');
  const sending = new Set<Promise<void>>();
  let count = 0;
  const startMs = performance.now();
  const ticker = setInterval(() => {
    while (count < rowsBefore + ((performance.now() - startMs) / 1_000) * perSecond) {
      if (sending.size >= underWayMax) return;
      const rows = Array.from({ length: batchRows }, (_, i) => {
        const n = count + i;
        return rowOf(n, { tags: [`tag-${tagOf(n)}`], confidence: confidenceOf(n) });
      });
      count += batchRows;
      const sent: Promise<void> = new Promise<void>((resolve) => {
        publisher.publish(Buffer.from(JSON.stringify(rows)), () => resolve());
      }).then(() => void sending.delete(sent));
      sending.add(sent);
    }
  }, 1);
  return {
    count: () => count,
    async [Symbol.asyncDispose]() {
      clearInterval(ticker);
      await Promise.all(sending);
      await publisher[Symbol.asyncDispose]();
    },
  };
}

type Readers = AsyncDisposable & { heard(): Promise<ReadersHeard> };

async function startReaders({ url, token }: FleetNode, count: number): Promise<Readers> {
  const running = await spawnLines(process.execPath, [
    '--import',
    import.meta.resolve('tsx'),
    '--conditions=tocsin-source',
    script,
    JSON.stringify({ url, token, count } satisfies ReadersArgument),
  ]);
  await running.line(/^ready/, { deadlineMs: 60_000 });
  return {
    async heard() {
      running.write('heard');
      return JSON.parse((await running.line(/^heard /)).slice('heard '.length)) as ReadersHeard;
    },
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

/** The median of the last quarter of so long. */
async function rssOver(node: FleetNode, forMs: number): Promise<number> {
  await pause(forMs * 0.75);
  const found: number[] = [];
  for (let i = 0; i < 20; i++) {
    await pause((forMs * 0.25) / 20);
    found.push(rssMegabytes(node.process.pid));
  }
  return median(found);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
