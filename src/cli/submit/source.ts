import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';

import { CliError, exitCodes } from '../exit.ts';
import type { Io } from '../io.ts';

/** The bytes of a file or of standard input; disposing closes it. */
export type Source = AsyncDisposable & {
  readonly stream: Readable;
  /** Undefined when nobody knows it: standard input, a pipe. */
  readonly sizeBytes: number | undefined;
};

/** @param file a path, or `-` for standard input. Throws a CliError when it cannot be read. */
export async function openSource(file: string, io: Io): Promise<Source> {
  if (file === '-') {
    return {
      stream: io.stdin,
      sizeBytes: undefined,
      async [Symbol.asyncDispose]() {
        // An open standard input would keep the process alive.
        io.stdin.destroy();
      },
    };
  }
  try {
    const handle = await open(file, 'r');
    const stats = await handle.stat();
    return {
      stream: handle.createReadStream({ autoClose: false }),
      sizeBytes: stats.isFile() ? stats.size : undefined,
      [Symbol.asyncDispose]: () => handle.close(),
    };
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** A fault of the file system carries a code and becomes a CliError; any other is ours, or the terminal's, and stays. */
export function unreadable(file: string, fault: unknown): unknown {
  if (!(fault instanceof Error) || !('code' in fault) || fault.code === 'EPIPE') return fault;
  return new CliError(exitCodes.usage, `${file} cannot be read: ${fault.message}`, { cause: fault });
}
