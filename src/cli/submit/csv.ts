import { parse } from 'csv-parse/sync';

import { submitLimits } from './limits.ts';
import type { InputRow } from './row.ts';
import type { Line } from './text.ts';

/** The cells of a row, and the line where it begins. */
export type CellRow = { readonly kind: 'cells'; readonly line: number; readonly cells: readonly string[] };

/**
 * The cells of CSV (RFC 4180). A row with quotes that do not match is refused alone: an open quote would otherwise make
 * one cell of the rest of the file.
 */
export async function* csvCells(
  lines: AsyncIterable<Line>,
  delimiter: string,
): AsyncGenerator<CellRow | InputRow> {
  /** Whole rows that wait to be parsed together. */
  let group: Line[] = [];
  /** The lines of a row whose quote is still open. */
  let open: Line[] = [];
  for await (const line of lines) {
    const odd = hasOddQuotes(line.text, delimiter);
    if (open.length > 0) {
      open.push(line);
      if (!odd && open.length < submitLimits.recordLinesMax) continue;
      yield* parseLines(open, 1, delimiter);
      open = [];
    } else if (odd) {
      yield* parseLines(group, group.length, delimiter);
      group = [];
      open = [line];
    } else if (line.text.trim() !== '') {
      group.push(line);
      if (group.length < submitLimits.csvLinesAtOnce) continue;
      yield* parseLines(group, group.length, delimiter);
      group = [];
    }
  }
  yield* parseLines(group, group.length, delimiter);
  yield* parseLines(open, 1, delimiter);
}

function hasOddQuotes(text: string, delimiter: string): boolean {
  if (delimiter === tab) return false;
  let odd = false;
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at + 1)) odd = !odd;
  return odd;
}

const tab = '\t';

/** Parses lines that should be so many rows; when they are not, each line by itself. */
function* parseLines(lines: readonly Line[], rows: number, delimiter: string): Generator<CellRow | InputRow> {
  const records = tryParse(lines.map(({ text }) => text).join('\n'), delimiter);
  if (records?.length === rows) {
    for (const [index, cells] of records.entries())
      yield { kind: 'cells', line: lines[index]?.line ?? 0, cells };
    return;
  }
  for (const { line, text } of lines) {
    const [cells, ...more] = tryParse(text, delimiter) ?? [];
    if (cells !== undefined && more.length === 0) yield { kind: 'cells', line, cells };
    else if (text.trim() !== '') {
      yield { kind: 'refused', line, code: 'bad-csv', reason: 'its quotes do not match' };
    }
  }
}

function tryParse(text: string, delimiter: string): readonly (readonly string[])[] | undefined {
  try {
    return parse(text, {
      delimiter,
      record_delimiter: '\n',
      // A tab-separated file does not quote: a quote in it is text (IANA, text/tab-separated-values).
      quote: delimiter === tab ? null : '"',
      relax_quotes: true,
      relax_column_count: true,
      trim: true,
      max_record_size: submitLimits.recordLinesMax * submitLimits.lineCharactersMax,
    });
  } catch {
    return undefined;
  }
}
