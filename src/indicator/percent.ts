const triple = /%[\da-f]{2}/gi;
const hexDigit = /[\da-f]/i;
/** RFC 3986, section 2.3, without the dot. */
const unreserved = /[\w~-]/;

/**
 * Percent-encoding in one form (RFC 3986, section 6.2.2): hexadecimal digits in upper case, and what need not be encoded
 * decoded, so that `%7euser` and `~user` are one.
 *
 * An encoded dot stays as it is: by the RFC `.%2e/` is `../`, but there are servers that check the one and let the other
 * pass, and then the encoding is the attack. A percent sign that encodes nothing is kept, and so is what follows it, as
 * decoding that could make a new encoding of both.
 */
export function normalisePercent(text: string): string {
  if (!text.includes('%')) return text;
  return text.replace(triple, (written, at: number) => {
    const upper = written.toUpperCase();
    const stray = text[at - 1] === '%' || (text[at - 2] === '%' && hexDigit.test(text[at - 1] ?? ''));
    const character = String.fromCharCode(Number.parseInt(written.slice(1), 16));
    return !stray && unreserved.test(character) ? character : upper;
  });
}
