import { parseColumns } from '../../../../src/cli/submit/columns.ts';
import { type ReadOptions, readRows } from '../../../../src/cli/submit/read-rows.ts';
import type { InputRow } from '../../../../src/cli/submit/row.ts';

export type Reading = Partial<Omit<ReadOptions, 'columns'>> & { readonly column?: string };

/** Every row of a text, which comes in pieces of a few bytes, so that each piece's border is tried. */
export async function rowsOfText(
  content: string | Uint8Array,
  reading: Reading = {},
): Promise<readonly InputRow[]> {
  const { column, ...rest } = reading;
  const columns = column === undefined ? undefined : parseColumns(column);
  const options = {
    fileName: '-',
    format: undefined,
    delimiter: undefined,
    rows: undefined,
    skipComments: false,
    ...rest,
    columns,
  };
  const rows: InputRow[] = [];
  for await (const row of readRows(inPieces(Buffer.from(content)), options)) rows.push(row);
  return rows;
}

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const pieceBytes = 7;
  for (let start = 0; start < bytes.length; start += pieceBytes)
    yield bytes.subarray(start, start + pieceBytes);
}

/** `line: indicator`, or `line! code` of a row that is not sent. */
export async function brief(content: string | Uint8Array, reading: Reading = {}): Promise<readonly string[]> {
  const rows = await rowsOfText(content, reading);
  return rows.map((row) => {
    if (row.kind === 'refused') return `${row.line}! ${row.code}`;
    if (row.kind === 'broken') return `${row.line}! broken`;
    return `${row.line}: ${(row.value as { indicator: string }).indicator}`;
  });
}
