import { CsvError, parse } from 'csv-parse/sync';
import { quote } from '../indicator/quote.ts';
import { accept, type Parsed, refuse } from '../parsed.ts';
import { intakeLimits as limits } from './limits.ts';
import { type Row, type RowsRefusal, refuseRow } from './row.ts';

/** Stands for a line that is too long for the parser. Unicode never assigns it (a noncharacter). */
const longLine = '\uffff';
/** Names of columns that a refusal shows. */
const shownMax = 5;

/**
 * CSV as RFC 4180 has it, and as real feeds write it: lines may end either way, quotes may stand within a cell, cells at the
 * end may be missing or empty. The first line names the columns, each one of `fields`, in any case of letters. Remarks before
 * it (`# ...`) are a banner, and one of them may be the header: `# indicator,tags`.
 */
export function readCsv(text: string, fields: readonly string[]): Parsed<readonly Row[], RowsRefusal> {
  const records = parseRecords(withoutLongLines(text));
  if (!records.ok) return records;
  const { titles, rows } = splitBanner(records.value);
  if (titles === undefined) return accept([]);
  const header = readHeader(titles, fields);
  if (!header.ok) return header;
  return accept(
    rows.flatMap((cells, i) => (isRemark(header.value, cells) ? [] : readRecord(header.value, cells, i + 1))),
  );
}

type Cells = readonly string[];

/** The titles of the columns, in the first line that is no remark or in a remark before it, and the rows behind. */
function splitBanner(records: readonly Cells[]): {
  readonly titles?: Cells;
  readonly rows: readonly Cells[];
} {
  const start = records.findIndex(([cell = '']) => !cell.startsWith('#'));
  const first = records[start];
  if (first === undefined) return { rows: [] };
  const rows = records.slice(start + 1);
  if (namesIndicator(first)) return { titles: first, rows };
  const remark = records
    .slice(0, start)
    .map(([cell = '', ...cells]) => [cell.replace(/^#+\s*/, ''), ...cells])
    .findLast(namesIndicator);
  return remark === undefined ? { titles: first, rows } : { titles: remark, rows: records.slice(start) };
}

function namesIndicator(cells: Cells): boolean {
  return cells.some((cell) => cell.toLowerCase() === 'indicator');
}

/** `# END 12 entries`. Another first column than the indicator may hold hashtags. */
function isRemark(header: Cells, cells: Cells): boolean {
  return cells[0]?.startsWith('#') === true && (cells.length === 1 || header[0] === 'indicator');
}

function parseRecords(text: string): Parsed<readonly (readonly string[])[], RowsRefusal> {
  try {
    return accept(
      parse(text, {
        record_delimiter: ['\r\n', '\n'],
        skip_empty_lines: true,
        relax_column_count: true,
        relax_quotes: true,
        trim: true,
        max_record_size: limits.bodyBytesMax,
        // The header, and one row more than is allowed.
        to: limits.rowsMax + 2,
      }),
    );
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    // What stands behind an open quote cannot be told apart. The header is a record, so their number is that of the row.
    const where =
      error.code === 'CSV_QUOTE_NOT_CLOSED'
        ? `a quote opens in row ${error['records']} and is not closed`
        : error.message.slice(0, 200);
    return refuse('bad-csv', `the body is no CSV: ${where}`);
  }
}

function readHeader(
  cells: readonly string[],
  fields: readonly string[],
): Parsed<readonly string[], RowsRefusal> {
  const names = cells.map((name) => name.toLowerCase());
  // A comma at the end of each line makes a column without name.
  while (names.at(-1) === '') names.pop();
  const known = fields.join(', ');
  if (!names.includes('indicator')) {
    return refuse(
      'no-header',
      `the first line of a CSV names its columns, and one of them is \`indicator\`; it may name ${known}`,
    );
  }
  const unknown = names.filter((name) => !fields.includes(name));
  if (unknown.length > 0) {
    const shown = unknown.slice(0, shownMax).map(quote).join(', ');
    const more = unknown.length > shownMax ? ` and ${unknown.length - shownMax} more` : '';
    return refuse('unknown-column', `no field is called ${shown}${more}; known are ${known}`);
  }
  const repeated = names.find((name, i) => names.indexOf(name) !== i);
  if (repeated !== undefined)
    return refuse('repeated-column', `two columns are called ${repeated}; one is allowed`);
  return accept(names);
}

function readRecord(header: readonly string[], cells: readonly string[], row: number): Row {
  const [first] = cells;
  if (first === longLine && cells.length === 1) {
    return refuseRow(
      row,
      'line-too-long',
      `a line is longer than the ${limits.lineCharactersMax} characters that are allowed`,
    );
  }
  if (header.every((name, at) => cells[at]?.toLowerCase() === name)) {
    return refuseRow(row, 'repeated-header', 'this line is the header again');
  }
  if (cells.slice(header.length).some((cell) => cell !== '')) {
    return refuseRow(row, 'bad-csv', `${cells.length} cells for ${header.length} columns`);
  }
  return { row, value: Object.fromEntries(header.map((name, at) => [name, cells[at] ?? ''])) };
}

/** The parser has no cap on cells: 16 million commas in one line would keep it for half a minute. */
function withoutLongLines(text: string): string {
  const kept: string[] = [];
  let keptTo = 0;
  for (let start = 0; start < text.length; ) {
    const found = text.indexOf('\n', start);
    const end = found === -1 ? text.length : found;
    if (end - start > limits.lineCharactersMax) {
      kept.push(text.slice(keptTo, start), longLine);
      keptTo = end;
    }
    start = end + 1;
  }
  return kept.length === 0 ? text : kept.join('') + text.slice(keptTo);
}
