import type { Command } from 'commander';

import type { Io } from '../io.ts';
import { version } from '../version.ts';

export function configure(command: Command, io: Io): void {
  command.action(async () => {
    await io.stdout.write(
      `tocsin ${version()} (Node ${process.version}, ${process.platform} ${process.arch})\n`,
    );
  });
}
