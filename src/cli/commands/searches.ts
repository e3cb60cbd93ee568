import type { Command } from 'commander';
import { connect, strangeTo } from '../connect.ts';
import { CliError, exitCodes } from '../exit.ts';
import type { ConnectionOptions } from '../find-node.ts';
import type { Io } from '../io.ts';
import { addConnectionOptions } from '../options.ts';
import { printableJson } from '../output.ts';
import { cells, type ShownRecord } from '../records.ts';
import { renderTable } from '../table.ts';

const filterNames = ['by', 'since', 'days', 'limit', 'cursor'] as const;
type SearchesOptions = ConnectionOptions &
  Partial<Record<(typeof filterNames)[number], string>> & { readonly json?: true };

const columns = ['time', 'by', 'itype', 'q', 'node'];

const help = `
Examples:
  tocsin searches                          the newest 100, of all nodes
  tocsin searches 192.0.2.0/24 --days 7    who asked about the network, or about what lies in it
  tocsin searches --by alice

\`tocsin search --nolog\` is in no list, and \`tocsin tail\` prints searches as they are made.

Exit codes: 0 done, 1 none, 2 usage, 3 node not reachable, 4 not allowed.`;

export function configure(command: Command, io: Io): void {
  command
    .description(
      'Print what people searched for, at any node of the mesh, newest first. They are kept for 30 days.',
    )
    .argument('[value]', 'searches for it, and for what covers it or lies in it')
    .option('--by <list>', 'who asked, by the names of tokens: a,b; !a is without a')
    .option('--since <time>', 'not older than this time or day')
    .option('--days <n>', 'of the last n days')
    .option('--limit <n>', 'at most n rows')
    .option('--cursor <cursor>', 'the page after an earlier answer')
    .option('--json', "print the node's answer as JSON");
  addConnectionOptions(command)
    .addHelpText('after', help)
    .action((value: string | undefined, options: SearchesOptions) => searches(value, options, io));
}

async function searches(value: string | undefined, options: SearchesOptions, io: Io): Promise<void> {
  const client = await connect(options, io);
  const query = new URLSearchParams(value === undefined ? {} : { q: value });
  for (const name of filterNames) {
    const text = options[name];
    if (text !== undefined) query.set(name, text);
  }
  const answer = await client.json('/searches', { query });
  if (options.json) {
    await io.stdout.write(printableJson(answer));
    return;
  }
  const page = readAnswer(answer);
  if (page === undefined) throw strangeTo(client, '/searches');
  const { rows, next } = page;
  if (rows.length === 0 && next === undefined) {
    throw new CliError(exitCodes.failed, 'Nobody has searched for it, or nobody who let it be known.');
  }
  await io.stdout.write(renderTable(columns, cells(rows, columns), io.stdout.columns));
  if (next !== undefined) await io.stderr.write(`There is more: add --cursor ${next}\n`);
}

/** Undefined when it is none. */
function readAnswer(
  answer: unknown,
): { readonly rows: readonly ShownRecord[]; readonly next: string | undefined } | undefined {
  if (typeof answer !== 'object' || answer === null || !('data' in answer) || !Array.isArray(answer.data))
    return undefined;
  const meta: unknown = 'meta' in answer ? answer.meta : undefined;
  const next = typeof meta === 'object' && meta !== null && 'next' in meta ? meta.next : undefined;
  const rows = answer.data.filter((row): row is ShownRecord => typeof row === 'object' && row !== null);
  return { rows, next: typeof next === 'string' ? next : undefined };
}
