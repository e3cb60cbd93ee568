import { quote } from '../indicator/quote.ts';
import { refang } from '../indicator/refang.ts';
import { accept, type Parsed, refuse } from '../parsed.ts';
import { queryLimits } from './limits.ts';

/** A pattern of domain names, in lower case: `*` stands for any characters, dots too, and for none. */
export type Pattern = { readonly pattern: string };

const letters = /^[a-z0-9_.*-]+$/;

/** Reads `*.example.com`, `example.*`, `*login*`, or the first digits of a hash and a star. */
export function parsePattern(text: string): Parsed<Pattern, 'bad-pattern'> {
  const pattern = refang(text.trim()).toLowerCase().replace(/\.$/, '');
  if (pattern.length > queryLimits.patternCharactersMax) {
    const allowed = queryLimits.patternCharactersMax;
    return refuse('bad-pattern', `a pattern of ${pattern.length} characters; allowed are ${allowed}`);
  }
  if (!letters.test(pattern) || pattern.includes('..')) {
    return refuse(
      'bad-pattern',
      `${quote(text)} is no pattern; allowed are patterns of domain names, such as *.example.com or *login*, with others ` +
        'than ASCII letters in punycode, and the beginning of a hash, such as d41d8cd98f*',
    );
  }
  if (/^[\d.*]+$/.test(pattern) && pattern.includes('.')) {
    return refuse(
      'bad-pattern',
      `${quote(text)} is a pattern of addresses; ask for a network, such as 192.0.2.0/24`,
    );
  }
  if (!/[a-z0-9_]/.test(pattern)) {
    return refuse(
      'bad-pattern',
      `${quote(text)} is every name; ask for nofeed=1 and itype=fqdn if that is meant`,
    );
  }
  return accept({ pattern });
}

/** The name that all names which fit a pattern lie below; undefined when it says nothing of where they end. */
export function parentOf({ pattern }: Pattern): string | undefined {
  const end = pattern.slice(pattern.lastIndexOf('*') + 1);
  const dot = end.indexOf('.');
  return dot === -1 ? undefined : end.slice(dot + 1);
}

/** The digits that a hash must begin with; undefined when the pattern is of names only. */
export function hashPrefixOf({ pattern }: Pattern): string | undefined {
  const digits = /^([\da-f]+)\*$/.exec(pattern)?.[1];
  return digits !== undefined && digits.length >= queryLimits.hashPrefixDigitsMin ? digits : undefined;
}

/**
 * Whether a name fits. Each piece is taken at the first place where it can stand, which leaves most to those behind it, so
 * that no pattern takes longer than its pieces times the name.
 */
export function fits({ pattern }: Pattern, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return name === first;
  if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last))
    return false;
  let at = first.length;
  const end = name.length - last.length;
  for (const piece of rest) {
    const found = name.indexOf(piece, at);
    if (found === -1 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}
