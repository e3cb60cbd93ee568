import { domainToASCII } from 'node:url';

import type { Parsed } from '../parsed.ts';
import { accept, refuse } from '../parsed.ts';
import type { Network } from './address.ts';
import { formatNetwork, parseNetwork } from './address.ts';
import { indicatorLimits } from './limits.ts';
import { quote } from './quote.ts';

export type HostCode = 'bad-host' | 'too-long';

const canonicalLetters = /^[a-z0-9_.-]+$/;
const nameLetters = /^[A-Za-z0-9_.\u0080-\u{10ffff}-]+$/u;
const numericLabel = /^(?:\d+|0x[\da-f]*)$/;

/**
 * A domain name in canonical form: lower case, punycode (UTS 46, as the URL Standard applies it), without the trailing dot.
 * Two labels at least. Underscores and hyphens may stand anywhere in a label: DNS serves such names (RFC 2181, section 11)
 * and malware uses them.
 */
export function canonicalDomain(text: string): Parsed<string, HostCode> {
  if (!nameLetters.test(text)) return refuseDomain(text);
  if (text.length > indicatorLimits.rawHostCharactersMax) return refuseLong(text);
  const ascii = toAscii(text);
  if (endsInNumber(ascii)) {
    const meant = domainToASCII(text);
    return refuse(
      'bad-host',
      meant === ''
        ? `${quote(text)} ends in a number, which no domain name does`
        : `${quote(text)} is another way to write the address ${meant}; send that if it is meant`,
    );
  }
  return checkLabels(ascii, text);
}

/**
 * The host of a URL in canonical form. As browsers do, it reads decimal, octal and hexadecimal numbers as the IPv4 address
 * that they mean, and undoes percent-encoding. An IPv6 literal keeps its brackets, unless it maps an IPv4 address.
 */
export function canonicalUrlHost(text: string): Parsed<string, HostCode> {
  if (text.startsWith('[')) {
    const literal = text.endsWith(']') ? parseNetwork(text.slice(1, -1)) : undefined;
    if (literal === undefined || !literal.ok || text.includes('/')) {
      return refuse(
        'bad-host',
        `${quote(text)} is no IPv6 literal; allowed is an address such as [2001:db8::1]`,
      );
    }
    return accept(formatHostAddress(literal.value));
  }
  if (text.length > indicatorLimits.rawHostCharactersMax) return refuseLong(text);
  const ascii = toAscii(text);
  if (!endsInNumber(ascii)) return checkLabels(ascii, text);
  const address = domainToASCII(ascii);
  if (address !== '') return accept(address);
  return refuse('bad-host', `${quote(text)} ends in a number but is no IPv4 address`);
}

/** The address that a canonical URL host is; undefined for a domain name. */
export function hostAddress(host: string): Network | undefined {
  if (!host.startsWith('[') && !/\.\d+$/.test(host)) return undefined;
  const address = parseNetwork(host.replace(/^\[|\]$/g, ''));
  return address.ok ? address.value : undefined;
}

function formatHostAddress(address: Network): string {
  return address.itype === 'ipv6' ? `[${formatNetwork(address)}]` : formatNetwork(address);
}

/** Empty when the text is no host name at all. */
function toAscii(text: string): string {
  const lower = text.toLowerCase();
  // Punycode is decoded and encoded again: `xn--` before nonsense is no name.
  const ascii = canonicalLetters.test(lower) && !lower.includes('xn--') ? lower : domainToASCII(text);
  return ascii.endsWith('.') ? ascii.slice(0, -1) : ascii;
}

/** The URL Standard's rule for telling an IPv4 address in any spelling from a name. */
function endsInNumber(ascii: string): boolean {
  return numericLabel.test(ascii.slice(ascii.lastIndexOf('.') + 1));
}

function checkLabels(ascii: string, text: string): Parsed<string, HostCode> {
  if (!canonicalLetters.test(ascii)) return refuseDomain(text);
  if (ascii.length > indicatorLimits.hostCharactersMax) return refuseLong(ascii);
  const labels = ascii.split('.');
  if (labels.length < 2) {
    return refuse('bad-host', `${quote(text)} is one label only; allowed are names such as example.com`);
  }
  for (const label of labels) {
    if (label === '')
      return refuse('bad-host', `${quote(text)} has an empty label; write one dot between labels`);
    if (label.length > indicatorLimits.labelCharactersMax) {
      const allowed = indicatorLimits.labelCharactersMax;
      return refuse(
        'too-long',
        `${quote(text)} has a label of ${label.length} characters; allowed are ${allowed}`,
      );
    }
  }
  return accept(ascii);
}

function refuseLong(host: string): Parsed<never, HostCode> {
  return refuse(
    'too-long',
    `a host of ${host.length} characters; allowed are ${indicatorLimits.hostCharactersMax}`,
  );
}

function refuseDomain(text: string): Parsed<never, HostCode> {
  const shown = quote(text);
  if (text.startsWith('*.')) {
    return refuse('bad-host', `${shown} is a pattern; send the name itself, such as ${quote(text.slice(2))}`);
  }
  if (/(?:^|\.)xn--/i.test(text)) {
    return refuse('bad-host', `${shown} has a label that begins with xn-- but is no valid punycode`);
  }
  if (/^[^:]+:\d+$/.test(text)) {
    return refuse('bad-host', `${shown} is a host with a port; send the host alone, or a URL`);
  }
  return refuse(
    'bad-host',
    `${shown} is no domain name; allowed are letters, digits, - and _ in labels with dots between`,
  );
}
