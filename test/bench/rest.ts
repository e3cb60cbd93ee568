import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFleet } from '../e2e/fleet.ts';
import { median, type Row, round } from './measure.ts';
import { cpuSeconds, rssMegabytes } from './proc.ts';

const peers = 5;
const restMs = 20_000;
const starts = 5;
const root = join(import.meta.dirname, '../..');

/** A node that nobody asks anything of, with five peers; and the time from `npm start` to ready. */
export async function benchRest(): Promise<readonly Row[]> {
  const startsMs: number[] = [];
  for (let i = 0; i < starts; i++) startsMs.push(await startToReady());
  await using fleet = await startFleet(peers + 1);
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  const pids = fleet.nodes.map(({ process: running }) => running.pid);
  const before = pids.map(cpuSeconds);
  await new Promise((resolve) => setTimeout(resolve, restMs));
  const cpu = pids.map((pid, i) => ((cpuSeconds(pid) - (before[i] ?? 0)) / (restMs / 1_000)) * 100);
  return [
    ['`npm start` to ready', `${round(median(startsMs))} ms`, '–', '–', '< 1,500 ms'],
    [`RSS at rest, ${peers} peers`, `${round(median(pids.map(rssMegabytes)))} MB`, '–', '–', '< 120 MB'],
    [`CPU at rest, ${peers} peers`, `${round(median(cpu), 2)} % of a core`, '–', '–', '< 1 %'],
  ];
}

async function startToReady(): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'tocsin-bench-'));
  const startMs = performance.now();
  const child = spawn('npm', ['start'], {
    cwd: root,
    env: {
      ...process.env,
      TOCSIN_DATA_DIR: join(directory, 'data'),
      TOCSIN_BEACON_PORT: String(20_000 + (process.pid % 20_000)),
    },
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  let printed = '';
  await new Promise<void>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
      if (/^Ready/m.test(printed)) resolve();
    });
  });
  const tookMs = performance.now() - startMs;
  const ended = new Promise((resolve) => child.on('close', resolve));
  if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
  await ended;
  await rm(directory, { recursive: true, force: true });
  return tookMs;
}
