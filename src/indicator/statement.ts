import { accept, type Parsed, refuse } from '../parsed.ts';
import { canonicalise } from './canonical.ts';
import { readInteger, readItype, readName, readText } from './fields.ts';
import { observationLimits as limits } from './limits.ts';
import type { RefusalCode } from './observation.ts';
import { quote } from './quote.ts';
import { parseTime } from './times.ts';
import type { Itype, Sighting } from './types.ts';

/** What a row of sightings that does not say means. */
export type SightingDefaults = { readonly provider: string; readonly group: string };

type Mutable<T> = { -readonly [Field in keyof T]?: T[Field] };
type Stated = Mutable<Omit<Sighting, 'itype'>> & { itype?: Itype };

type ReadField = (value: unknown, stated: Stated, nowMs: number) => Parsed<unknown, RefusalCode>;

const fieldReaders: ReadonlyMap<string, ReadField> = new Map([
  ['indicator', field('indicator', readIndicator)],
  ['itype', field('itype', readItype)],
  ['provider', field('provider', readName)],
  ['group', field('group', readName)],
  ['count', field('count', (value) => readInteger(value, 1, limits.countMax))],
  ['time', field('timeMs', (value, nowMs) => readTime(value, nowMs))],
]);

/** Every field that a row of sightings may have. */
export const sightingFields: readonly string[] = [...fieldReaders.keys()];

/**
 * Makes a sighting of a stranger's row: an indicator as text, or an object. Without a time it was seen now; without a count,
 * once. Never throws; a refusal names the field and what is allowed there.
 */
export function parseSighting(
  row: unknown,
  defaults: SightingDefaults,
  nowMs: number,
): Parsed<Sighting, RefusalCode> {
  const fields = typeof row === 'string' ? { indicator: row } : row;
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
    return refuse(
      'not-a-row',
      'the row is neither text nor an object; allowed is an indicator, or an object',
    );
  }
  const stated: Stated = { ...defaults };
  for (const [name, value] of Object.entries(fields)) {
    if (value === null || value === undefined || value === '') continue;
    const read = fieldReaders.get(name);
    if (read === undefined)
      return refuse('unknown-field', `${quote(name)} is no field; allowed are ${sightingFields.join(', ')}`);
    const parsed = read(value, stated, nowMs);
    if (!parsed.ok) return refuse(parsed.code, `${name}: ${parsed.reason}`);
  }
  if (stated.indicator === undefined)
    return refuse('no-indicator', 'indicator: it is missing; allowed is text such as 192.0.2.1');
  const canonical = canonicalise(stated.indicator, stated.itype);
  if (!canonical.ok) return canonical;
  const { provider = defaults.provider, group = defaults.group, count = 1, timeMs = nowMs } = stated;
  return accept({ ...canonical.value, provider, group, count, timeMs });
}

/** Why something is taken back, in a sentence. */
export function parseReason(text: string): Parsed<string, RefusalCode> {
  return readText(text, limits.reasonCharactersMax);
}

function field<Field extends keyof Stated>(
  name: Field,
  read: (value: unknown, nowMs: number) => Parsed<Stated[Field], RefusalCode>,
): ReadField {
  return (value, stated, nowMs) => {
    const parsed = read(value, nowMs);
    if (parsed.ok) stated[name] = parsed.value;
    return parsed;
  };
}

function readIndicator(value: unknown): Parsed<string, RefusalCode> {
  return typeof value === 'string' ? accept(value) : refuse('wrong-type', 'the value is no text');
}

function readTime(value: unknown, nowMs: number): Parsed<number, RefusalCode> {
  if (typeof value === 'string' || typeof value === 'number')
    return parseTime(value, nowMs, limits.aheadMsMax);
  return refuse('wrong-type', 'the value is neither text nor a number; allowed are RFC 3339 times');
}
