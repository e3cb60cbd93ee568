import { type Command, Option } from 'commander';

import type { Client } from '../../client/client.ts';
import type { Effect } from '../../feed/allowlist/list-effects.ts';
import {
  providerOf,
  type Warninglist,
  type WarninglistOptions,
  warninglistEffect,
  warninglistEntries,
} from '../../feed/allowlist/warninglist.ts';
import { readName } from '../../indicator/fields.ts';
import { findLists, type ListFile, readList } from '../allowlist/files.ts';
import { type ListOutcome, outcomeJson, outcomeText } from '../allowlist/summary.ts';
import { connect } from '../connect.ts';
import { CliError, exitCodes } from '../exit.ts';
import type { ConnectionOptions } from '../find-node.ts';
import { interruptible } from '../interruptible.ts';
import type { Io } from '../io.ts';
import { addConnectionOptions } from '../options.ts';
import { printableJson } from '../output.ts';
import { printable } from '../printable.ts';
import { createProgress, grouped } from '../submit/progress.ts';
import type { InputRow } from '../submit/row.ts';
import { ackHelp, ackOf, sendRows } from '../submit/send.ts';
import { countRefusal, emptyTally, type Tally } from '../submit/tally.ts';

/** Rows in one request: lists are long, and each request waits for the disks. */
const batchRows = 2_000;

type ImportOptions = ConnectionOptions & {
  readonly as?: Effect;
  readonly providerPrefix: string;
  readonly ack?: string;
  readonly dryRun?: true;
  readonly json?: true;
};

const examples = `
A list suppresses (what it names never enters a feed) or is context (what it names is annotated, and enters): clouds, CDNs,
dynamic DNS, hosting platforms and scanners are context. Known lists are known; --as decides for all files of the call.

Examples:
  git clone https://github.com/MISP/misp-warninglists && tocsin allowlist import misp-warninglists/lists
  tocsin allowlist import lists/tranco10k/list.json --dry-run
  tocsin allowlist import our-own.json --as suppress
  echo example.com | tocsin submit - --tags allowlist --provider us       (one entry needs no list)

Exit codes: 0 all files imported, 1 a file is no warninglist or nothing was accepted, 2 usage, 3 node not reachable,
4 not allowed, 130 interrupted (what was sent is stored).`;

export function configure(command: Command, io: Io): void {
  const importing = command
    .command('import')
    .summary('submit the entries of MISP warninglist files')
    .description(
      'Submit the entries of MISP warninglists (github.com/MISP/misp-warninglists) as allowlist records.',
    )
    .argument('<path...>', 'files, and directories of files that end in .json')
    .addOption(
      new Option('--as <effect>', 'what the entries do; default: what is known of the list').choices([
        'suppress',
        'context',
      ]),
    )
    .option(
      '--provider-prefix <prefix>',
      "the provider is this and the list's name",
      prefixOf,
      'warninglist:',
    )
    .option('--dry-run', 'say what would be submitted, and submit nothing')
    .option('--ack <nodes>', `where rows must be on disk: ${ackHelp}`, ackOf)
    .option('--json', 'print what became of each list as JSON');
  addConnectionOptions(importing)
    .addHelpText('after', examples)
    .action((paths: readonly string[], options: ImportOptions) => importLists(paths, options, io));
}

function prefixOf(text: string): string {
  // A whole name is a prefix and one letter at least.
  const name = readName(`${text}x`);
  if (name.ok) return text;
  throw new CliError(exitCodes.usage, `--provider-prefix: ${name.reason}.`);
}

async function importLists(paths: readonly string[], options: ImportOptions, io: Io): Promise<void> {
  const files = await findLists(paths);
  const client = options.dryRun ? undefined : await connect(options, io);
  using interruption = interruptible(io);
  const { signal } = interruption;
  const outcomes: ListOutcome[] = [];
  const notLists: ListFile[] = [];
  for (const file of files) {
    if (signal.aborted) break;
    const list = await readList(file);
    if (!list.ok) {
      const words = file.isNamed ? 'is no list that can be imported' : 'is left out';
      await io.stderr.write(`${printable(file.shown)} ${words}: ${printable(list.reason)}.\n`);
      if (file.isNamed) notLists.push(file);
      continue;
    }
    const outcome = await importList(list.value, file, options, client, io, signal);
    outcomes.push(outcome);
    if (!options.json) await io.stdout.write(outcomeText(outcome, options.dryRun === true));
  }
  if (options.json) await io.stdout.write(printableJson(outcomes.map(outcomeJson)));
  if (signal.aborted) {
    throw new CliError(
      exitCodes.interrupted,
      'Interrupted. What was sent is stored; import again to complete it.',
    );
  }
  await conclude(outcomes, notLists, options, io);
}

async function importList(
  list: Warninglist,
  { slug, shown }: ListFile,
  { providerPrefix, as, ack }: ImportOptions,
  client: Client | undefined,
  io: Io,
  signal: AbortSignal,
): Promise<ListOutcome> {
  const reading: WarninglistOptions = { slug, providerPrefix, as };
  const tally = emptyTally();
  let repeated = 0;
  const rows = listRows(list, reading, tally, () => {
    repeated++;
  });
  if (client === undefined) await readThrough(rows);
  else {
    const progress = createProgress(tally, io.stderr, io.nowMs, list.list.length);
    await sendRows(client, rows, tally, {
      ack,
      batchRows,
      progress,
      onProgress: () => progress.update(tally.rows),
      signal,
    });
    await progress.end();
  }
  return {
    file: shown,
    provider: providerOf(reading),
    effect: warninglistEffect(list, reading),
    entries: list.list.length,
    repeated,
    tally,
  };
}

async function readThrough(rows: AsyncIterable<InputRow>): Promise<void> {
  for await (const _ of rows);
}

/** The entries as rows to send, `line` being their place in the list. What is no row is counted as the list is read. */
async function* listRows(
  list: Warninglist,
  reading: WarninglistOptions,
  tally: Tally,
  countRepeated: () => void,
): AsyncGenerator<InputRow> {
  for (const entry of warninglistEntries(list, reading)) {
    if (entry.kind === 'row') yield { kind: 'row', line: entry.place, value: entry.row };
    else if (entry.kind === 'repeated') countRepeated();
    else countRefusal(tally, entry.place, entry.code, entry.reason);
  }
}

async function conclude(
  outcomes: readonly ListOutcome[],
  notLists: readonly ListFile[],
  { dryRun, json }: ImportOptions,
  io: Io,
): Promise<void> {
  const sum = (of: (outcome: ListOutcome) => number) => outcomes.reduce((total, each) => total + of(each), 0);
  const accepted = dryRun
    ? sum(({ entries, repeated, tally }) => entries - repeated - tally.refused)
    : sum(({ tally }) => tally.accepted);
  if (!json && outcomes.length > 1) {
    const verb = dryRun ? 'would be submitted' : 'accepted';
    await io.stdout.write(
      `${grouped(outcomes.length)} lists: ${grouped(accepted)} entries ${verb}, ${grouped(sum(({ tally }) => tally.refused))} refused.\n`,
    );
  }
  if (notLists.length > 0) {
    const names = notLists.map(({ shown }) => shown).join(', ');
    throw new CliError(exitCodes.failed, `Not imported: ${names}.`);
  }
  if (accepted === 0) throw new CliError(exitCodes.failed, 'No entry was accepted.');
}
