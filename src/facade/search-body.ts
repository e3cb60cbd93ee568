import { parseJson } from '../intake/json-rows.ts';
import { accept, type Parsed, refuse } from '../parsed.ts';
import { searchLimits } from '../query/limits.ts';

/** Media types of a search. */
export const searchTypes = [
  'application/json',
  'application/x-ndjson',
  'application/ndjson',
  'text/plain',
] as const;

/** A value as it stands in the body; undefined where there is something else than a text. */
export type Sent = { readonly row: number; readonly value: string | undefined };

export type SearchBodyCode = 'unknown-type' | 'bad-json' | 'json-depth' | 'too-many-rows' | 'no-indicators';

const utf8 = new TextDecoder('utf-8');

/**
 * Reads the values of a search: `{ "indicators": [...] }`, an array, NDJSON, or one a line. A value is a text, or an object
 * with an `indicator`. Blank lines are none. Refuses a body that is too long whole: half an answer would look like a whole.
 */
export function readSearch(body: Uint8Array, contentType: string): Parsed<readonly Sent[], SearchBodyCode> {
  const type = contentType.split(';')[0]?.trim().toLowerCase() ?? '';
  const text = utf8.decode(body);
  const sent = type === 'application/json' ? readJson(text) : readLines(text, type);
  if (!sent.ok || sent.value.length <= searchLimits.valuesMax) return sent;
  return refuse(
    'too-many-rows',
    `${sent.value.length} values; allowed are up to ${searchLimits.valuesMax} in one request`,
  );
}

function readJson(text: string): Parsed<readonly Sent[], SearchBodyCode> {
  const json = parseJson(text);
  if (!json.ok) return refuse(json.code, `the body is ${json.reason}`);
  const values = listOf(json.value);
  if (values === undefined) {
    return refuse(
      'no-indicators',
      'allowed is { "indicators": ["192.0.2.1", "example.com"] }, or the list alone',
    );
  }
  return accept(values.map((value, i) => ({ row: i + 1, value: textOf(value) })));
}

function listOf(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value;
  if (typeof value !== 'object' || value === null || !('indicators' in value)) return undefined;
  return Array.isArray(value.indicators) && Object.keys(value).length === 1 ? value.indicators : undefined;
}

function readLines(text: string, type: string): Parsed<readonly Sent[], SearchBodyCode> {
  if (!searchTypes.some((known) => known === type)) {
    return refuse(
      'unknown-type',
      `${type === '' ? 'no Content-Type' : type} is not taken; allowed are ${searchTypes.join(', ')}`,
    );
  }
  const sent: Sent[] = [];
  for (const [i, line] of text.split('\n', linesMax).entries()) {
    if (line.trim() === '') continue;
    sent.push({ row: i + 1, value: type === 'text/plain' ? line.trim() : textOfLine(line) });
  }
  return accept(sent);
}

/** Blank lines may stand between values, but a body of nothing else must not cost more than one of values. */
const linesMax = 100_000;

function textOfLine(line: string): string | undefined {
  const json = parseJson(line);
  return json.ok ? textOf(json.value) : undefined;
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null || !('indicator' in value)) return undefined;
  return typeof value.indicator === 'string' ? value.indicator : undefined;
}
