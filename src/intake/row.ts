/**
 * One row of a body: a value to be parsed, or why there is none. Numbered from 1: by element in JSON, by line in NDJSON and
 * plain text, by record behind the header in CSV.
 */
export type Row =
  | { readonly row: number; readonly value: unknown }
  | { readonly row: number; readonly refusal: { readonly code: RowRefusal; readonly reason: string } };

export type RowRefusal = 'bad-json' | 'bad-csv' | 'line-too-long' | 'repeated-header';

/** Why a body is refused whole. */
export type RowsRefusal =
  | 'unknown-type'
  | 'bad-json'
  | 'json-depth'
  | 'bad-csv'
  | 'no-header'
  | 'unknown-column'
  | 'repeated-column'
  | 'too-many-rows';

export function refuseRow(row: number, code: RowRefusal, reason: string): Row {
  return { row, refusal: { code, reason } };
}
