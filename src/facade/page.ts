import { type CsvRow, csvHeader, csvLine } from '../feed/csv.ts';
import { chunked } from './rendering.ts';

/** One answer of `GET /indicators`, whatever the format. */
export type Page = {
  readonly mode: 'feed' | 'query';
  readonly defaults: Readonly<Record<string, unknown>>;
  readonly fields: readonly string[];
  readonly rows: readonly CsvRow[];
  readonly next: string | undefined;
  readonly allowlisted: number;
};

export function render(
  { mode, defaults, fields, rows, next, allowlisted }: Page,
  format: 'json' | 'csv' | 'ndjson',
): Response {
  const headers = {
    'tocsin-mode': mode,
    'tocsin-defaults': JSON.stringify(defaults),
    'tocsin-allowlisted': String(allowlisted),
    ...(next !== undefined && { 'tocsin-next': next }),
  };
  if (format === 'csv') {
    return chunked(
      'text/csv; charset=utf-8',
      headers,
      rows,
      (row) => csvLine(row, fields),
      csvHeader(fields),
    );
  }
  if (format === 'ndjson')
    return chunked('application/x-ndjson', headers, rows, (row) => `${JSON.stringify(row)}\n`);
  const meta = { mode, defaults, count: rows.length, ...(next !== undefined && { next }), allowlisted };
  return chunked(
    'application/json',
    headers,
    rows,
    (row, i) => (i === 0 ? '' : ',') + JSON.stringify(row),
    `{"meta":${JSON.stringify(meta)},"data":[`,
    ']}\n',
  );
}
