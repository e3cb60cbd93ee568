import { observationFields } from '../indicator/observation.ts';
import { indicatorsOfLine } from '../indicator/plain-line.ts';
import { accept, type Parsed, refuse } from '../parsed.ts';
import { readCsv } from './csv-rows.ts';
import { readJson, readJsonLine } from './json-rows.ts';
import { intakeLimits as limits } from './limits.ts';
import { type Row, type RowsRefusal, refuseRow } from './row.ts';

/** It also takes off a byte order mark, and keeps nothing between two bodies. */
const utf8 = new TextDecoder('utf-8');

type Reader = (text: string, fields: readonly string[]) => Parsed<readonly Row[], RowsRefusal>;

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

/** Whether a body of this Content-Type is NDJSON, under any of its names. */
export function isNdjson(contentType: string): boolean {
  return readers.get(mediaType(contentType)) === readNdjson;
}

/**
 * Splits a body into rows by its media type. What is wrong with one row is that row's refusal and costs no other; only a
 * body whose rows cannot be told apart, or that has too many, or whose CSV names none of `fields`, is refused whole. Bytes
 * that are not UTF-8 become U+FFFD, which marks the row that holds them: parseObservation refuses it. Blank lines are no
 * rows, nor are remarks in plain text. Work stops where a cap is passed: a body of commas or line ends must not cost more
 * than one of indicators.
 */
export function readRows(
  body: Uint8Array,
  contentType: string,
  fields: readonly string[] = observationFields,
): Parsed<readonly Row[], RowsRefusal> {
  const type = mediaType(contentType);
  const read = readers.get(type);
  if (read === undefined) {
    return refuse(
      'unknown-type',
      `${type === '' ? 'no Content-Type' : type} is not taken; allowed are ${rowTypes.join(', ')}`,
    );
  }
  const rows = read(utf8.decode(body), fields);
  if (rows.ok && rows.value.length > limits.rowsMax) {
    return refuse('too-many-rows', `more than ${limits.rowsMax} rows in one request: send them in parts`);
  }
  return rows;
}

function mediaType(contentType: string): string {
  return contentType.split(';')[0]?.trim().toLowerCase() ?? '';
}

function readNdjson(text: string): Parsed<readonly Row[], RowsRefusal> {
  return eachLine(text, readJsonLine);
}

/** One indicator a line, or the names of a hosts file or a filter list. Lines of remarks count for the cap, and are no rows. */
function readPlain(text: string): Parsed<readonly Row[], RowsRefusal> {
  const lines = eachLine(text, (line, row) => ({ row, value: line }));
  if (!lines.ok || lines.value.length > limits.rowsMax) return lines;
  return accept(lines.value.flatMap((each) => ('refusal' in each ? [each] : rowsOfLine(each))));
}

function rowsOfLine({ row, value }: { readonly row: number; readonly value: unknown }): readonly Row[] {
  return indicatorsOfLine(String(value)).map((indicator) => ({ row, value: indicator }));
}

function eachLine(
  text: string,
  read: (line: string, row: number) => Row,
): Parsed<readonly Row[], RowsRefusal> {
  const rows: Row[] = [];
  for (let start = 0, row = 1; start < text.length && rows.length <= limits.rowsMax; row++) {
    const found = text.indexOf('\n', start);
    const end = found === -1 ? text.length : found;
    if (end - start > limits.lineCharactersMax) {
      const reason = `${end - start} characters in a line; allowed are ${limits.lineCharactersMax}`;
      rows.push(refuseRow(row, 'line-too-long', reason));
    } else if (end > start) {
      const line = text.slice(start, end);
      if (line.trim() !== '') rows.push(read(line, row));
    }
    start = end + 1;
  }
  return accept(rows);
}
