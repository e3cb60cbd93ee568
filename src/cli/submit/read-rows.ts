import { CliError, exitCodes } from '../exit.ts';
import type { ColumnChoice } from './columns.ts';
import { delimitedRows } from './delimited.ts';
import { chooseFormat, type FormatHints } from './format.ts';
import { jsonRows, ndjsonRows } from './json.ts';
import { submitLimits } from './limits.ts';
import { plainRows } from './plain.ts';
import type { InputRow } from './row.ts';
import { decodeText } from './text.ts';

export type ReadOptions = Omit<FormatHints, 'hasColumns'> & {
  readonly columns: readonly ColumnChoice[] | undefined;
  readonly skipComments: boolean;
};

/** The rows of a file, read as they are asked for. Throws a CliError when the flags do not fit the file. */
export async function* readRows(
  bytes: AsyncIterable<Uint8Array>,
  options: ReadOptions,
): AsyncGenerator<InputRow> {
  const text = decodeText(bytes);
  const { sample, all } = await peek(text);
  for await (const row of rowsOf(sample, all, options)) yield isUtf8(row) ? row : badUtf8(row.line);
}

function rowsOf(sample: string, text: AsyncIterable<string>, options: ReadOptions): AsyncIterable<InputRow> {
  const { columns, skipComments } = options;
  const format = chooseFormat(sample, { ...options, hasColumns: columns !== undefined });
  switch (format.kind) {
    case 'delimited':
      return delimitedRows(text, { delimiter: format.delimiter, columns, skipComments });
    case 'json':
      return jsonRows(text, columns, format.rows);
    case 'ndjson':
      return ndjsonRows(text, columns, skipComments);
    case 'text':
      if (columns !== undefined) {
        throw new CliError(
          exitCodes.usage,
          '--format text has no columns: leave out --column, or name another format.',
        );
      }
      return plainRows(text);
    default:
      return format satisfies never;
  }
}

async function peek(text: AsyncGenerator<string>): Promise<{ sample: string; all: AsyncIterable<string> }> {
  let sample = '';
  while (sample.length < submitLimits.sampleCharacters) {
    const { value, done } = await text.next();
    if (done) break;
    sample += value;
  }
  return { sample, all: startingWith(sample, text) };
}

async function* startingWith(start: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield start;
  yield* rest;
}

/** The decoder writes U+FFFD for bytes that are no UTF-8. */
function isUtf8(row: InputRow): boolean {
  if (row.kind !== 'row' || typeof row.value !== 'object' || row.value === null) return true;
  return !Object.values(row.value).some((value) => typeof value === 'string' && value.includes('\ufffd'));
}

function badUtf8(line: number): InputRow {
  return { kind: 'refused', line, code: 'bad-utf8', reason: 'it holds bytes that are no UTF-8' };
}
