import { isIPv4 } from 'node:net';

import type { Parsed } from '../parsed.ts';
import { accept, refuse } from '../parsed.ts';
import { formatNetwork, parseNetwork } from './address.ts';
import type { HostCode } from './host.ts';
import { canonicalDomain } from './host.ts';
import { indicatorLimits } from './limits.ts';
import { quote } from './quote.ts';

export type EmailCode = 'bad-email' | HostCode;

// RFC 5321's dot-string with RFC 6531's letters beyond ASCII. Real mailboxes have dots in a row and at the end.
const localLetters = /^[\p{L}\p{N}\p{M}!#$%&'*+/=?^_`{|}~.-]+$/u;

/**
 * An e-mail address in canonical form. Only the domain is lower-cased: RFC 5321, section 2.4 leaves the case of the local
 * part to the receiving host. The domain may be an address literal: `user@[192.0.2.1]`, `user@[IPv6:2001:db8::1]`.
 */
export function canonicalEmail(text: string): Parsed<string, EmailCode> {
  const at = text.lastIndexOf('@');
  const local = text.slice(0, Math.max(at, 0)).normalize('NFC');
  if (!localLetters.test(local)) {
    return refuse(
      'bad-email',
      `${quote(text)} is no e-mail address; allowed are addresses such as name@example.com`,
    );
  }
  const localBytes = Buffer.byteLength(local);
  if (localBytes > indicatorLimits.emailLocalBytesMax) {
    const allowed = indicatorLimits.emailLocalBytesMax;
    return refuse('too-long', `${localBytes} bytes before the at sign; allowed are ${allowed}`);
  }
  const domain = canonicalMailDomain(text.slice(at + 1));
  if (!domain.ok) return domain;
  return accept(`${local}@${domain.value}`);
}

/** The host of a canonical e-mail address, an IPv6 literal as a URL writes it: `[2001:db8::1]`. */
export function mailHost(email: string): string {
  return email.slice(email.lastIndexOf('@') + 1).replace('[IPv6:', '[');
}

function canonicalMailDomain(text: string): Parsed<string, EmailCode> {
  if (!text.startsWith('[')) return canonicalDomain(text);
  const literal = /^\[(?:ipv6:)?([^/\]]*)\]$/i.exec(text)?.[1] ?? '';
  const address = parseNetwork(literal);
  if (!address.ok) {
    return refuse(
      'bad-email',
      `${quote(text)} is no address literal; allowed are [192.0.2.1] and [IPv6:2001:db8::1]`,
    );
  }
  const written = formatNetwork(address.value);
  return accept(isIPv4(written) ? `[${written}]` : `[IPv6:${written}]`);
}
