import type { Parsed } from '../parsed.ts';
import { accept, refuse } from '../parsed.ts';

export type CharacterCode = 'encoding' | 'control-character' | 'whitespace';

const suspicious = /[\p{Cc}\p{Cs}\s\uFFFD]/u;
const badEncoding = /[\p{Cs}\uFFFD]/u;
const control = /\p{Cc}/u;

/**
 * Refuses what no indicator contains. U+FFFD is what a decoder puts in the place of bytes that are no UTF-8; half a
 * surrogate pair would become one as soon as the text is stored.
 */
export function checkUnbroken(text: string): Parsed<string, CharacterCode> {
  if (!suspicious.test(text)) return accept(text);
  const printable = checkPrintable(text);
  if (!printable.ok) return printable;
  return refuse('whitespace', 'it contains white space; allowed is one value without spaces');
}

/** The same for prose: spaces are allowed, control characters are not. */
export function checkPrintable(text: string): Parsed<string, CharacterCode> {
  if (badEncoding.test(text)) {
    return refuse(
      'encoding',
      'it contains U+FFFD or half a character, the mark of text that was not UTF-8; allowed is UTF-8',
    );
  }
  if (control.test(text)) {
    return refuse('control-character', 'it contains a control character; allowed are printable characters');
  }
  return accept(text);
}
