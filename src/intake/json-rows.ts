import { rowListNames } from '../indicator/row-lists.ts';
import { accept, type Parsed, refuse } from '../parsed.ts';
import { intakeLimits as limits } from './limits.ts';
import { type Row, type RowsRefusal, refuseRow } from './row.ts';

/** The elements of an array, or of the list that an object wraps (`{"data": [...]}`), or the one value that stands alone. */
export function readJson(text: string): Parsed<readonly Row[], RowsRefusal> {
  const value = parseJson(text);
  if (!value.ok) return refuse(value.code, `the body is ${value.reason}`);
  const rows = listOf(value.value) ?? [value.value];
  return accept(rows.map((row, i) => ({ row: i + 1, value: row })));
}

/** An object that names an indicator is a row itself. */
function listOf(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value;
  if (typeof value !== 'object' || value === null || 'indicator' in value) return undefined;
  const lists = Object.entries(value).filter(
    ([name, list]) => rowListNames.includes(name) && Array.isArray(list),
  );
  return lists.length === 1 ? lists[0]?.[1] : undefined;
}

/** A line of NDJSON. */
export function readJsonLine(line: string, row: number): Row {
  const value = parseJson(line);
  return value.ok ? { row, value: value.value } : refuseRow(row, 'bad-json', `the line is ${value.reason}`);
}

/**
 * Parses JSON of which we know first that it is shallow, has no more elements than rows are allowed, and is closed. The
 * refusal's reason goes on a sentence: `the body is ...`.
 */
export function parseJson(text: string): Parsed<unknown, 'bad-json' | 'json-depth' | 'too-many-rows'> {
  const { depth, elements, openAt } = shapeOf(text);
  if (depth > limits.jsonDepthMax) {
    return refuse('json-depth', `JSON nested deeper than the ${limits.jsonDepthMax} levels that are allowed`);
  }
  if (elements > limits.rowsMax) {
    return refuse(
      'too-many-rows',
      `JSON of more than the ${limits.rowsMax} rows that are allowed: send it in parts`,
    );
  }
  if (openAt !== undefined) {
    return refuse('bad-json', `no JSON: the ${text[openAt]} at ${placeOf(text, openAt)} is never closed`);
  }
  try {
    return accept(JSON.parse(text));
  } catch (error) {
    return refuse('bad-json', `no JSON: ${messageOf(error)}`);
  }
}

type Shape = {
  /** How deep brackets nest: JSON.parse would recurse as deep. */
  readonly depth: number;
  /** Of the outermost array, or of the lists in the outermost object, give or take one. */
  readonly elements: number;
  /** Where the last bracket or quote stands that is never closed. */
  readonly openAt: number | undefined;
};

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** What brackets, commas and quotes tell; stops where a cap is passed. Whether it is JSON is for JSON.parse to say. */
function shapeOf(text: string): Shape {
  const open: number[] = [];
  let depth = 0;
  let elements = 1;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === quote) {
      const end = endOfString(text, i);
      if (end === -1) return { depth, elements, openAt: i };
      i = end;
    } else if (code === openBracket || code === openBrace) {
      depth = Math.max(depth, open.push(i));
      if (depth > limits.jsonDepthMax) break;
    } else if (code === closeBracket || code === closeBrace) open.pop();
    else if (code === comma && isInList(text, open)) {
      if (++elements > limits.rowsMax) break;
    }
  }
  return { depth, elements, openAt: open.at(-1) };
}

/** Whether the brackets that are open are an array, or an object and an array in it. */
function isInList(text: string, open: readonly number[]): boolean {
  const [outer = 0, inner] = open;
  if (inner === undefined) return open.length === 1 && text.charCodeAt(outer) === openBracket;
  return open.length === 2 && text.charCodeAt(outer) === openBrace && text.charCodeAt(inner) === openBracket;
}

/** Where the string that begins at `start` ends, or -1. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end;
}

/** An odd number of backslashes stands before it. */
function isEscaped(text: string, at: number): boolean {
  let before = at - 1;
  while (text.charCodeAt(before) === backslash) before--;
  return (at - before) % 2 === 0;
}

function placeOf(text: string, at: number): string {
  const lines = text.slice(0, at).split('\n');
  return `line ${lines.length}, character ${(lines.at(-1) ?? '').length + 1}`;
}

function messageOf(error: unknown): string {
  // Node quotes the input in its message; a stranger's bytes need not come back at length.
  return (error instanceof Error ? error.message : String(error)).slice(0, 200);
}
