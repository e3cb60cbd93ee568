import { isRemark, withoutTail } from '../../indicator/plain-line.ts';
import { type ColumnChoice, type ColumnPlan, isUnstated, planColumns } from './columns.ts';
import { commentText } from './comments.ts';
import { type CellRow, csvCells } from './csv.ts';
import { submitLimits } from './limits.ts';
import { type InputRow, refuseTooLong } from './row.ts';
import { type Line, splitLines } from './text.ts';

export type DelimitedOptions = {
  /** One character, or `whitespace`: any run of spaces and tabs. */
  readonly delimiter: string;
  readonly columns: readonly ColumnChoice[] | undefined;
  readonly skipComments: boolean;
};

/**
 * Rows of a CSV, TSV or whitespace-separated file. Remarks before the first row are a banner, never rows. Later ones are rows
 * unless they are to be skipped, as a cell may begin like a remark: a hashtag, say. In a list that is separated by blanks,
 * and on a line without any delimiter, they are none.
 */
export async function* delimitedRows(
  chunks: AsyncIterable<string>,
  options: DelimitedOptions,
): AsyncGenerator<InputRow> {
  const banner: string[] = [];
  const tooLong: InputRow[] = [];
  const lines = dataLines(splitLines(chunks), options, banner, tooLong);
  const rows = options.delimiter === 'whitespace' ? spacedCells(lines) : csvCells(lines, options.delimiter);
  let plan: ColumnPlan | undefined;
  for await (const row of rows) {
    if (row.kind !== 'cells') yield row;
    else if (plan === undefined) {
      const remarks = banner.map((line) => headerCells(line, options.delimiter));
      plan = planColumns(row.cells, remarks, options.columns);
      if (!plan.firstIsHeader) yield pickFields(row.line, row.cells, plan);
    } else yield pickFields(row.line, row.cells, plan);
    yield* tooLong.splice(0);
  }
  yield* tooLong;
}

function pickFields(line: number, cells: readonly string[], plan: ColumnPlan): InputRow {
  const value: Record<string, string> = {};
  for (const { field, index, column } of plan.picks) {
    const cell = cells[index] ?? '';
    if (field === 'indicator' ? cell !== '' : !isUnstated(cell)) value[field] = cell;
    else if (field === 'indicator') {
      return { kind: 'refused', line, code: 'no-indicator', reason: `${column} is empty or missing` };
    }
  }
  return { kind: 'row', line, value };
}

/**
 * Lines whose remarks are emptied rather than dropped, so that every line keeps its number. The last remarks before
 * the first row go to `banner`, lines that are too long to `tooLong`.
 */
async function* dataLines(
  lines: AsyncIterable<Line>,
  { delimiter, skipComments }: DelimitedOptions,
  banner: string[],
  tooLong: InputRow[],
): AsyncGenerator<Line> {
  let begun = false;
  for await (const line of lines) {
    // An empty first cell before a semicolon is no remark.
    const remark = isRemark(line.text) && !line.text.trimStart().startsWith(delimiter);
    const skipped =
      remark && (skipComments || !begun || delimiter === 'whitespace' || !line.text.includes(delimiter));
    if (line.tooLong) tooLong.push(refuseTooLong(line));
    else if (remark && !begun) {
      banner.push(line.text);
      if (banner.length > submitLimits.bannerLinesMax) banner.shift();
    } else if (line.text.trim() !== '') begun = true;
    yield line.tooLong || skipped ? { ...line, text: '' } : line;
  }
}

async function* spacedCells(lines: AsyncIterable<Line>): AsyncGenerator<CellRow | InputRow> {
  for await (const { line, text } of lines) {
    const cells = withoutTail(text).trim().split(/\s+/);
    if (cells[0] !== '') yield { kind: 'cells', line, cells };
  }
}

function headerCells(remark: string, delimiter: DelimitedOptions['delimiter']): readonly string[] {
  const cells = commentText(remark).split(delimiter === 'whitespace' ? /\s+/ : delimiter);
  const titles = cells.map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'));
  // Zeek's header names itself: `#fields<TAB>indicator<TAB>...`.
  return titles[0] === 'fields' ? titles.slice(1) : titles;
}
