import { basename } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import { type Command, Option } from 'commander';

import { ClientError } from '../../client/errors.ts';
import { itypes, tlps } from '../../indicator/types.ts';
import { connect, endedBy } from '../connect.ts';
import { CliError, exitCodes } from '../exit.ts';
import type { ConnectionOptions } from '../find-node.ts';
import { interruptible } from '../interruptible.ts';
import type { Io } from '../io.ts';
import { addConnectionOptions } from '../options.ts';
import { printableJson } from '../output.ts';
import { parseColumns } from '../submit/columns.ts';
import { type FormatName, formatNames, parseDelimiter } from '../submit/format.ts';
import { submitLimits } from '../submit/limits.ts';
import { createProgress } from '../submit/progress.ts';
import { type ReadOptions, readRows } from '../submit/read-rows.ts';
import { ackHelp, ackOf, sendRows } from '../submit/send.ts';
import { openSource, unreadable } from '../submit/source.ts';
import { summaryJson, summaryText } from '../submit/summary.ts';
import { emptyTally, type Tally } from '../submit/tally.ts';

/** Flags that stand for a field which a row does not state; they travel as query parameters of the same name. */
const defaultNames = ['provider', 'group', 'tlp', 'tags', 'confidence', 'itype'] as const;

type SubmitOptions = ConnectionOptions &
  Partial<Record<(typeof defaultNames)[number], string>> & {
    readonly column?: string;
    readonly format?: FormatName;
    readonly delimiter?: string;
    readonly rows?: string;
    readonly skipComments?: true;
    readonly batch: number;
    readonly ack?: string;
    readonly json?: true;
  };

const examples = `
Examples:
  tocsin submit urls.csv --column url --tags malware --confidence 8 --provider example
  tocsin submit feed.csv --column indicator=url,lasttime=dateadded
  tocsin submit addresses.txt --column 1
  tocsin submit feed.json --rows response.items --column indicator=value,tags=labels
  echo 'hxxp://example[.]com/' | tocsin submit - --tags phishing

Exit codes: 0 all or some rows accepted, 1 none accepted or the file could not be read to its end, 2 usage,
3 node not reachable, 4 not allowed, 130 interrupted (what was sent is stored).`;

export function configure(command: Command, io: Io): void {
  command
    .description(
      'Send the indicators of a file to a node: CSV, TSV, whitespace-separated columns, JSON, NDJSON, or one a line. ' +
        'The file is read as it is sent, whatever its size.',
    )
    .argument('<file>', 'a file, or - for standard input')
    .addOption(
      new Option(
        '--column <which>',
        "the indicator's column, by name or number, or indicator=url,lasttime=dateadded",
      ).argParser((text: string, earlier?: string) => (earlier === undefined ? text : `${earlier},${text}`)),
    )
    .addOption(new Option('--format <format>', 'default: by extension and content').choices(formatNames))
    .option(
      '--delimiter <character>',
      'what separates columns: one character, or comma, semicolon, tab, pipe, whitespace; default: by the first row',
      delimiterOf,
    )
    .option(
      '--rows <member>',
      'JSON: where the rows are, such as data or response.items; * is any member; default: by content',
    )
    .option(
      '--skip-comments',
      'leave out lines of CSV, TSV and NDJSON that begin with #, ; or // behind the first row (in front of it, and in ' +
        'lists, they are never rows)',
    )
    .option('--tags <a,b>', 'tags of rows that state none')
    .option('--confidence <0-10>', 'confidence of rows that state none (8 is safe to block)', confidenceOf)
    .option('--provider <name>', "who says so, for rows that do not state it; default: the token's name")
    .option('--group <name>', 'group of rows that state none')
    .addOption(new Option('--tlp <tlp>', 'TLP of rows that state none').choices([...tlps, 'white']))
    .addOption(
      new Option('--itype <itype>', 'kind of rows that state none; default: detected').choices(itypes),
    )
    .option('--batch <rows>', 'rows in one request', batchOf, submitLimits.batchRowsDefault)
    .option('--ack <nodes>', `where rows must be on disk before the next are sent: ${ackHelp}`, ackOf)
    .option('--json', 'print the summary as JSON');
  addConnectionOptions(command)
    .addHelpText('after', examples)
    .action((file: string, options: SubmitOptions) => submit(file, options, io));
}

