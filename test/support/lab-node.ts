import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lab } from './netlab.ts';
import type { LineProcess } from './process.ts';

const main = join(import.meta.dirname, '../../dist/src/main.js');
const askEveryMs = 250;

/** A node of the built product on a host of a lab. */
export type LabNode = {
  readonly host: number;
  readonly process: LineProcess;
  /** What GET /mesh/peers says. */
  peers(): Promise<readonly LabPeer[]>;
  /** What GET /mesh has counted. */
  counters(): Promise<Readonly<Record<string, number>>>;
};

export type LabPeer = {
  readonly name: string;
  readonly endpoint: string;
  readonly ready: boolean;
  readonly found_by: readonly string[];
};

/** Starts a node whose mesh is in clear, and waits until it says that it is up. */
export async function startLabNode(
  lab: Lab,
  host: number,
  dataDirectory: string,
  flags: readonly string[],
): Promise<LabNode> {
  const args = [
    main,
    'start',
    '--data-dir',
    dataDirectory,
    '--name',
    `host-${host}`,
    '--insecure-mesh',
    ...flags,
  ];
  const node = await lab.spawn(host, process.execPath, args);
  await node.line(/ is up\.$/, { deadlineMs: 30_000 });
  return {
    host,
    process: node,
    peers: () => get('/mesh/peers'),
    counters: async () => (await get('/mesh')).counters,
  };

  /** From the host itself, where the node's HTTP is. */
  async function get(path: string) {
    const { url, token } = JSON.parse(await readFile(join(dataDirectory, 'node.json'), 'utf8'));
    const header = `Authorization: Bearer ${token}`;
    await using curl = await lab.spawn(host, 'curl', ['-s', '-m', '5', '-H', header, `${url}${path}`]);
    await curl.ended;
    return JSON.parse(curl.output('stdout').join(''));
  }
}

/** Resolves once each node has each other one as a peer that answers; rejects with what they see at the deadline. */
export async function fullMesh(nodes: readonly LabNode[], deadlineMs: number): Promise<void> {
  const untilMs = performance.now() + deadlineMs;
  for (;;) {
    const seen = await Promise.all(
      nodes.map(async ({ peers }) => (await peers()).filter(({ ready }) => ready).map(({ name }) => name)),
    );
    if (seen.every((names) => new Set(names).size === nodes.length - 1)) return;
    if (performance.now() > untilMs) {
      const lines = nodes.map(({ host }, i) => `host ${host} sees ${seen[i]?.join(', ') || 'nobody'}`);
      throw new Error(`no full mesh after ${deadlineMs} ms: ${lines.join('; ')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, askEveryMs));
  }
}
