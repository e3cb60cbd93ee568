import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

import { atExit } from './at-exit.ts';

export type OutputStream = 'stdout' | 'stderr';

/** How a process ended: one of the two is null. */
export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export type SpawnOptions = {
  readonly cwd?: string;
  /** Set beside this process's own environment; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
};

export type WaitOptions = {
  readonly from?: OutputStream;
  /** 10 seconds unless stated. */
  readonly deadlineMs?: number;
};

export type LineProcess = AsyncDisposable & {
  readonly pid: number;
  /** Settles when the process has ended and its output is read to the end; never rejects. */
  readonly ended: Promise<Exit>;
  /** All whole lines so far. */
  output(from: OutputStream): readonly string[];
  /** The first line, past or to come, that matches and that no earlier wait was given. */
  line(match: RegExp, options?: WaitOptions): Promise<string>;
  /** The first `count` such lines. Rejects with the output so far at the deadline, or once the process has ended. */
  lines(count: number, match: RegExp, options?: WaitOptions): Promise<readonly string[]>;
  write(line: string): void;
  /** Ends its stdin. */
  endInput(): void;
  /** Sends the signal (SIGTERM unless stated) to the process and all it has started, and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<Exit>;
};

type Line = { readonly from: OutputStream; readonly text: string; taken: boolean };

const deadlineMsDefault = 10_000;
/** A process that has not ended this long after a signal is killed. */
const stopGraceMs = 5_000;
/** An error shows this many of the last lines. */
const linesShownMax = 100;

/**
 * Starts a process whose output is read line by line, both streams in the order they arrive. Rejects when it
 * cannot be started. Disposing it kills it, with all it has started, and waits for the end.
 */
export async function spawnLines(
  command: string,
  args: readonly string[],
  options: SpawnOptions = {},
): Promise<LineProcess> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: 'pipe',
    // A process group of its own, so that a signal also reaches what npm or a shell has started.
    detached: true,
  });
  const title = [command, ...args].join(' ');
  const printed: Line[] = [];
  const waiters = new Set<() => void>();
  let exit: Exit | undefined;

  function wake(): void {
    for (const check of waiters) check();
  }
  function read(stream: Readable, from: OutputStream): void {
    createInterface({ input: stream }).on('line', (text) => {
      printed.push({ from, text, taken: false });
      wake();
    });
  }
  read(child.stdout, 'stdout');
  read(child.stderr, 'stderr');
  // Writing to a process that has ended is not worth an error of its own: the next wait tells of the end.
  child.stdin.on('error', () => undefined);

  await once(child, 'spawn');
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${title} has started without a pid`);
  const forget = atExit(() => signalGroup(pid, 'SIGKILL'));
  const ended = new Promise<Exit>((resolve) => {
    child.once('close', (code, signal) => {
      forget();
      exit = { code, signal };
      wake();
      resolve(exit);
    });
  });

  function failure(why: string): Error {
    const shown = printed
      .slice(-linesShownMax)
      .map(({ from, text }) => `${from === 'stdout' ? '  ' : '! '}${text}`);
    return new Error([`${title}: ${why}; output so far (stderr marked !):`, ...shown].join('\n'));
  }

  function lines(count: number, match: RegExp, wait: WaitOptions = {}): Promise<readonly string[]> {
    const { from, deadlineMs = deadlineMsDefault } = wait;
    const found: Line[] = [];
    let next = 0;
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(() => {
        finish();
        reject(failure(`${found.length} of ${count} lines like ${match} after ${deadlineMs} ms`));
      }, deadlineMs);
      function finish(): void {
        clearTimeout(deadline);
        waiters.delete(check);
      }
      function check(): void {
        for (; next < printed.length && found.length < count; next += 1) {
          const line = printed[next];
          if (line === undefined || line.taken || (from !== undefined && line.from !== from)) continue;
          if (line.text.search(match) < 0) continue;
          line.taken = true;
          found.push(line);
        }
        if (found.length >= count) {
          finish();
          resolve(found.map(({ text }) => text));
        } else if (exit !== undefined) {
          finish();
          reject(
            failure(
              `ended with ${exit.signal ?? exit.code} after ${found.length} of ${count} lines like ${match}`,
            ),
          );
        }
      }
      waiters.add(check);
      check();
    });
  }

  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit> => {
    if (exit !== undefined) return exit;
    signalGroup(pid, signal);
    const impatience = setTimeout(() => signalGroup(pid, 'SIGKILL'), stopGraceMs);
    const end = await ended;
    clearTimeout(impatience);
    return end;
  };

  return {
    pid,
    ended,
    output: (from) => printed.filter((line) => line.from === from).map(({ text }) => text),
    line: async (match, wait) => (await lines(1, match, wait))[0] ?? '',
    lines,
    write: (line) => child.stdin.write(`${line}\n`),
    endInput: () => child.stdin.end(),
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop('SIGKILL');
    },
  };
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  // It could not even be started.
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // It has ended meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
