import type { Command } from 'commander';

import { connect } from '../connect.ts';
import type { ConnectionOptions } from '../find-node.ts';
import type { Io } from '../io.ts';
import { addConnectionOptions, countOf } from '../options.ts';
import { printableJsonLine } from '../output.ts';
import { printable } from '../printable.ts';
import { cell, type ShownRecord } from '../records.ts';
import { tellStates } from '../stream-states.ts';

type WatchOptions = ConnectionOptions & { readonly count?: number; readonly json?: true };

const idCharactersShown = 8;

/** What a person calls the kinds; a kind of a later release is shown as it is called there. */
const verbs: Readonly<Record<string, string>> = {
  'peer-entered': 'enter',
  'peer-exited': 'exit',
  'peer-joined': 'join',
  'peer-left': 'leave',
  'peer-silent': 'silent',
  'peer-heard': 'heard',
  'stranger-refused': 'refused',
  'inbox-full': 'missed',
};

export function configure(command: Command, io: Io): void {
  const watch = command
    .command('watch')
    .summary('print who enters, exits, joins and leaves')
    .description(
      'Print who enters, exits, joins and leaves, falls silent or takes no more, one line each, until interrupted. It begins ' +
        'with the peers that are there.',
    )
    .option('--count <n>', 'stop after n events', countOf)
    .option('--json', 'print each event as one line of JSON');
  addConnectionOptions(watch)
    .addHelpText('after', '\nExit codes: 0 done, 2 usage, 3 node not reachable at first, 4 not allowed.')
    .action((options: WatchOptions) => watchMesh(options, io));
}

async function watchMesh(options: WatchOptions, io: Io): Promise<void> {
  const client = await connect(options, io);
  let left = options.count ?? Number.POSITIVE_INFINITY;
  for await (const event of client.meshEvents({ onState: tellStates(io) })) {
    await io.stdout.write(options.json ? printableJsonLine(event) : lineOf(event));
    left -= 1;
    if (left === 0) return;
  }
}

/** `2026-01-02T03:04:05.678Z exit alpha 1a2b3c4d reason=expired` */
function lineOf({ kind, time, id, name, ...rest }: ShownRecord): string {
  const words = [cell(time), verbs[cell(kind)] ?? cell(kind)];
  if (id !== undefined) words.push(cell(name), cell(id).slice(0, idCharactersShown));
  for (const [key, value] of Object.entries(rest)) {
    const text = cell(value);
    if (text !== '') words.push(`${key}=${text}`);
  }
  return `${printable(words.join(' '))}\n`;
}
