import type { ColumnChoice } from './columns.ts';
import { isComment } from './comments.ts';
import { jsonValues } from './json-values.ts';
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
    } else if (text.trim() !== '' && !(skipComments && isComment(text))) yield rowOf(line, text, columns);
  }
}

/** Rows of a JSON array, element by element, or of JSON objects one after the other. */
export async function* jsonRows(
  chunks: AsyncIterable<string>,
  columns: readonly ColumnChoice[] | undefined,
): AsyncGenerator<InputRow> {
  for await (const piece of jsonValues(chunks)) {
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
  if (columns === undefined || typeof value !== 'object' || value === null)
    return { kind: 'row', line, value };
  return choose(line, new Map(Object.entries(value)), columns);
}

function choose(
  line: number,
  members: ReadonlyMap<string, unknown>,
  columns: readonly ColumnChoice[],
): InputRow {
  const row: Record<string, unknown> = {};
  for (const { field, from } of columns) {
    const member = members.get(String(from));
    if (member !== undefined) row[field] = member;
    else if (field === 'indicator') {
      return { kind: 'refused', line, code: 'no-indicator', reason: `it has no member ${from}` };
    }
  }
  return { kind: 'row', line, value: row };
}
