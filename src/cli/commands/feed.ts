import { type Command, Option } from 'commander';

import { queryOf } from '../../client/filters.ts';
import { connect } from '../connect.ts';
import type { Io } from '../io.ts';
import { addConnectionOptions, addFilterOptions, type FilterOptions, filtersOf } from '../options.ts';
import { passOn } from '../output.ts';
import { cells } from '../records.ts';
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
  const filters = filtersOf(options);
  if (options.explain !== undefined) return explainFeed(client, filters, options.explain, io);
  const format = options.json ? 'json' : (options.format ?? (io.stdout.isTTY ? 'table' : 'csv'));
  if (format === 'table') {
    const { meta, data } = await client.feed(filters);
    await io.stdout.write(renderTable(columns, cells(data, columns), io.stdout.columns));
    if (meta.next !== undefined) await io.stderr.write(`There is more: add --cursor ${meta.next}\n`);
    return;
  }
  const headers = { accept: mediaTypes[format] };
  const { headers: answered, body } = await client.request('/indicators', {
    query: queryOf(filters),
    headers,
  });
  await passOn(body, io.stdout);
  const next = answered.get('tocsin-next');
  if (next !== null) await io.stderr.write(`There is more: add --cursor ${next}\n`);
}
