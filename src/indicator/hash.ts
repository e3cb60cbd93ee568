import type { Parsed } from '../parsed.ts';
import { accept, refuse } from '../parsed.ts';
import { quote } from './quote.ts';
import type { Itype } from './types.ts';

export type HashItype = Extract<Itype, 'md5' | 'sha1' | 'sha256' | 'sha512'>;

/** FIPS 180-4 and RFC 1321: digest sizes, as hex digits. */
const hexDigits: Readonly<Record<HashItype, number>> = { md5: 32, sha1: 40, sha256: 64, sha512: 128 };
const byLength: ReadonlyMap<number, HashItype> = new Map([
  [32, 'md5'],
  [40, 'sha1'],
  [64, 'sha256'],
  [128, 'sha512'],
]);

const hex = /^[\da-f]+$/i;

/** Which hash a text is by its length; undefined for anything else. */
export function hashItype(text: string): HashItype | undefined {
  const itype = byLength.get(text.length);
  return itype !== undefined && hex.test(text) ? itype : undefined;
}

/** A JA3 fingerprint is the MD5 of what a client says in its TLS hello: by itself it cannot be told from any other MD5. */
export function canonicalJa3(text: string): Parsed<string, 'bad-hash'> {
  if (hashItype(text) === 'md5') return accept(text.toLowerCase());
  return refuse('bad-hash', `${quote(text)} is no ja3; allowed are ${hexDigits.md5} hexadecimal digits`);
}

/** A hash in lower-case hex. */
export function canonicalHash(text: string, itype: HashItype): Parsed<string, 'bad-hash'> {
  if (hashItype(text) === itype) return accept(text.toLowerCase());
  return refuse(
    'bad-hash',
    `${quote(text)} is no ${itype}; allowed are ${hexDigits[itype]} hexadecimal digits`,
  );
}
