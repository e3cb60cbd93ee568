import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { atExit } from '../support/at-exit.ts';
import type { Hosts } from './hosts.ts';
import type { Journal } from './journal.ts';
import { fleetTokens } from './node-client.ts';

/** As `npm start` and the command's first line have them. */
const nodeFlags = ['--no-memory-reducer'];
const main = new URL('../../dist/src/main.js', import.meta.url).pathname;
/** A drain is bounded; a node that is still there so long after SIGTERM hangs. */
const terminatesWithinMs = 30_000;
const restartAfterCrashMs = 1_000;
const logLinesShown = 8;
/** A process that young may not have come to its handlers yet, and then ends as any process does. */
const youngMs = 3_000;

/** One node: a process, and a directory that outlives it. */
export type FleetNode = {
  readonly n: number;
  readonly url: string;
  start(): void;
  /** Ends the process and waits for that. SIGTERM must end it in good order; a node that does not is a problem. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  /** The disk is lost. Only of a node that is down. */
  wipe(): Promise<void>;
  suspend(): void;
  resume(): void;
};

export type Fleet = AsyncDisposable & { readonly nodes: readonly FleetNode[] };

export type FleetOptions = {
  readonly nodes: number;
  readonly hosts: Hosts;
  /** Must exist; holds `node-<n>` and `node-<n>.log`. */
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  readonly journal: Journal;
};

export function createFleet(options: FleetOptions): Fleet {
  const nodes = Array.from({ length: options.nodes }, (_, i) => createNode(i + 1, options));
  return {
    nodes,
    async [Symbol.asyncDispose]() {
      await Promise.all(nodes.map((node) => node.end('SIGKILL')));
    },
  };
}

function createNode(n: number, { hosts, directory, env, journal }: FleetOptions): FleetNode {
  const data = join(directory, `node-${n}`);
  const logFile = `${data}.log`;
  let child: ChildProcess | undefined;
  let endAsked = false;
  let startedMs = 0;
  let restart: NodeJS.Timeout | undefined;

  function start(): void {
    clearTimeout(restart);
    mkdirSync(data, { recursive: true });
    const [command = '', ...args] = hosts.commandOn(n, [process.execPath, ...nodeFlags, main, 'start']);
    // A file and no pipe: nobody reads along, and it stays as evidence. What a node says to people is left out.
    const log = openSync(logFile, 'a');
    const started = spawn(command, args, {
      cwd: directory,
      env: {
        ...withoutOurs(process.env),
        TOCSIN_LOG_LEVEL: 'warn',
        ...env,
        ...hosts.settings(n),
        TOCSIN_DATA_DIR: data,
        TOCSIN_TOKENS: fleetTokens,
      },
      stdio: ['ignore', 'ignore', log],
      // Of a group of its own: ctrl-C in the terminal is for the harness.
      detached: true,
    });
    closeSync(log);
    const forget = atExit(() => started.kill('SIGKILL'));
    started.once('exit', (code, signal) => {
      forget();
      child = undefined;
      if (!endAsked) crashed(`${signal ?? `code ${code}`}`);
    });
    endAsked = false;
    startedMs = performance.now();
    child = started;
  }

  function crashed(how: string): void {
    void logEnd().then((lines) =>
      journal.problem('crash', `node ${n} ended by itself (${how}); the end of its log:\n${lines}`),
    );
    restart = setTimeout(start, restartAfterCrashMs);
  }

  async function logEnd(): Promise<string> {
    const lines = (await readFile(logFile, 'utf8')).trimEnd().split('\n').slice(-logLinesShown);
    return lines.map((line) => `node ${n} | ${line}`).join('\n');
  }

  return {
    n,
    url: hosts.url(n),
    start,
    async end(signal) {
      clearTimeout(restart);
      endAsked = true;
      const running = child;
      if (running === undefined) return;
      const exited = once(running, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
      running.kill(signal);
      const startMs = performance.now();
      let hangs = false;
      const impatience = setTimeout(() => {
        hangs = true;
        running.kill('SIGKILL');
      }, terminatesWithinMs);
      const [code, by] = await exited;
      clearTimeout(impatience);
      if (signal === 'SIGKILL') return;
      const tookS = ((performance.now() - startMs) / 1_000).toFixed(1);
      if (hangs) journal.problem('hang', `node ${n} was still there ${tookS} s after SIGTERM`);
      else if (code !== 0 && !(by === 'SIGTERM' && startMs - startedMs < youngMs)) {
        const how = by ?? `code ${code}`;
        const sentence = `node ${n} ended with ${how} ${tookS} s after SIGTERM, not with 0; the end of its log:`;
        journal.problem('exit', `${sentence}\n${await logEnd()}`);
      } else if (performance.now() - startMs > 1_000) journal.say(`node ${n}  took ${tookS} s to end`);
    },
    wipe: () => rm(data, { recursive: true, force: true }),
    suspend: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
  };
}

/** What the shell of whoever runs this sets for its own node is not for these. */
function withoutOurs(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('TOCSIN_')));
}
