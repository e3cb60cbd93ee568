import { extname } from 'node:path';

import { isIndicator } from './columns.ts';
import { commentText, isComment } from './comments.ts';
import type { DelimitedOptions } from './delimited.ts';
import { isHostsLine } from './plain.ts';

/** The names that `--format` takes. */
export const formatNames = ['csv', 'tsv', 'whitespace', 'json', 'ndjson', 'text'] as const;
export type FormatName = (typeof formatNames)[number];

export type Format =
  | { readonly kind: 'delimited'; readonly delimiter: DelimitedOptions['delimiter'] }
  | { readonly kind: 'json' | 'ndjson' | 'text' };

const byExtension: Readonly<Record<string, FormatName>> = {
  '.csv': 'csv',
  '.tsv': 'tsv',
  '.json': 'json',
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
};

/**
 * Decides how a file is read: by what the person said, else by its extension, else by its beginning.
 * @param sample the beginning of the text; a line that it cuts may be among them
 * @param hasColumns whether `--column` was given, so that lines have columns
 */
export function chooseFormat(
  sample: string,
  fileName: string,
  named: FormatName | undefined,
  hasColumns: boolean,
): Format {
  const name = named ?? byExtension[extname(fileName).toLowerCase()] ?? guess(sample, hasColumns);
  switch (name) {
    case 'csv':
      return { kind: 'delimited', delimiter: delimiterOf(sample) };
    case 'tsv':
      return { kind: 'delimited', delimiter: '\t' };
    case 'whitespace':
      return { kind: 'delimited', delimiter: 'whitespace' };
    case 'json':
    case 'ndjson':
    case 'text':
      return { kind: name };
    default:
      return name satisfies never;
  }
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
    .filter((line) => line !== '' && !isComment(line));
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
  const remarks = sample.split(/\r?\n/).filter(isComment).map(commentText);
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
