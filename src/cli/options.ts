import type { Command } from 'commander';

import { CliError, exitCodes } from './exit.ts';
import type { ConnectionOptions } from './find-node.ts';

/** Adds the flags that name a node; every command that speaks to one has them. */
export function addConnectionOptions(command: Command): Command {
  return command
    .option(
      '--url <url>',
      'the node to ask (TOCSIN_URL), or several, a,b or each by its own --url: the next is asked when one does not ' +
        'answer; default: one that runs on this machine',
      (text: string, earlier: readonly string[] = []) => [...earlier, text],
    )
    .option('--token <token>', "the token to show (TOCSIN_TOKEN); default: the local node's own")
    .option('--data-dir <path>', 'the data directory of a node on this machine (TOCSIN_DATA_DIR)')
    .option('--node <n>', 'the node of ./.tocsin/<n>; default: the lowest that runs');
}

/** Filters as `GET /indicators` and `GET /stream` take them: the node checks the values and explains what is wrong. */
const filters = {
  itype: ['--itype <list>', 'kinds of indicator: url or ipv4,ipv6'],
  tags: ['--tags <list>', 'any of these tags: a,b; !a is without a'],
  confidence: ['--confidence <range>', 'at least 8: 8; from 3 to 7: 3,7'],
  provider: ['--provider <list>', 'any of these providers: a,b; !a is without a'],
  group: ['--group <group>', 'records of this group'],
  asn: ['--asn <list>', 'said to be in any of these ASes: AS64500,64501; !64500 is without it'],
  cc: ['--cc <list>', 'said to be in any of these countries: DE,FR; !DE is without it'],
  tlp: ['--tlp <list>', 'of any of these labels: clear,green; !red is without it'],
  days: ['--days <n>', 'of the last n days'],
  hours: ['--hours <n>', 'of the last n hours'],
  observed: [
    '--observed <start,end>',
    'last seen by its source in this time: 2026-01-01,2026-01-31; one may be empty',
  ],
  reported: ['--reported <start,end>', 'last reported to the mesh in this time'],
  limit: ['--limit <n>', 'at most n rows'],
  cursor: ['--cursor <cursor>', 'the page after an earlier answer'],
} as const;

export type FilterName = keyof typeof filters;
export type FilterOptions = ConnectionOptions & Partial<Record<FilterName, string>>;

export function addFilterOptions(command: Command, names: readonly FilterName[]): Command {
  for (const name of names) {
    const [flags, help] = filters[name];
    command.option(flags, help);
  }
  return command;
}

/** The filters that were given, without the other options. */
export function filtersOf(options: Partial<Record<FilterName, string>>): Partial<Record<FilterName, string>> {
  const names = Object.keys(filters) as readonly FilterName[];
  return Object.fromEntries(names.map((name) => [name, options[name]]));
}

/** The value of --count. Throws a CliError. */
export function countOf(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new CliError(exitCodes.usage, `--count is "${text}": a number from 1 is allowed.`);
}
