import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, type FleetNode, main, nodeFlags } from '../e2e/fleet.ts';
import { spawnLines } from '../support/process.ts';

export type CorpusNode = AsyncDisposable & {
  readonly node: FleetNode;
  /** Stops it and starts it again over what it has. */
  restart(): Promise<void>;
};

/** A node as `npm start` has it, alone, over a copy of a data directory; resolves when it is ready. */
export async function startOverCopy(dataDirectory: string): Promise<CorpusNode> {
  const directory = await mkdtemp(join(tmpdir(), 'tocsin-bench-'));
  const copy = join(directory, 'data');
  await cp(dataDirectory, copy, { recursive: true });
  const env = { TOCSIN_DATA_DIR: copy, TOCSIN_BEACON_PORT: String(20_000 + (process.pid % 20_000)) };
  async function start(): Promise<FleetNode> {
    const running = await spawnLines(process.execPath, [...nodeFlags, main, 'start'], { env });
    await running.line(/^Ready/, { deadlineMs: 180_000 });
    const file = await eventually('node.json', () => readFile(join(copy, 'node.json'), 'utf8'));
    const { url, token } = JSON.parse(file) as { url: string; token: string };
    return { n: 1, url, token, process: running };
  }
  let node = await start();
  return {
    get node() {
      return node;
    },
    async restart() {
      await node.process.stop();
      node = await start();
    },
    async [Symbol.asyncDispose]() {
      await node.process.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
