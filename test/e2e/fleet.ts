import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LineProcess, spawnLines } from '../support/process.ts';

/** As `npm start` and the command's first line have them. */
export const nodeFlags = ['--no-memory-reducer'];
export const main = new URL('../../dist/src/main.js', import.meta.url).pathname;

export type FleetNode = {
  readonly n: number;
  readonly url: string;
  readonly token: string;
  readonly process: LineProcess;
};

export type Fleet = AsyncDisposable & {
  readonly directory: string;
  readonly nodes: readonly FleetNode[];
  /** Starts one more node and waits until it is ready. */
  add(): Promise<FleetNode>;
  /** Runs a `tocsin` command to its end and answers what it printed. */
  run(...args: readonly string[]): Promise<readonly string[]>;
  /** Starts a `tocsin` command. */
  start(...args: readonly string[]): Promise<LineProcess>;
};

/**
 * A fleet of real processes in an empty directory, with beacons of its own, so that fleets of other tests are not met.
 * `settings` are variables of all of its nodes.
 */
export async function startFleet(
  size: number,
  settings: Readonly<Record<string, string>> = {},
): Promise<Fleet> {
  const directory = await mkdtemp(join(tmpdir(), 'tocsin-fleet-'));
  const beaconPort = String(20_000 + Math.floor(Math.random() * 20_000));
  const env = { ...process.env, TOCSIN_BEACON_PORT: beaconPort, ...settings };
  const nodes: FleetNode[] = [];
  const start = (...args: readonly string[]) =>
    spawnLines(process.execPath, [...nodeFlags, main, ...args], { cwd: directory, env });

  async function add(): Promise<FleetNode> {
    const n = nodes.length + 1;
    const running = await start('start');
    // A newcomer fetches all that the fleet holds before it is ready.
    await running.line(/^Ready/, { deadlineMs: 180_000 });
    const file = JSON.parse(await readFile(join(directory, '.tocsin', String(n), 'node.json'), 'utf8'));
    const node = { n, url: file.url, token: file.token, process: running };
    nodes.push(node);
    return node;
  }

  for (let i = 0; i < size; i++) await add();
  return {
    directory,
    nodes,
    add,
    start,
    async run(...args) {
      const command = await start(...args);
      command.endInput();
      const { code } = await command.ended;
      if (code !== 0)
        throw new Error(`tocsin ${args.join(' ')}: exit ${code}: ${command.output('stderr').join('\n')}`);
      return command.output('stdout');
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(nodes.map(({ process: running }) => running.stop()));
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export async function getJson(node: FleetNode, path: string): Promise<Record<string, unknown>> {
  const response = await fetch(node.url + path, { headers: { authorization: `Bearer ${node.token}` } });
  return (await response.json()) as Record<string, unknown>;
}

/** Asks again and again until `wanted` answers something, up to a deadline. */
export async function eventually<T>(
  what: string,
  wanted: () => Promise<T | undefined>,
  deadlineMs = 60_000,
): Promise<T> {
  const endMs = Date.now() + deadlineMs;
  for (;;) {
    const found = await wanted();
    if (found !== undefined) return found;
    if (Date.now() > endMs) throw new Error(`${what}: not within ${deadlineMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
