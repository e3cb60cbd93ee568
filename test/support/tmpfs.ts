import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atExit } from './at-exit.ts';
import { requirementMet } from './requirement.ts';

/** A disk in memory, as small as a test wants it. Disposing it unmounts it. */
export type Tmpfs = Disposable & {
  /** Options of mount(8) for tmpfs: `size=64k`, `ro`. */
  remount(options: string): void;
};

/** Whether this process may mount, found out by doing it. If not, prints why, or throws in CI. */
export function mountsUsable(): boolean {
  const directory = mkdtempSync(join(tmpdir(), 'tocsin-mount-'));
  try {
    mountTmpfs(directory, 'size=64k')[Symbol.dispose]();
    return requirementMet(undefined);
  } catch (error) {
    return requirementMet(`mounting a small disk needs root on Linux: ${(error as Error).message}`);
  } finally {
    rmdirSync(directory);
  }
}

/** Makes the directory if need be, and mounts a disk on it. */
export function mountTmpfs(directory: string, options: string): Tmpfs {
  mkdirSync(directory, { recursive: true });
  run('mount', '-t', 'tmpfs', '-o', options, 'tmpfs', directory);
  // What still runs there must not keep the mount.
  const unmount = () => run('umount', '--lazy', directory);
  const forget = atExit(unmount);
  return {
    remount: (changed) => run('mount', '-o', `remount,${changed}`, directory),
    [Symbol.dispose]() {
      forget();
      unmount();
    },
  };
}

function run(command: string, ...args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr.trim()}`);
}
