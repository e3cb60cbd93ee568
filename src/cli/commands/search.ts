import type { Command } from 'commander';

import { CliError, exitCodes } from '../exit.ts';
import { connect, getJson, type NodeClient } from '../http-client.ts';
import type { Io } from '../io.ts';
import { addConnectionOptions, addFilterOptions, type FilterOptions, filterQuery } from '../options.ts';
import { printableJson, printableJsonLine } from '../output.ts';
import { cells, readPage } from '../records.ts';
import { askAbout, type ValueAnswer } from '../search/answer.ts';
import { lotsOf } from '../search/values.ts';
import { renderTable } from '../table.ts';

type SearchOptions = FilterOptions & {
  readonly json?: true;
  readonly related?: string;
  readonly sort?: string;
};

const columns = [
  'itype',
  'indicator',
  'match',
  'provider',
  'group',
  'tlp',
  'confidence',
  'tags',
  'count',
  'lasttime',
];
/** Of a file that is no list of indicators, more would say no more. */
const refusalsShownMax = 20;

const examples = `
What answers beside the value itself (--related), and why a record is there (match):
  covers     networks that the address or network lies in
  inside     addresses and networks within the network
  subdomain  names below the domain
  url email  those at the domain, and at the names below it together with subdomain
  host       the host of the URL, or the domain of the e-mail address

Examples:
  tocsin search 192.0.2.7                           it, and the networks that cover it
  tocsin search 192.0.2.0/24 --related inside       what is in the network
  tocsin search 'hxxp://example[.]com/login' --tags phishing --days 7
  tocsin search '*.example.com'  '*login*' is a pattern too, and d41d8cd98f* the beginning of a hash
  tocsin search example.com --sort=-lasttime        the last seen first
  tocsin search - < values.txt                      one a line, 1,000 in one request

One value is paged by --cursor. Of several, each is answered with up to --limit records (default 100), and those that
are no indicators are told apart.

Exit codes: 0 found, 1 nothing known, 2 usage, 3 node not reachable, 4 not allowed.`;

export function configure(command: Command, io: Io): void {
  command
    .description(
      'Say what every provider states about indicators: addresses, networks, hosts, URLs, e-mails, hashes or ASes.',
    )
    .argument('<value...>', 'indicators, defanged or not; or - for those of standard input, one a line')
    .option('--related <list>', 'all (default), none, or which: covers,host; !url is all but url')
    .option(
      '--sort <order>',
      'of one value: reporttime, lasttime, confidence, indicator; -lasttime is the last first',
    )
    .option('--json', "print the node's answer as JSON; of several values one line each");
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
    .addHelpText('after', examples)
    .action((values: readonly string[], options: SearchOptions) => search(values, options, io));
}

async function search(values: readonly string[], options: SearchOptions, io: Io): Promise<void> {
  const [only] = values;
  const isOne = values.length === 1 && only !== undefined && only !== '-';
  const misplaced = (['sort', 'cursor'] as const).find((name) => !isOne && options[name] !== undefined);
  if (misplaced !== undefined)
    throw new CliError(exitCodes.usage, `--${misplaced} is for one value: leave it out, or name one.`);
  const client = await connect(options, io);
  const query = filterQuery(options);
  if (options.related !== undefined) query.set('related', options.related);
  if (options.sort !== undefined) query.set('sort', options.sort);
  if (isOne) await searchOne(client, only, query, options.json === true, io);
  else await searchMany(client, values, query, options.json === true, io);
}

async function searchOne(
  client: NodeClient,
  value: string,
  query: URLSearchParams,
  asJson: boolean,
  io: Io,
): Promise<void> {
  query.set('q', value);
  const answer = await getJson(client, '/indicators', query);
  const page = readPage(client, '/indicators', answer);
  if (asJson) await io.stdout.write(printableJson(answer));
  if (page.data.length === 0 && page.next === undefined)
    throw new CliError(exitCodes.failed, `Nothing is known about ${value}.`);
  if (asJson) return;
  await io.stdout.write(renderTable(columns, cells(page.data, columns), io.stdout.columns));
  if (page.next !== undefined) await io.stderr.write(`There is more: add --cursor ${page.next}\n`);
}

async function searchMany(
  client: NodeClient,
  values: readonly string[],
  query: URLSearchParams,
  asJson: boolean,
  io: Io,
): Promise<void> {
  // As of one value; the node's own default for many is the value alone.
  if (!query.has('related')) query.set('related', 'all');
  let asked = 0;
  let found = 0;
  const refused: ValueAnswer[] = [];
  for await (const lot of lotsOf(values, io.stdin)) {
    const answers = await askAbout(client, lot, query);
    asked += answers.length;
    found += answers.filter(({ records }) => records.length > 0).length;
    refused.push(...answers.filter((answer) => answer.refused !== undefined));
    if (asJson) await io.stdout.write(answers.map(({ row }) => printableJsonLine(row)).join(''));
    else await printLot(answers, io);
  }
  for (const { refused: reason } of refused.slice(0, refusalsShownMax)) await io.stderr.write(`${reason}\n`);
  if (refused.length > refusalsShownMax)
    await io.stderr.write(`And ${refused.length - refusalsShownMax} more are no indicators.\n`);
  if (asked === 0) throw new CliError(exitCodes.usage, 'There is no value in standard input.');
  const unknown = asked - found - refused.length;
  if (unknown > 0) await io.stderr.write(`Nothing is known about ${unknown} of ${asked} values.\n`);
  if (found === 0) throw new CliError(exitCodes.failed, 'Nothing was found.');
}

/** A table of the records of all values. A record that answers two of them stands there for each. */
async function printLot(answers: readonly ValueAnswer[], io: Io): Promise<void> {
  const records = answers.flatMap((answer) => answer.records);
  if (records.length > 0)
    await io.stdout.write(renderTable(columns, cells(records, columns), io.stdout.columns));
  for (const { value, more } of answers)
    if (more) await io.stderr.write(`There is more about ${value}: search for it alone.\n`);
}
