import { accept, type Parsed, refuse } from '../parsed.ts';
import { readText } from './fields.ts';
import { observationLimits } from './limits.ts';
import { parseObservation, type RefusalCode, standardDefaults } from './observation.ts';
import { quote } from './quote.ts';
import type { Sighting } from './types.ts';

/** What a row of sightings that does not say means. */
export type SightingDefaults = { readonly provider: string; readonly group: string };

/** Every field that a row of sightings may have. */
export const sightingFields: readonly string[] = ['indicator', 'itype', 'provider', 'group', 'count', 'time'];

/**
 * Makes a sighting of a stranger's row: an indicator as text, or an object. Without a time it was seen now; without a count,
 * once. Never throws; a refusal names the field and what is allowed there.
 */
export function parseSighting(
  row: unknown,
  defaults: SightingDefaults,
  nowMs: number,
): Parsed<Sighting, RefusalCode> {
  // Each of its fields is one of an observation; only the time has another name.
  const read = readRow(row);
  if (!read.ok) return read;
  const parsed = parseObservation(read.value, { ...standardDefaults, ...defaults }, nowMs);
  if (!parsed.ok) return refuse(parsed.code, parsed.reason.replace(/^lasttime:/, 'time:'));
  const { itype, indicator, provider, group, count, lasttimeMs: timeMs } = parsed.value;
  return accept({ itype, indicator, provider, group, count, timeMs });
}

function readRow(row: unknown): Parsed<unknown, RefusalCode> {
  if (typeof row !== 'object' || row === null || Array.isArray(row)) return accept(row);
  const unknown = Object.keys(row).find((name) => !sightingFields.includes(name));
  if (unknown !== undefined) {
    return refuse(
      'unknown-field',
      `${quote(unknown)} is no field of a sighting; allowed are ${sightingFields.join(', ')}`,
    );
  }
  const { time, ...fields } = row as Readonly<Record<string, unknown>>;
  return accept({ ...fields, lasttime: time });
}

/** Why something is taken back, in a sentence. */
export function parseReason(text: string): Parsed<string, RefusalCode> {
  return readText(text, observationLimits.reasonCharactersMax);
}