function confidenceOf(text: string): string {
  if (/^(?:10(?:\.0+)?|\d(?:\.\d+)?)$/.test(text)) return text;
  throw new CliError(exitCodes.usage, `--confidence is "${text}": a number from 0 to 10 is allowed.`);
}

function delimiterOf(text: string): string {
  const delimiter = parseDelimiter(text);
  if (delimiter !== undefined) return delimiter;
  throw new CliError(
    exitCodes.usage,
    `--delimiter is "${text}": one character that is no letter, digit or quote is allowed, or comma, semicolon, tab, ` +
      'pipe, whitespace.',
  );
}

function batchOf(text: string): number {
  const rows = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (rows >= 1 && rows <= submitLimits.batchRowsMax) return rows;
  throw new CliError(
    exitCodes.usage,
    `--batch is "${text}": a number from 1 to ${submitLimits.batchRowsMax} is allowed.`,
  );
}

async function submit(file: string, options: SubmitOptions, io: Io): Promise<void> {
  const reading: ReadOptions = {
    fileName: file,
    format: options.format,
    delimiter: options.delimiter,
    rows: options.rows?.split('.').filter((name) => name !== ''),
    columns: options.column === undefined ? undefined : parseColumns(options.column),
    skipComments: options.skipComments === true,
  };
  await using source = await openSource(file, io);
  const client = await connect(options, io);
  const tally = emptyTally();
  const progress = createProgress(tally, io.stderr, io.nowMs, source.sizeBytes);
  const startMs = io.nowMs();
  using interruption = interruptible(io);
  const { signal } = interruption;
  let bytesRead = 0;
  const bytes = counted(addAbortSignal(signal, source.stream), (length) => {
    bytesRead += length;
  });
  let fault: unknown;
  try {
    await sendRows(client, readRows(bytes, reading), tally, {
      defaults: Object.fromEntries(defaultNames.map((name) => [name, options[name]])),
      ack: options.ack,
      batchRows: options.batch,
      progress,
      onProgress: () => progress.update(bytesRead),
      signal,
    });
  } catch (error) {
    fault = error instanceof ClientError ? endedBy(error) : error;
  }
  await progress.end();
  const name = file === '-' ? 'standard input' : basename(file);
  const elapsedMs = io.nowMs() - startMs;
  if (fault === undefined || signal.aborted || tally.rows > 0) {
    await io.stdout.write(
      options.json ? printableJson(summaryJson(tally, name, elapsedMs)) : summaryText(tally, name, elapsedMs),
    );
  }
  if (signal.aborted) throw new CliError(exitCodes.interrupted, `Interrupted. ${whereItEnded(tally)}`);
  if (fault !== undefined) throw withPlace(fault, tally, file);
  const verdict = verdictOf(tally, name);
  if (verdict !== undefined) throw new CliError(exitCodes.failed, verdict);
}

function verdictOf(tally: Tally, name: string): string | undefined {
  if (tally.broken !== undefined) return `The file was not read to its end. ${whereItEnded(tally)}`;
  if (tally.rows === 0) return `There are no rows in ${name}.`;
  return tally.accepted === 0 ? 'No row was accepted.' : undefined;
}

function whereItEnded(tally: Tally): string {
  return tally.lastLine === 0 ? 'No row was stored.' : `Rows up to line ${tally.lastLine} were answered.`;
}

/** Adds to a fault how far the file came. */
function withPlace(fault: unknown, tally: Tally, file: string): unknown {
  if (!(fault instanceof CliError)) return unreadable(file, fault);
  if (tally.lastLine === 0) return fault;
  return new CliError(fault.exitCode, `${fault.message}\n${whereItEnded(tally)}`, { cause: fault });
}

async function* counted(stream: Readable, count: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    count(chunk.length);
    yield chunk;
  }
}
