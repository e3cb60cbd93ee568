import type { Parsed } from '../parsed.ts';
import type { Row, RowsRefusal } from './row.ts';
import { readRows } from './rows.ts';

/**
 * The rows of a message without a media type: one indicator in JSON, an array of them, or NDJSON. What is no JSON as a whole
 * and has several lines is read as NDJSON, so that a bad line costs no other.
 */
export function readJsonMessage(bytes: Uint8Array): Parsed<readonly Row[], RowsRefusal> {
  const rows = readRows(bytes, 'application/json');
  if (rows.ok || rows.code !== 'bad-json' || !hasLines(bytes)) return rows;
  return readRows(bytes, 'application/x-ndjson');
}

const lineEnd = 0x0a;
const space = 0x20;

/** Whether something stands behind the first line end. */
function hasLines(bytes: Uint8Array): boolean {
  const first = bytes.indexOf(lineEnd);
  return first !== -1 && bytes.subarray(first).some((byte) => byte > space);
}
