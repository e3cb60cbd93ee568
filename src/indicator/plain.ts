import { hashItype } from './hash.ts';
import { indicatorLimits } from './limits.ts';
import type { Itype } from './types.ts';

/*
 * Most indicators arrive in canonical form: from a peer all of them, from a feed nearly all. For the commonest kinds one
 * expression proves it. What it takes, the full reading takes unchanged and as the same kind; what it does not take may be
 * canonical all the same. test/property/indicator.test.ts holds the two against each other.
 */

const label = '[a-z0-9_-]{1,63}';
// A last label that begins with a letter is no number, so it is a name that is meant, and no address in another spelling.
const name = `(?:${label}\\.)+[a-z][a-z0-9_-]{0,62}`;
const octet = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const address = `${octet}(?:\\.${octet}){3}`;
const host = `(?=[^/:]{4,${indicatorLimits.hostCharactersMax}}[/:])(?:${name}|${address})`;
const port = '(?:[1-9]\\d{0,3}|[1-5]\\d{4}|6[0-4]\\d{3}|65[0-4]\\d\\d|655[0-2]\\d|6553[0-5])';
// User names, fragments, percent signs and letters beyond ASCII take more thought, and are left to the full reading.
const rest = '/[!-"$&-~]*';
const schemes = `(?:http://${host}(?::(?!80/)${port})?|https://${host}(?::(?!443/)${port})?)`;

const plainAddress = new RegExp(`^${address}$`);
const plainName = new RegExp(`^${name}$`);
const plainUrl = new RegExp(`^${schemes}${rest}$`);

const addressCharactersMax = 15;

/** The itype of a text that is plainly canonical: `canonicaliseFully` gives this itype and the text itself. Else undefined. */
export function plainItype(text: string): Itype | undefined {
  const hash = hashItype(text);
  if (hash !== undefined) return text.toLowerCase() === text ? hash : undefined;
  // Punycode is decoded and encoded again.
  if (text.includes('xn--')) return undefined;
  if (text.startsWith('http') && text.length <= indicatorLimits.urlCharactersMax && plainUrl.test(text)) {
    return 'url';
  }
  if (text.length <= addressCharactersMax && plainAddress.test(text)) return 'ipv4';
  return text.length <= indicatorLimits.hostCharactersMax && plainName.test(text) ? 'fqdn' : undefined;
}
