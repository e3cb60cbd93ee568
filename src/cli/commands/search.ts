import type { Command } from 'commander';

import type {
  Client,
  SearchOptions as Question,
  SearchOneOptions,
  ValueAnswer,
} from '../../client/client.ts';
import { connect } from '../connect.ts';
import { CliError, exitCodes } from '../exit.ts';
import type { Io } from '../io.ts';
import { addConnectionOptions, addFilterOptions, type FilterOptions, filtersOf } from '../options.ts';
import { printableJson, printableJsonLine } from '../output.ts';
import { cells } from '../records.ts';
import { lotsOf } from '../search/values.ts';
import { renderTable } from '../table.ts';

type SearchOptions = FilterOptions & {
  readonly json?: true;
  readonly related?: string;
  readonly nolog?: true;
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
    .option('--nolog', 'leave no trace: else all nodes are told who asked for what (`tocsin searches`)')
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
  const { related, sort, nolog, json } = options;
  const question = { ...filtersOf(options), related, nolog };
  if (isOne) await searchOne(client, only, { ...question, sort }, json === true, io);
  else await searchMany(client, values, question, json === true, io);
}

async function searchOne(
  client: Client,
  value: string,
  question: SearchOneOptions,
  asJson: boolean,
  io: Io,
): Promise<void> {
  const page = await client.search(value, question);
  const { next } = page.meta;
  if (asJson) await io.stdout.write(printableJson(page));
  if (page.data.length === 0 && next === undefined)
    throw new CliError(exitCodes.failed, `Nothing is known about ${value}.`);
  if (asJson) return;
  await io.stdout.write(renderTable(columns, cells(page.data, columns), io.stdout.columns));
  if (next !== undefined) await io.stderr.write(`There is more: add --cursor ${next}\n`);
}

async function searchMany(
  client: Client,
  values: readonly string[],
  { related = 'all', ...question }: Question,
  asJson: boolean,
  io: Io,
): Promise<void> {
  let asked = 0;
  let found = 0;
  const refused: ValueAnswer[] = [];
  for await (const lot of lotsOf(values, io.stdin)) {
    // All that is related, as of one value; the node's own default for many is the value alone.
    const answers = await client.search(lot, { ...question, related });
    asked += answers.length;
    found += answers.filter(({ records }) => records.length > 0).length;
    refused.push(...answers.filter((answer) => answer.refused !== undefined));
    if (asJson) await io.stdout.write(answers.map(printableJsonLine).join(''));
    else await printLot(answers, io);
  }
  for (const { refused: why } of refused.slice(0, refusalsShownMax))
    await io.stderr.write(`${why?.reason}\n`);
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
