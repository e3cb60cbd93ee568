import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Where the nodes of a run live. Nodes count from 1. */
export type Hosts = {
  readonly what: string;
  /** Whether nodes can be cut off from one another. */
  readonly canCut: boolean;
  url(n: number): string;
  /** The environment of node `n`. */
  settings(n: number): Readonly<Record<string, string>>;
  /** The command line that runs `command` where node `n` lives; its process is `command` itself. */
  commandOn(n: number, command: readonly string[]): readonly string[];
  /** Cuts each group off from all other nodes, in place of any cut before; the harness still sees everybody. */
  cut(groups: readonly (readonly number[])[]): Promise<void>;
};

const netlab = join(import.meta.dirname, '../support/netlab.sh');
const run = promisify(execFile);
const labHttpPort = 8480;

/** Hosts of the lab that this process was started in: 1 to `nodes` are theirs, one more is ours. See main.ts. */
export function labHosts(nodes: number): Hosts {
  const all = Array.from({ length: nodes }, (_, i) => i + 1);
  const address = (n: number): string => `10.77.0.${n}`;
  return {
    what: 'a network namespace for each',
    canCut: true,
    url: (n) => `http://${address(n)}:${labHttpPort}`,
    settings: (n) => ({
      TOCSIN_HTTP_HOST: address(n),
      TOCSIN_HTTP_PORT: String(labHttpPort),
      TOCSIN_MESH_HOST: address(n),
      TOCSIN_INSECURE_MESH: 'true',
    }),
    commandOn: (n, command) => [netlab, 'exec', String(n), ...command],
    async cut(groups) {
      if (groups.length === 0) return void (await run(netlab, ['heal']));
      const away = new Set(groups.flat());
      const rest = all.filter((n) => !away.has(n));
      await run(netlab, ['partition', ...[...groups, rest].map((group) => group.join(','))]);
    },
  };
}

/** All nodes on 127.0.0.1, with fixed ports, so that a node is found where it was when it comes back. */
export async function loopbackHosts(nodes: number): Promise<Hosts> {
  const ports: number[] = [];
  for (let i = 0; i < nodes * 2; i++) ports.push(await freePort(new Set(ports)));
  const beaconPort = await freePort(new Set(ports));
  return {
    what: 'all on loopback; nobody is cut off, as that takes network namespaces',
    canCut: false,
    url: (n) => `http://127.0.0.1:${ports[n * 2 - 2]}`,
    settings: (n) => ({
      TOCSIN_HTTP_PORT: String(ports[n * 2 - 2]),
      TOCSIN_STREAM_PORT: String(ports[n * 2 - 1]),
      // Of its own, so that fleets of other tests are not met.
      TOCSIN_BEACON_PORT: String(beaconPort),
    }),
    commandOn: (_, command) => command,
    cut: () => Promise.resolve(),
  };
}

/** Below the ports that Linux gives to outgoing connections (from 32768), which could take one while its node is down. */
async function freePort(taken: ReadonlySet<number>): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (taken.has(port)) continue;
    const server = createServer();
    try {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      return port;
    } catch {
      // In use; another one.
    } finally {
      server.close();
    }
  }
}
