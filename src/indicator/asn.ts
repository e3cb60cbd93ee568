import type { Parsed } from '../parsed.ts';
import { accept, refuse } from '../parsed.ts';
import { indicatorLimits } from './limits.ts';
import { quote } from './quote.ts';

const outline = /^(?:as)?0{0,9}(\d{1,10})$/i;

/** The number of an autonomous system from `AS64500`, `as64500` or `64500` (asplain, RFC 5396). */
export function parseAsn(text: string): Parsed<number, 'bad-asn'> {
  const asn = Number(outline.exec(text)?.[1]);
  if (asn >= 1 && asn <= indicatorLimits.asnMax) return accept(asn);
  const allowed = `allowed are AS1 to AS${indicatorLimits.asnMax}`;
  return refuse('bad-asn', `${quote(text)} is no number of an autonomous system; ${allowed}`);
}
