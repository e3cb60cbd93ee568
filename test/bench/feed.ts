import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FleetNode } from '../e2e/fleet.ts';
import { spawnLines } from '../support/process.ts';
import { requirementMet } from '../support/requirement.ts';
import { cachedCorpus, corpusLack } from './corpus-cache.ts';
import { startOverCopy } from './corpus-node.ts';
import { median, type Row, round } from './measure.ts';
import { mappedMegabytes, peakRssMegabytes, rssMegabytes } from './proc.ts';

const starts = 3;
const runs = 5;
const changedRecords = 1_000;
/** As much as one answer may hold. */
const path = '/indicators?limit=100000';
/** A node that has just started still puts in order what it found. */
const settleMs = 3_000;
const memoryServer = fileURLToPath(new URL('./memory-server.ts', import.meta.url));

type Got = {
  readonly status: number;
  readonly etag: string | undefined;
  readonly type: string;
  readonly body: Buffer;
  readonly firstByteMs: number;
  readonly wholeMs: number;
};

/** A feed of 100,000 rows out of a million records: after a start, after a few changes, after none; beside its bytes from memory. */
export async function benchFeed(): Promise<readonly Row[]> {
  if (!requirementMet(corpusLack())) return [];
  const { dataDirectory } = await cachedCorpus();
  await using running = await startOverCopy(dataDirectory);
  const first: Got[] = [];
  for (let start = 0; start < starts; start++) {
    if (start > 0) await running.restart();
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    first.push(await getFeed(running.node));
  }
  const rss = rssMegabytes(running.node.process.pid);
  const mapped = mappedMegabytes(running.node.process.pid);
  const unchanged = await repeated(() => getFeed(running.node));
  const etag = unchanged.at(-1)?.etag;
  const asked = await repeated(() => getFeed(running.node, etag));
  const changed: Got[] = [];
  for (let run = 0; run < runs; run++) {
    await change(running.node, run);
    changed.push(await getFeed(running.node));
  }
  const memory = await fromMemory(unchanged.at(-1));

  const rows = rowsIn(unchanged.at(-1));
  const whole = (got: readonly Got[]) => median(got.map(({ wholeMs }) => wholeMs));
  const firstByte = (got: readonly Got[]) => median(got.map(({ firstByteMs }) => firstByteMs));
  const megabytes = (unchanged.at(-1)?.body.length ?? 0) / 1e6;
  return [
    row(
      `feed of ${round(rows)} rows, the first after a start, whole`,
      `${round(whole(first))} ms`,
      '< 3,000 ms',
    ),
    row('the same, to the first byte', `${round(firstByte(first))} ms`, 'recorded'),
    row(
      `feed after ${round(changedRecords)} changes, to the first byte`,
      `${round(firstByte(changed))} ms`,
      '< 300 ms',
    ),
    row('feed after no change, to the first byte', `${round(firstByte(unchanged), 1)} ms`, '< 20 ms'),
    row(
      `feed after no change, asked by ETag (${[...new Set(asked.map(({ status }) => status))].join(', ')})`,
      `${round(whole(asked), 1)} ms`,
      '< 20 ms',
    ),
    [
      `feed after no change, whole (${round(megabytes, 1)} MB)`,
      `${round(whole(unchanged))} ms`,
      `${round(whole(memory))} ms the same bytes from memory`,
      round(whole(unchanged) / whole(memory), 2),
      '< 2.5',
    ],
    row('RSS after the first feed', `${round(rss)} MB, ${round(mapped)} of it mapped files`, '< 300 MB'),
    row(
      'RSS in the end, and the most there ever was',
      `${round(rssMegabytes(running.node.process.pid))} MB, ${round(peakRssMegabytes(running.node.process.pid))} MB`,
      'recorded',
    ),
  ];
}

function row(what: string, measured: string, bar: string): Row {
  return [what, measured, '–', '–', bar];
}

async function repeated(once: () => Promise<Got>): Promise<readonly Got[]> {
  const got: Got[] = [];
  for (let run = 0; run < runs; run++) got.push(await once());
  return got;
}

function getFeed({ url, token }: FleetNode, etag?: string): Promise<Got> {
  return fetched(url + path, {
    authorization: `Bearer ${token}`,
    ...(etag !== undefined && { 'if-none-match': etag }),
  });
}

function fetched(url: string, headers: Readonly<Record<string, string>>): Promise<Got> {
  const startMs = performance.now();
  return new Promise((resolve, reject) => {
    get(url, { headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      let firstByteMs: number | undefined;
      response.on('data', (chunk: Buffer) => {
        firstByteMs ??= performance.now() - startMs;
        chunks.push(chunk);
      });
      response.once('error', reject);
      response.once('end', () => {
        const wholeMs = performance.now() - startMs;
        const status = response.statusCode ?? 0;
        if (status !== 200 && status !== 304) reject(new Error(`the feed answers ${status}`));
        resolve({
          status,
          etag: response.headers.etag,
          type: response.headers['content-type'] ?? '',
          body: Buffer.concat(chunks),
          firstByteMs: firstByteMs ?? wholeMs,
          wholeMs,
        });
      });
    }).once('error', reject);
  });
}

/** Half new records that enter the feed, half of the values of the change before said again. */
async function change({ url, token }: FleetNode, run: number): Promise<void> {
  const half = changedRecords / 2;
  const names = [run, run + 1].flatMap((n) =>
    Array.from({ length: half }, (_, i) => `n${i}.change${n}.example.com`),
  );
  const response = await fetch(`${url}/indicators?confidence=9&tags=bench&ack=local`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'text/plain' },
    body: names.join('\n'),
  });
  if (response.status !== 201) throw new Error(`POST answers ${response.status}: ${await response.text()}`);
  await response.arrayBuffer();
}

function rowsIn(got: Got | undefined): number {
  const { meta } = JSON.parse(String(got?.body)) as { meta: { count: number } };
  return meta.count;
}

/** The same bytes out of the memory of another process, through the same HTTP server. */
async function fromMemory(got: Got | undefined): Promise<readonly Got[]> {
  if (got === undefined) throw new Error('no feed');
  const directory = await mkdtemp(join(tmpdir(), 'tocsin-bench-'));
  const file = join(directory, 'feed');
  await writeFile(file, got.body);
  const flags = ['--import', import.meta.resolve('tsx'), '--conditions=tocsin-source'];
  await using server = await spawnLines(process.execPath, [...flags, memoryServer, file, got.type]);
  const [, url = ''] = (await server.line(/^ready/, { deadlineMs: 30_000 })).split(' ');
  // The first request finds code that is not compiled yet.
  await fetched(url, {});
  const answers = await repeated(() => fetched(url, {}));
  await rm(directory, { recursive: true });
  return answers;
}
