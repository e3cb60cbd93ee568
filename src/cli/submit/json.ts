import { isRemark } from '../../indicator/plain-line.ts';
import { type ColumnChoice, isUnstated, rowFields } from './columns.ts';
import { jsonValues, type RowsPath } from './json-values.ts';
import { type InputRow, refuseTooLong } from './row.ts';
import { splitLines } from './text.ts';

/** Rows of a file with one JSON value a line. A bad line is refused alone. */
export async function* ndjsonRows(
  chunks: AsyncIterable<string>,
  columns: readonly ColumnChoice[] | undefined,
  skipComments: boolean,
): AsyncGenerator<InputRow> {
  for await (const row of splitLines(chunks)) {
    const { line, text, tooLong } = row;
    if (tooLong) {
      yield refuseTooLong(row);
    } else if (text.trim() !== '' && !(skipComments && isRemark(text))) yield rowOf(line, text, columns);
  }
}

/** Rows of a JSON array, element by element, of JSON objects one after the other, or of what stands at `path` in them. */
export async function* jsonRows(
  chunks: AsyncIterable<string>,
  columns: readonly ColumnChoice[] | undefined,
  path: RowsPath,
): AsyncGenerator<InputRow> {
  for await (const piece of jsonValues(chunks, path)) {
    yield piece.kind === 'broken' ? piece : rowOf(piece.line, piece.text, columns);
  }
}

function rowOf(line: number, text: string, columns: readonly ColumnChoice[] | undefined): InputRow {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { kind: 'refused', line, code: 'bad-json', reason: `it is no JSON: ${why}` };
  }
  if (typeof value === 'string') return { kind: 'row', line, value: { indicator: value } };
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { kind: 'row', line, value };
  return choose(line, new Map(Object.entries(value)), columns ?? ownNames);
}

/** As in CSV: members that are fields of a row are taken under their own names, and others stay behind. */
const ownNames: readonly ColumnChoice[] = rowFields.map((field) => ({ field, from: field }));

const shownMax = 10;

function choose(
  line: number,
  members: ReadonlyMap<string, unknown>,
  columns: readonly ColumnChoice[],
): InputRow {
  const row: Record<string, unknown> = {};
  for (const { field, from } of columns) {
    const member = members.get(String(from));
    if (field !== 'indicator') {
      if (member !== undefined && !isUnstated(member)) row[field] = member;
    } else if (member !== undefined && member !== null) {
      // The number of an autonomous system.
      row['indicator'] = typeof member === 'number' ? String(member) : member;
    } else {
      const names = [...members.keys()].slice(0, shownMax).join(', ');
      const reason = `it has no member ${from}; say with --column which one is the indicator: it has ${names}`;
      return { kind: 'refused', line, code: 'no-indicator', reason };
    }
  }
  return { kind: 'row', line, value: row };
}
