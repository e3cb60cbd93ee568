import { type Command, Option } from 'commander';

import { connect, expectOk, getJson } from '../http-client.ts';
import type { Io } from '../io.ts';
import { addConnectionOptions, addFilterOptions, type FilterOptions, filterQuery } from '../options.ts';
import { passOn } from '../output.ts';
import { cells, readPage } from '../records.ts';
import { renderTable } from '../table.ts';
import { explainFeed } from './explain-feed.ts';

const mediaTypes = { json: 'application/json', csv: 'text/csv', ndjson: 'application/x-ndjson' } as const;

type FeedFormat = keyof typeof mediaTypes | 'table';
type FeedOptions = FilterOptions & {
  readonly format?: FeedFormat;
  readonly json?: true;
  readonly explain?: string;
};

const columns = ['itype', 'indicator', 'providers', 'tlp', 'confidence', 'tags', 'count', 'lasttime'];

export function configure(command: Command, io: Io): void {
  command
    .description(
      'Print a feed: recent, confident, aggregated over providers, without all that the allowlist names. ' +
        'The filters change what is confident and recent.',
    )
    .addOption(
      new Option('--format <format>', 'default: table on a terminal, csv otherwise').choices([
        'table',
        'json',
        'csv',
        'ndjson',
      ]),
    )
    .option('--json', 'the same as --format json')
    .option('--explain <indicator>', 'say why it is in the feed of these filters, or is not');
  addFilterOptions(command, [
    'itype',
    'tags',
    'confidence',
    'provider',
    'group',
    'asn',
    'cc',
    'tlp',
    'days',
    'hours',
    'observed',
    'reported',
    'limit',
    'cursor',
  ]);
  addConnectionOptions(command)
    .addHelpText(
      'after',
      '\nExit codes: 0 done (an empty feed too), 1 what --explain asks about is not in the feed, 2 usage, ' +
        '3 node not reachable or not ready, 4 not allowed.',
    )
    .action((options: FeedOptions) => feed(options, io));
}

async function feed(options: FeedOptions, io: Io): Promise<void> {
  const client = await connect(options, io);
  const query = filterQuery(options);
  if (options.explain !== undefined) return explainFeed(client, query, options.explain, io);
  const format = options.json ? 'json' : (options.format ?? (io.stdout.isTTY ? 'table' : 'csv'));
  if (format === 'table') {
    const page = readPage(client, '/indicators', await getJson(client, '/indicators', query));
    await io.stdout.write(renderTable(columns, cells(page.data, columns), io.stdout.columns));
    if (page.next !== undefined) await io.stderr.write(`There is more: add --cursor ${page.next}\n`);
    return;
  }
  const headers = { accept: mediaTypes[format] };
  const response = await expectOk(await client.send('/indicators', { query, headers }));
  if (response.body !== null) await passOn(response.body, io.stdout);
  const next = response.headers.get('tocsin-next');
  if (next !== null) await io.stderr.write(`There is more: add --cursor ${next}\n`);
}
