import type { Command } from 'commander';

import { CliError, exitCodes } from '../exit.ts';
import { connect, getJson } from '../http-client.ts';
import type { Io } from '../io.ts';
import { addConnectionOptions, addFilterOptions, type FilterOptions, filterQuery } from '../options.ts';
import { printableJson } from '../output.ts';
import { cells, readPage } from '../records.ts';
import { renderTable } from '../table.ts';

type SearchOptions = FilterOptions & { readonly json?: true };

const columns = ['itype', 'indicator', 'provider', 'group', 'tlp', 'confidence', 'tags', 'count', 'lasttime'];

export function configure(command: Command, io: Io): void {
  command
    .description(
      'Say what every provider states about one indicator: an address, network, host, URL, e-mail, hash or AS.',
    )
    .argument('<value>', 'the indicator; defanged forms such as example[.]com are understood')
    .option('--json', "print the node's answer as JSON");
  addFilterOptions(command, [
    'itype',
    'tags',
    'confidence',
    'provider',
    'group',
    'days',
    'hours',
    'limit',
    'cursor',
  ]);
  addConnectionOptions(command)
    .addHelpText(
      'after',
      '\nExit codes: 0 found, 1 nothing known, 2 usage, 3 node not reachable, 4 not allowed.',
    )
    .action((value: string, options: SearchOptions) => search(value, options, io));
}

async function search(value: string, options: SearchOptions, io: Io): Promise<void> {
  const client = await connect(options, io);
  const query = filterQuery(options);
  query.set('q', value);
  const answer = await getJson(client, '/indicators', query);
  const page = readPage(client, '/indicators', answer);
  if (options.json) await io.stdout.write(printableJson(answer));
  if (page.data.length === 0) throw new CliError(exitCodes.failed, `Nothing is known about ${value}.`);
  if (options.json) return;
  await io.stdout.write(renderTable(columns, cells(page.data, columns), io.stdout.columns));
  if (page.next !== undefined) await io.stderr.write(`There is more: add --cursor ${page.next}\n`);
}
