import { type Canonical, type CanonicalCode, canonicalise } from '../indicator/canonical.ts';
import { hashItype } from '../indicator/hash.ts';
import { type Itype, itypes } from '../indicator/types.ts';
import { accept, type Parsed, refuse } from '../parsed.ts';
import { queryLimits } from './limits.ts';
import { type Pattern, parsePattern } from './pattern.ts';

/** What is asked about: one value, or the names that fit a pattern. */
export type Asked = Canonical | Pattern;

export type AskedCode = CanonicalCode | 'bad-pattern' | 'too-many-values';

/**
 * Reads `q`: a value, a pattern, or several of them between commas. A comma can also be in a URL: a text that reads as one
 * URL and as a list is taken as both. `stated` decides where the text alone cannot: `64500` is an asn when stated.
 */
export function readAsked(text: string, stated: Itype | undefined): Parsed<readonly Asked[], AskedCode> {
  const whole = readOne(text, stated);
  if (!text.includes(',')) return whole;
  const parts = text.split(',').filter((part) => part.trim() !== '');
  const asked: Asked[] = whole.ok ? [...whole.value] : [];
  for (const part of parts.slice(0, queryLimits.valuesMax + 1)) {
    const one = readOne(part, stated);
    if (one.ok) asked.push(...one.value);
    else return whole.ok ? whole : one;
  }
  if (parts.length > queryLimits.valuesMax) {
    return refuse(
      'too-many-values',
      `${parts.length} values; allowed are 1 to ${queryLimits.valuesMax} between commas. POST /indicators/search takes more`,
    );
  }
  if (asked.length === 0) return whole;
  return accept([...new Map(asked.map((one) => [JSON.stringify(one), one])).values()]);
}

function readOne(text: string, stated: Itype | undefined): Parsed<readonly Asked[], AskedCode> {
  const values = readValue(text, stated);
  if (values.ok || !text.includes('*')) return values;
  const pattern = parsePattern(text);
  return pattern.ok ? accept([pattern.value]) : pattern;
}

/** One value; of a hash each kind that it can be of, as several have equally many digits. */
export function readValue(
  text: string,
  stated: Itype | undefined,
): Parsed<readonly Canonical[], CanonicalCode> {
  if (hashItype(text.trim()) !== undefined) {
    const kinds = itypes.flatMap((itype) => {
      const one = canonicalise(text, itype);
      return one.ok && one.value.itype === itype ? [one.value] : [];
    });
    if (kinds.length > 0) return accept(kinds);
  }
  const detected = canonicalise(text);
  if (detected.ok) return accept([detected.value]);
  const asStated = stated === undefined ? detected : canonicalise(text, stated);
  return asStated.ok ? accept([asStated.value]) : detected;
}
