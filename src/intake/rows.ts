import { CsvError, parse } from 'csv-parse/sync';
import { observationFields } from '../indicator/observation.ts';
import { accept, type Parsed, refuse } from '../parsed.ts';
import { intakeLimits as limits } from './limits.ts';

/** One row of a body, numbered from 1 (a CSV header is not counted): a value to be parsed, or why there is none. */
export type Row =
  | { readonly row: number; readonly value: unknown }
  | { readonly row: number; readonly refusal: { readonly code: RowRefusal; readonly reason: string } };

export type RowRefusal = 'bad-json' | 'bad-csv' | 'line-too-long' | 'repeated-header';
export type RowsRefusal =
  | 'unknown-type'
  | 'bad-json'
  | 'json-depth'
  | 'bad-csv'
  | 'no-header'
  | 'unknown-column'
  | 'too-many-rows';

type Reader = (text: string) => Parsed<readonly Row[], RowsRefusal>;

const readers: ReadonlyMap<string, Reader> = new Map([
  ['application/json', readJson],
  ['application/x-ndjson', readNdjson],
  ['application/ndjson', readNdjson],
  ['application/jsonl', readNdjson],
  ['text/csv', readCsv],
  ['text/plain', readPlain],
]);

/** Media types of a submission. */
export const rowTypes: readonly string[] = [...readers.keys()];

/**
 * Splits a body into rows by its media type. What is wrong with one row is that row's refusal and costs no other; only a
 * body whose rows cannot be told apart is refused whole. Bytes that are not UTF-8 become U+FFFD, which marks the row that
 * holds them: parseObservation refuses it. Blank lines are no rows; comment lines are, and are refused.
 */
export function readRows(body: Uint8Array, contentType: string): Parsed<readonly Row[], RowsRefusal> {
  const type = contentType.split(';')[0]?.trim().toLowerCase() ?? '';
  const read = readers.get(type);
  if (read === undefined) {
    return refuse(
      'unknown-type',
      `${type === '' ? 'no Content-Type' : type} is not taken; allowed are ${rowTypes.join(', ')}`,
    );
  }
  // The decoder also takes off a byte order mark.
  const rows = read(new TextDecoder('utf-8').decode(body));
  if (rows.ok && rows.value.length > limits.rowsMax) {
    return refuse('too-many-rows', `${rows.value.length} rows; allowed are ${limits.rowsMax} in one request`);
  }
  return rows;
}

function readJson(text: string): Parsed<readonly Row[], RowsRefusal> {
  if (depthOf(text) > limits.jsonDepthMax) {
    return refuse('json-depth', `the JSON is nested deeper than ${limits.jsonDepthMax} levels`);
  }
  try {
    const value: unknown = JSON.parse(text);
    const rows = Array.isArray(value) ? value : [value];
    return accept(rows.map((row: unknown, i) => ({ row: i + 1, value: row })));
  } catch (error) {
    return refuse('bad-json', `the body is no JSON: ${sentence(error)}`);
  }
}

function readNdjson(text: string): Parsed<readonly Row[], RowsRefusal> {
  return eachLine(text, (line, row) => {
    if (depthOf(line) > limits.jsonDepthMax) {
      return {
        row,
        refusal: { code: 'bad-json', reason: `nested deeper than ${limits.jsonDepthMax} levels` },
      };
    }
    try {
      return { row, value: JSON.parse(line) };
    } catch (error) {
      return { row, refusal: { code: 'bad-json', reason: `the line is no JSON: ${sentence(error)}` } };
    }
  });
}

function readPlain(text: string): Parsed<readonly Row[], RowsRefusal> {
  return eachLine(text, (line, row) => ({ row, value: line.trim() }));
}

function readCsv(text: string): Parsed<readonly Row[], RowsRefusal> {
  let records: string[][];
  try {
    records = parse(text, {
      skip_empty_lines: true,
      relax_column_count: true,
      relax_quotes: true,
      trim: true,
      max_record_size: limits.lineCharactersMax,
    });
  } catch (error) {
    const where =
      error instanceof CsvError && typeof error['lines'] === 'number' ? ` (line ${error['lines']})` : '';
    return refuse('bad-csv', `the body is no CSV: ${sentence(error)}${where}`);
  }
  const [first, ...rest] = records;
  if (first === undefined) return accept([]);
  const header = first.map((name) => name.toLowerCase());
  if (!header.includes('indicator')) {
    return refuse(
      'no-header',
      'the first line of a CSV names its columns, and one of them is `indicator`; it may name ' +
        `${observationFields.join(', ')}`,
    );
  }
  const unknown = header.filter((name) => !observationFields.includes(name));
  if (unknown.length > 0) {
    return refuse(
      'unknown-column',
      `no field is called ${unknown.join(', ')}; known are ${observationFields.join(', ')}`,
    );
  }
  return accept(
    rest.map((cells, i): Row => {
      const row = i + 1;
      if (cells.length === header.length && cells.every((cell, at) => cell.toLowerCase() === header[at])) {
        return { row, refusal: { code: 'repeated-header', reason: 'this line is the header again' } };
      }
      if (cells.length > header.length && cells.slice(header.length).some((cell) => cell !== '')) {
        const reason = `${cells.length} cells for ${header.length} columns`;
        return { row, refusal: { code: 'bad-csv', reason } };
      }
      return { row, value: Object.fromEntries(header.map((name, at) => [name, cells[at] ?? ''])) };
    }),
  );
}

function eachLine(
  text: string,
  read: (line: string, row: number) => Row,
): Parsed<readonly Row[], RowsRefusal> {
  const rows: Row[] = [];
  for (const [i, line] of text.split('\n').entries()) {
    const row = i + 1;
    if (line.length > limits.lineCharactersMax) {
      const reason = `${line.length} characters in a line; allowed are ${limits.lineCharactersMax}`;
      rows.push({ row, refusal: { code: 'line-too-long', reason } });
    } else if (line.trim() !== '') {
      rows.push(read(line, row));
    }
  }
  return accept(rows);
}

/** How deep brackets nest, outside strings: JSON.parse would recurse as deep. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const letter = text[i];
    if (quoted) {
      if (letter === '\\') i++;
      else if (letter === '"') quoted = false;
    } else if (letter === '"') quoted = true;
    else if (letter === '{' || letter === '[') deepest = Math.max(deepest, ++depth);
    else if (letter === '}' || letter === ']') depth--;
  }
  return deepest;
}

function sentence(error: unknown): string {
  // Node quotes the input in its message; a stranger's bytes need not come back at length.
  return (error instanceof Error ? error.message : String(error)).slice(0, 200);
}
