import type { Parsed } from '../parsed.ts';
import { accept, refuse } from '../parsed.ts';
import type { AddressCode } from './address.ts';
import { formatNetwork, parseNetwork } from './address.ts';
import { parseAsn } from './asn.ts';
import { canonicalBtc, looksLikeBtc } from './btc.ts';
import type { CharacterCode } from './characters.ts';
import { checkUnbroken } from './characters.ts';
import type { EmailCode } from './email.ts';
import { canonicalEmail } from './email.ts';
import { splitPort } from './endpoint.ts';
import { canonicalHash, canonicalJa3, hashItype } from './hash.ts';
import type { HostCode } from './host.ts';
import { canonicalDomain } from './host.ts';
import { indicatorLimits } from './limits.ts';
import { plainItype } from './plain.ts';
import { quote } from './quote.ts';
import { refang } from './refang.ts';
import { canonicalSsdeep, isSsdeep } from './ssdeep.ts';
import type { Itype } from './types.ts';
import type { UrlCode } from './url.ts';
import { canonicalUrl } from './url.ts';

/** An indicator in the one form in which it is stored, compared and shown. */
export type Canonical = {
  readonly itype: Itype;
  readonly indicator: string;
  /** What stood behind an address or a name; no part of the indicator. */
  readonly port?: string;
};

export type CanonicalCode =
  | 'empty'
  | 'too-long'
  | 'unrecognised'
  | 'itype-mismatch'
  | 'bad-hash'
  | 'bad-asn'
  | 'bad-btc'
  | CharacterCode
  | AddressCode
  | HostCode
  | UrlCode
  | EmailCode;

/**
 * What kind of indicator a text is, and its canonical form. Canonical text comes back unchanged. A stated itype is verified,
 * never believed; it decides only where the text alone cannot (`64500` is an asn when stated, and 32 hex digits a ja3). An IPv4-mapped IPv6 address is
 * an ipv4, whatever was stated. A port behind an address or a name is taken off: `198.51.100.7:443` is the address.
 */
export function canonicalise(text: string, stated?: Itype): Parsed<Canonical, CanonicalCode> {
  const itype = plainItype(text);
  if (itype !== undefined && (stated === undefined || stated === itype))
    return accept({ itype, indicator: text });
  return canonicaliseFully(text, stated);
}

/** The same, however plain the text is. */
export function canonicaliseFully(text: string, stated?: Itype): Parsed<Canonical, CanonicalCode> {
  const trimmed = text.trim();
  if (trimmed === '')
    return refuse('empty', 'an empty indicator; send a value, such as 192.0.2.1 or example.com');
  if (trimmed.length > indicatorLimits.rawCharactersMax) {
    const allowed = indicatorLimits.rawCharactersMax;
    return refuse(
      'too-long',
      `an indicator of ${trimmed.length} characters; allowed are ${allowed} before refanging`,
    );
  }
  const plain = refang(trimmed);
  const unbroken = checkUnbroken(plain);
  if (!unbroken.ok) return refuse(unbroken.code, `${quote(trimmed)} is no indicator: ${unbroken.reason}`);

  const endpoint = splitPort(plain);
  if (!endpoint.ok) return endpoint;
  const { host, port } = endpoint.value;
  const itype = shapeOf(host, stated) ?? stated;
  if (itype === undefined) return refuseUnrecognised(plain);
  const canonical = canonicaliseAs(itype, host);
  // Marks within marks, in a mailbox or a user name: `{{.}}` would be `{.}` now and a dot when it is read again.
  if (canonical.ok && canonical.value.indicator.includes('@')) {
    const { indicator } = canonical.value;
    if (refang(indicator) !== indicator) {
      return refuse(
        itype === 'email' ? 'bad-email' : 'bad-url',
        `${quote(trimmed)} is defanged more than once; send it as it is`,
      );
    }
  }
  if (stated === undefined || itype === stated || (canonical.ok && canonical.value.itype === stated))
    return canonical.ok && port !== undefined ? accept({ ...canonical.value, port }) : canonical;
  return refuse(
    'itype-mismatch',
    `${quote(plain)} is stated as ${stated} but reads as ${itype}; correct the itype, or leave it out`,
  );
}

const ipv4Shape = /^[\d.]+(?:[:/-][\d.:/-]*)?$/;
const dot = /[.\u3002\uff0e\uff61]/; // UTS 46 reads the wide ones as dots too
const ipv6Shape = /^\[?[\da-f]*:[\da-f.:]*:/i;

/** What a text looks like. Only the canonicaliser of that kind says whether it is one. */
function shapeOf(text: string, stated: Itype | undefined): Itype | undefined {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return 'url';
  if (text.includes('@')) return 'email';
  const hash = hashItype(text);
  if (hash !== undefined) return hash === 'md5' && stated === 'ja3' ? 'ja3' : hash;
  if (/^as\d+$/i.test(text)) return 'asn';
  if (isSsdeep(text)) return 'ssdeep';
  if (ipv6Shape.test(text)) return 'ipv6';
  if (looksLikeBtc(text)) return 'btc';
  if (!dot.test(text)) return undefined;
  if (ipv4Shape.test(text)) return 'ipv4';
  return /[/?]/.test(text) ? 'url' : 'fqdn';
}

function canonicaliseAs(itype: Itype, text: string): Parsed<Canonical, CanonicalCode> {
  switch (itype) {
    case 'ipv4':
    case 'ipv6': {
      const network = parseNetwork(text);
      if (!network.ok) return network;
      return accept({ itype: network.value.itype, indicator: formatNetwork(network.value) });
    }
    case 'fqdn':
      return as(itype, canonicalDomain(text));
    case 'url':
      return as(itype, canonicalUrl(text));
    case 'email':
      return as(itype, canonicalEmail(text));
    case 'asn': {
      const asn = parseAsn(text);
      return asn.ok ? accept({ itype, indicator: `AS${asn.value}` }) : asn;
    }
    case 'md5':
    case 'sha1':
    case 'sha256':
    case 'sha512':
      return as(itype, canonicalHash(text, itype));
    case 'ssdeep':
      return as(itype, canonicalSsdeep(text));
    case 'ja3':
      return as(itype, canonicalJa3(text));
    case 'btc':
      return as(itype, canonicalBtc(text));
    default:
      return itype satisfies never;
  }
}

function as(itype: Itype, indicator: Parsed<string, CanonicalCode>): Parsed<Canonical, CanonicalCode> {
  return indicator.ok ? accept({ itype, indicator: indicator.value }) : indicator;
}

function refuseUnrecognised(text: string): Parsed<never, CanonicalCode> {
  return refuse(
    'unrecognised',
    `${quote(text)} is no indicator; allowed are IP addresses and networks, domain names, URLs with http, https or ftp, ` +
      'e-mail addresses, MD5, SHA-1, SHA-256 and SHA-512 in hex, ssdeep hashes, Bitcoin addresses, and AS numbers such as AS64500',
  );
}
