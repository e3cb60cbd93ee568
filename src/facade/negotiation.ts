import { Problem } from './problem.ts';

/** What an answer can be written as. */
export type Format = 'json' | 'csv' | 'ndjson';

const mediaTypes = [
  ['application/json', 'json'],
  ['text/csv', 'csv'],
  ['application/x-ndjson', 'ndjson'],
  ['application/ndjson', 'ndjson'],
] as const;

/** One member of Accept or Accept-Encoding (RFC 9110, section 12.4.2). */
type Preference = { readonly name: string; readonly weight: number };

/**
 * The format that an Accept header asks for (RFC 9110, section 12.5.1): each type has the weight of the most specific range
 * that it matches; of equal ones the first in the header is taken. Throws Problem 406.
 */
export function negotiate(accept: string | undefined): Format {
  if (accept === undefined || accept.trim() === '') return 'json';
  const preferences = readPreferences(accept);
  let best: { readonly format: Format; readonly weight: number; readonly at: number } | undefined;
  for (const [type, format] of mediaTypes) {
    const ranges = [type, `${type.slice(0, type.indexOf('/'))}/*`, '*/*'];
    const range = ranges.find((name) => preferences.some((preference) => preference.name === name));
    const at = preferences.findIndex(({ name }) => name === range);
    const weight = preferences[at]?.weight ?? 0;
    if (weight === 0) continue;
    if (best === undefined || weight > best.weight || (weight === best.weight && at < best.at))
      best = { format, weight, at };
  }
  if (best !== undefined) return best.format;
  throw new Problem(406, `allowed are ${mediaTypes.map(([type]) => type).join(', ')}`);
}

/**
 * Which of the codings, best first, an Accept-Encoding header asks for (RFC 9110, section 12.5.3); `identity` when it asks for
 * none of them. Throws Problem 406 when it forbids that too.
 */
export function negotiateCoding<Coding extends string>(
  acceptEncoding: string | undefined,
  codings: readonly Coding[],
): Coding | 'identity' {
  if (acceptEncoding === undefined) return 'identity';
  const preferences = readPreferences(acceptEncoding.replace(/\bx-gzip\b/gi, 'gzip'));
  const weightOf = (coding: string) => preferences.find(({ name }) => name === coding)?.weight;
  const any = weightOf('*');
  // Not named, the plain bytes are what is taken if there is nothing else.
  const plain = weightOf('identity') ?? (any === 0 ? 0 : Number.MIN_VALUE);
  let best: { readonly coding: Coding | 'identity'; readonly weight: number } = {
    coding: 'identity',
    weight: plain,
  };
  for (const coding of [...codings].reverse()) {
    const weight = weightOf(coding) ?? any ?? 0;
    if (weight > 0 && weight >= best.weight) best = { coding, weight };
  }
  if (best.weight > 0) return best.coding;
  throw new Problem(406, `allowed in Accept-Encoding are ${[...codings, 'identity'].join(', ')}`);
}

/** A weight that is none counts as 0: it is not known what was meant. */
function readPreferences(header: string): readonly Preference[] {
  return header.split(',').map((member) => {
    const [name = '', ...parameters] = member.split(';').map((text) => text.trim().toLowerCase());
    const weight = parameters.find((text) => /^q\s*=/.test(text))?.replace(/^q\s*=\s*/, '');
    if (weight === undefined) return { name, weight: 1 };
    return { name, weight: /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(weight) ? Number(weight) : 0 };
  });
}
