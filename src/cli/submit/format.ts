import { extname } from 'node:path';
import { isHostsLine, isRemark } from '../../indicator/plain-line.ts';
import { isIndicator } from './columns.ts';
import { commentText } from './comments.ts';
import type { DelimitedOptions } from './delimited.ts';
import type { RowsPath } from './json-values.ts';
import { guessRowsPath } from './json-wrapping.ts';

/** The names that `--format` takes. */
export const formatNames = ['csv', 'tsv', 'whitespace', 'json', 'ndjson', 'text'] as const;
export type FormatName = (typeof formatNames)[number];

export type Format =
  | { readonly kind: 'delimited'; readonly delimiter: DelimitedOptions['delimiter'] }
  | { readonly kind: 'json'; readonly rows: RowsPath }
  | { readonly kind: 'ndjson' | 'text' };

const byExtension: Readonly<Record<string, FormatName>> = {
  '.csv': 'csv',
  '.tsv': 'tsv',
  '.json': 'json',
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
};

/** What the person said of a file; its name may say more. */
export type FormatHints = {
  /** Its extension tells the format; `-` for standard input. */
  readonly fileName: string;
  readonly format: FormatName | undefined;
  /** One character, or `whitespace`: then the file has columns. */
  readonly delimiter: string | undefined;
  /** Where the rows of JSON are. */
  readonly rows: RowsPath | undefined;
  /** Whether `--column` was given, so that lines have columns. */
  readonly hasColumns: boolean;
};

/**
 * Decides how a file is read: by what the person said, else by its extension, else by its beginning.
 * @param sample the beginning of the text; a line that it cuts may be among them
 */
export function chooseFormat(sample: string, hints: FormatHints): Format {
  const { fileName, format, delimiter, rows, hasColumns } = hints;
  if (delimiter !== undefined) return { kind: 'delimited', delimiter };
  const implied = rows === undefined ? undefined : 'json';
  const name = format ?? implied ?? byExtension[extname(fileName).toLowerCase()] ?? guess(sample, hasColumns);
  switch (name) {
    case 'csv':
      return { kind: 'delimited', delimiter: delimiterOf(sample) };
    case 'tsv':
      return { kind: 'delimited', delimiter: '\t' };
    case 'whitespace':
      return { kind: 'delimited', delimiter: 'whitespace' };
    case 'json':
      return { kind: 'json', rows: rows ?? guessRowsPath(sample) };
    case 'ndjson':
    case 'text':
      return { kind: name };
    default:
      return name satisfies never;
  }
}

const delimiterNames: ReadonlyMap<string, string> = new Map([
  ['comma', ','],
  ['semicolon', ';'],
  ['tab', '\t'],
  ['\\t', '\t'],
  ['pipe', '|'],
  ['space', 'whitespace'],
  ['whitespace', 'whitespace'],
]);

/** Reads `--delimiter`: one character, or the name of one; undefined for anything else. */
export function parseDelimiter(text: string): string | undefined {
  const named = delimiterNames.get(text.toLowerCase());
  if (named !== undefined) return named;
  if (text === ' ') return 'whitespace';
  return /^[^\s"\w]$|^\t$/.test(text) ? text : undefined;
}

/** Programs of many countries write CSV with semicolons. */
function delimiterOf(sample: string): DelimitedOptions['delimiter'] {
  const [first = ''] = dataLines(sample);
  const candidates = [',', ';', '\t', '|'] as const;
  return candidates.find((candidate) => first.includes(candidate)) ?? ',';
}

const guessedLinesMax = 50;

function guess(sample: string, hasColumns: boolean): FormatName {
  const lines = dataLines(sample).slice(0, guessedLinesMax);
  const [first = ''] = lines;
  if (first.startsWith('{')) return isJson(first) ? 'ndjson' : 'json';
  // `[` begins a JSON array, but also an IPv6 address with a port.
  if (/^\[\s*(?:$|[{"[\]])/.test(first)) return 'json';
  if (lines.length > 0 && lines.every((line) => line.trim().includes('\t'))) return 'tsv';
  if (hasColumns) return /[,;]/.test(first) ? 'csv' : 'whitespace';
  if (hasIndicatorTitle(sample)) return 'csv';
  if (lines.some(isHostsLine)) return 'text';
  return inColumns(lines) ? 'whitespace' : 'text';
}

function dataLines(sample: string): readonly string[] {
  return sample
    .split(/\r?\n/)
    .map((line) => line.trimStart())
    .filter((line) => line !== '' && !isRemark(line));
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

/** A comma alone proves nothing, as URLs hold commas; a header, plain or in a remark, that names the indicator does. */
function hasIndicatorTitle(sample: string): boolean {
  const [first = ''] = dataLines(sample);
  const remarks = sample.split(/\r?\n/).filter(isRemark).map(commentText);
  return [first, ...remarks].some(
    (line) => /^"?[\w "]+(?:,[\w "]+)+$/.test(line) && /\bindicator\b/.test(line),
  );
}

/** Lines of a list with a score or a date behind each indicator: the same number of words in each. */
function inColumns(lines: readonly string[]): boolean {
  const counts = new Set(lines.map((line) => line.trim().split(/\s+/).length));
  const [first = ''] = lines;
  const [word = ''] = first.trim().split(/\s+/);
  return counts.size === 1 && !counts.has(1) && isIndicator(word);
}
