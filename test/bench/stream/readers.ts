import { fileURLToPath } from 'node:url';
import { type Fleet, type FleetNode, startFleet } from '../../e2e/fleet.ts';
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
const batchRowsBefore = 500;
const underWayMax = 64;
/**
 * What a node keeps for its readers, and what its heap grows to before the first large collection while that is replaced, is
 * not the price of one more reader.
 */
const rowsBefore = 100_000;
/** Until the heap of a node under this load has its size. */
const alonePhaseMs = Number(process.env['BENCH_MS'] ?? 20_000);
const readersPhaseMs = Number(process.env['BENCH_MS'] ?? 30_000);
/** What is compared: the beginning and the end of the time with readers. */
const windowMs = 5_000;

/** 500 SSE subscribers on one node, no two with the same filter, while 500 indicators come in a second. */
export async function benchStreamReaders(): Promise<readonly TableRow[]> {
  await using fleet = await startProbedFleet();
  const [node] = fleet.nodes;
  if (node === undefined) throw new Error('no node');
  // What is rendered for one is rendered for all.
  await using _ = await startReaders(node, 1);
  await using writing = write(node);
  await writing.reached(rowsBefore);
  const rssBefore = await rssOver(node, alonePhaseMs);
  const liveBefore = await liveBytes(node);
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
  const live = await liveBytes(node);
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
  const rssPerReader = ((rss - rssBefore) * 1_024) / readersCount;
  const livePerReader = (live - liveBefore) / 1_024 / readersCount;
  console.log(
    `  RSS ${round(rssBefore)} MB with one, ${round(rss)} MB with all; ${round(cpu * 100)} % of a core; ${counts.reduce((a, b) => a + b, 0)} events`,
  );
  const lag = ({ p50Ms, p99Ms }: ReadersHeard) => `p50 ${round(p50Ms, 1)} ms, p99 ${round(p99Ms, 1)} ms`;
  return [
    [
      `RSS for each of ${readersCount} SSE subscribers at ${perSecond}/s`,
      `${round(rssPerReader)} KiB`,
      '–',
      '–',
      '< 100 KB',
    ],
    [`live heap for each of them, after a collection`, `${round(livePerReader)} KiB`, '–', '–', '< 100 KB'],
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
function write(node: FleetNode): AsyncDisposable & { count(): number; reached(rows: number): Promise<void> } {
  const publisher = openHttpPublisher([node], 'local');
  const sending = new Set<Promise<void>>();
  let count = 0;
  let startMs = performance.now();
  function sinceMs(): number {
    // The pace begins when what comes before it is written.
    if (count < rowsBefore) startMs = performance.now();
    return performance.now() - startMs;
  }
  const ticker = setInterval(() => {
    while (count < rowsBefore + (sinceMs() / 1_000) * perSecond) {
      if (sending.size >= underWayMax) return;
      const size = count < rowsBefore ? batchRowsBefore : batchRows;
      const rows = Array.from({ length: size }, (_, i) => {
        const n = count + i;
        return rowOf(n, { tags: [`tag-${tagOf(n)}`], confidence: confidenceOf(n) });
      });
      count += size;
      const sent: Promise<void> = new Promise<void>((resolve) => {
        publisher.publish(Buffer.from(JSON.stringify(rows)), () => resolve());
      }).then(() => void sending.delete(sent));
      sending.add(sent);
    }
  }, 1);
  return {
    count: () => count,
    async reached(rows) {
      while (count < rows) await pause(100);
    },
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

async function startProbedFleet(): Promise<Fleet> {
  const before = process.env['NODE_OPTIONS'];
  process.env['NODE_OPTIONS'] = `${before ?? ''} --import ${import.meta.resolve('./heap-probe.mjs')}`;
  try {
    return await startFleet(1);
  } finally {
    if (before === undefined) delete process.env['NODE_OPTIONS'];
    else process.env['NODE_OPTIONS'] = before;
  }
}

async function liveBytes({ process: running }: FleetNode): Promise<number> {
  process.kill(running.pid, 'SIGUSR2');
  return Number((await running.line(/^live /)).slice('live '.length));
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
