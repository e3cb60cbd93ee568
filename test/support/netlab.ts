import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { atExit } from './at-exit.ts';
import type { LineProcess, SpawnOptions } from './process.ts';
import { spawnLines } from './process.ts';
import { requirementMet } from './requirement.ts';

/** A LAN of hosts, each a Linux network namespace. Disposing it kills what still runs there and removes it. */
export type Lab = AsyncDisposable & {
  /** The IPv4 address of a host; hosts count from 1. */
  address(host: number): string;
  /** Starts a process on a host; see spawnLines. */
  spawn(host: number, command: string, args: readonly string[], options?: SpawnOptions): Promise<LineProcess>;
  /** Cuts groups of hosts off from one another, in place of any partition before; hosts not named see everybody. */
  partition(...groups: readonly (readonly number[])[]): Promise<void>;
  heal(): Promise<void>;
  /** Drops so many of a hundred frames, at random; 0 ends it. */
  lose(percent: number): Promise<void>;
  /** Joins two hosts by a network of their own, as 10.78.0.<host> on the interface eth1 of each. */
  addCable(hosts: readonly [number, number]): Promise<void>;
  /** Makes it the name server of all hosts, for processes that start from then on. */
  setNameServer(address: string): Promise<void>;
  /** Takes the interface of a host down, or up again. */
  setLink(host: number, state: 'down' | 'up'): Promise<void>;
};

const script = join(import.meta.dirname, 'netlab.sh');
const run = promisify(execFile);
let labsStarted = 0;

/** Whether this machine can have labs, found out by having one. If not, prints why, or throws in CI. */
export function labsUsable(): boolean {
  const env = nextLabEnv();
  const up = spawnSync(script, ['up', '1'], { env, encoding: 'utf8' });
  spawnSync(script, ['down'], { env });
  const usable = up.status === 0;
  const cause = up.error?.message ?? up.stderr.trim();
  return requirementMet(usable ? undefined : `network namespaces need root, ip and nft on Linux: ${cause}`);
}

/** Starts a lab, beside any others. Rejects where labsUsable() is false. */
export async function startLab({ hosts }: { readonly hosts: number }): Promise<Lab> {
  const env = nextLabEnv();
  const forget = atExit(() => spawnSync(script, ['down'], { env }));
  const netlab = async (...args: readonly string[]): Promise<void> => {
    await run(script, args, { env });
  };
  const down = async (): Promise<void> => {
    await netlab('down');
    forget();
  };

  try {
    await netlab('up', String(hosts));
  } catch (error) {
    await down();
    throw error;
  }
  return {
    address: (host) => `10.77.0.${host}`,
    spawn: (host, command, args, options) =>
      spawnLines(script, ['exec', String(host), command, ...args], {
        ...options,
        env: { ...options?.env, NETLAB: env.NETLAB },
      }),
    partition: (...groups) => netlab('partition', ...groups.map((group) => group.join(','))),
    heal: () => netlab('heal'),
    lose: (percent) => netlab('loss', String(percent)),
    addCable: (hosts) => netlab('cable', ...hosts.map(String)),
    setNameServer: (address) => netlab('nameserver', address),
    setLink: (host, state) => netlab('link', String(host), state),
    [Symbol.asyncDispose]: down,
  };
}

/** The pid keeps the labs of test files that run at the same time apart. */
function nextLabEnv(): NodeJS.ProcessEnv & { readonly NETLAB: string } {
  labsStarted += 1;
  return { ...process.env, NETLAB: `tocsin-${process.pid}-${labsStarted}` };
}
