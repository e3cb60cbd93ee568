import type { Parsed } from '../parsed.ts';
import { accept, refuse } from '../parsed.ts';
import { quote } from './quote.ts';

// ssdeep's fuzzy.h: SPAMSUM_LENGTH is 64, both halves are base64 digits. Two hashes are compared by what they share of seven
// digits (ROLLING_WINDOW), so a first half that is shorter is like nothing else, and `12:34:56` stays a time of day.
const outline = /^(\d{1,10}):([A-Za-z\d+/]{7,64}):[A-Za-z\d+/]{1,64}$/;

/** The block sizes that ssdeep works with: 3, 6, 12 and so on, thirty times doubled (NUM_BLOCKHASHES is 31). */
const blockSizes: ReadonlySet<string> = new Set(
  Array.from({ length: 31 }, (_, step) => String(3 * 2 ** step)),
);

/** Whether a text is a fuzzy hash: `blocksize:hash1:hash2`. */
export function isSsdeep(text: string): boolean {
  return blockSizes.has(outline.exec(text)?.[1] ?? '');
}

/** A fuzzy hash is its own canonical form: upper and lower case are two digits. */
export function canonicalSsdeep(text: string): Parsed<string, 'bad-hash'> {
  if (isSsdeep(text)) return accept(text);
  return refuse(
    'bad-hash',
    `${quote(text)} is no ssdeep hash; allowed is blocksize:hash1:hash2 with a block size of 3, 6, 12, 24 and so on, and ` +
      '7 to 64 digits in hash1',
  );
}
