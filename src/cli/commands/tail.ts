import type { Command } from 'commander';

import { connect } from '../http-client.ts';
import type { Io } from '../io.ts';
import {
  addConnectionOptions,
  addFilterOptions,
  countOf,
  type FilterOptions,
  filterQuery,
} from '../options.ts';
import { printableJsonLine } from '../output.ts';
import { printable } from '../printable.ts';
import { cell, type ShownRecord } from '../records.ts';
import { followStream } from '../stream.ts';

type TailOptions = FilterOptions & { readonly count?: number; readonly json?: true };

export function configure(command: Command, io: Io): void {
  command
    .description('Print each indicator as the node learns it, one line each, until interrupted.')
    .option('--count <n>', 'stop after n indicators', countOf)
    .option('--json', "print each event as one line of JSON: the stream's CloudEvents object");
  addFilterOptions(command, ['itype', 'tags', 'provider', 'confidence']);
  addConnectionOptions(command)
    .addHelpText('after', '\nExit codes: 0 done, 2 usage, 3 node not reachable at first, 4 not allowed.')
    .action((options: TailOptions) => tail(options, io));
}

async function tail(options: TailOptions, io: Io): Promise<void> {
  const client = await connect(options, io);
  let left = options.count ?? Number.POSITIVE_INFINITY;
  for await (const event of followStream(client, '/stream', filterQuery(options), io)) {
    await io.stdout.write(options.json ? printableJsonLine(event) : lineOf(event));
    left -= 1;
    if (left === 0) return;
  }
}

/** `2026-01-02T03:04:05Z created url http://example.com/ provider=... tlp=... confidence=... tags=...` */
function lineOf(event: ShownRecord): string {
  const record: ShownRecord = typeof event['data'] === 'object' ? { ...event['data'] } : {};
  const change = cell(event['type']).split('.').at(-1) ?? '';
  const words = [cell(event['time']), change, cell(record['itype']), cell(record['indicator'])];
  for (const name of ['provider', 'group', 'tlp', 'confidence', 'tags']) {
    const value = cell(record[name]);
    if (value !== '') words.push(`${name}=${value}`);
  }
  return `${printable(words.join(' '))}\n`;
}
