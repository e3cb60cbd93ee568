import { type CsvRow, csvHeader, csvLine } from '../feed/csv.ts';
import type { Format } from './negotiation.ts';
import { type Rendered, rendered } from './rendering.ts';

/** One answer of query mode, whatever the format. */
export type Page = {
  readonly defaults: Readonly<Record<string, unknown>>;
  readonly fields: readonly string[];
  readonly rows: readonly CsvRow[];
  readonly next: string | undefined;
  /** What the stream says behind it is not, or not all, in this answer: it was taken before anything was read. */
  readonly streamCursor: string;
  /** Why the values asked for are in a feed or are not, when that was asked. */
  readonly explain?: readonly unknown[];
};

/** Where a reader of the stream goes on that has read the whole of an answer; of its pages that of the first. */
export const streamCursorHeader = 'tocsin-stream-cursor';

export function renderPage(page: Page, format: Format): Rendered {
  const { defaults, fields, rows, next, explain, streamCursor } = page;
  const headers = {
    'tocsin-mode': 'query',
    [streamCursorHeader]: streamCursor,
    'tocsin-defaults': JSON.stringify(defaults),
    ...(next !== undefined && { 'tocsin-next': next }),
  };
  if (format === 'csv') {
    const bytes = rendered(rows, (row) => csvLine(row, fields), csvHeader(fields));
    return { contentType: contentTypes.csv, headers, bytes };
  }
  const meta = {
    mode: 'query',
    defaults,
    count: rows.length,
    ...(next !== undefined && { next }),
    stream_cursor: streamCursor,
    ...(explain !== undefined && { explain }),
  };
  return renderJson(meta, rows, format, headers);
}

/** Rows as JSON with `meta` before them, or as NDJSON without. */
export function renderJson(
  meta: Readonly<Record<string, unknown>>,
  rows: readonly object[],
  format: 'json' | 'ndjson',
  headers: Readonly<Record<string, string>> = {},
): Rendered {
  const bytes =
    format === 'ndjson'
      ? rendered(rows, (row) => `${JSON.stringify(row)}\n`)
      : rendered(rows, (row, i) => (i === 0 ? '' : ',') + JSON.stringify(row), jsonBefore(meta), jsonAfter);
  return { contentType: contentTypes[format], headers, bytes };
}

export const contentTypes: Readonly<Record<Format, string>> = {
  json: 'application/json',
  csv: 'text/csv; charset=utf-8',
  ndjson: 'application/x-ndjson',
};

/** What stands around the rows of an answer in JSON. */
export function jsonBefore(meta: Readonly<Record<string, unknown>>): string {
  return `{"meta":${JSON.stringify(meta)},"data":[`;
}
export const jsonAfter = ']}\n';
