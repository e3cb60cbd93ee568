import { isIP, isIPv4, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';

/**
 * What a text of a feed should become, judged by Node's own URL, net and UTS 46 and a few plain patterns: it knows nothing of
 * the product's parsers, so that the two can be held against each other.
 */
export type Verdict = { readonly value: string } | { readonly refused: string };

const value = (text: string): Verdict => ({ value: text });
const refused = (code: string): Verdict => ({ refused: code });

/** @param asn whether a bare number is meant as the number of an autonomous system */
export function judge(written: string, asn = false): Verdict {
  const text = written.trim();
  if (text === '') return refused('empty');
  if (asn) return /^\d+$/.test(text) && Number(text) > 0 ? value(`AS${Number(text)}`) : refused('bad-asn');
  if (/\s/.test(text)) return refused('whitespace');
  const plain = unarmed(text);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(plain)) return judgeUrl(plain);
  if (plain.includes('@')) return judgeEmail(plain);
  if (/^(?:[\da-f]{32}|[\da-f]{40}|[\da-f]{64}|[\da-f]{128})$/i.test(plain))
    return value(plain.toLowerCase());
  if (isIP(plain) !== 0) return value(address(plain));
  // Rule "a port is no part of an address": it becomes the portlist.
  const port = /^[\d.]+:(\d+)$/.exec(plain)?.[1];
  if (port !== undefined) return Number(port) <= 65_535 ? judge(plain.replace(/:\d+$/, '')) : refused('port');
  // Rule "a range of addresses is sent as networks".
  if (/^[\d.]+-[\d.]+$/.test(plain)) return refused('address-range');
  if (isIP(plain.split('/')[0] ?? '') !== 0 && plain.includes('/')) return judgeNetwork(plain);
  return judgeName(plain);
}

/** The ways of defanging that stand in these files. */
function unarmed(text: string): string {
  if (!/^h(?:xx|XX|tt)ps?\[?:|\[\.\]|\[@\]|\(dot\)/i.test(text)) return text;
  return text
    .replace(/^h(?:xx|tt)p/i, 'http')
    .replaceAll('[:]', ':')
    .replaceAll('[.]', '.')
    .replaceAll('[@]', '@')
    .replaceAll('(dot)', '.');
}

const beyondAscii = /[\u0080-\u{10ffff}]+/gu;

/**
 * Rule "a path is kept as it was sent": the URL class writes path and query anew (dot segments, percent signs); a sensor's log
 * shows what was sent, so only scheme, host and port are taken from it, and the fragment is dropped.
 */
function judgeUrl(text: string): Verdict {
  const scheme = text.slice(0, text.indexOf('://')).toLowerCase();
  if (!['http', 'https', 'ftp'].includes(scheme)) return refused('unsupported-scheme');
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return refused(/^[^:]+:\/\/(?:[/?#]|$)/.test(text) ? 'bad-url' : 'bad-host');
  }
  const host = url.hostname.replace(/\.$/, '');
  // Rule "one label is no host": it means something on one network only.
  if (isIP(host.replace(/^\[|\]$/g, '')) === 0 && host.split('.').length < 2) return refused('bad-host');
  const user = url.username === '' ? '' : `${url.username}:${url.password}@`;
  const [, path = ''] = /^[^:]+:\/\/[^/?#\\]*([^#]*)/.exec(text) ?? [];
  const sent = path.startsWith('/') ? path : `/${path}`;
  return value(
    `${scheme}://${user}${host}${url.port === '' ? '' : `:${url.port}`}${sent.replace(beyondAscii, encodeURIComponent)}`,
  );
}

function judgeEmail(text: string): Verdict {
  const at = text.lastIndexOf('@');
  const local = text.slice(0, at);
  if (local === '' || !/^[\w.!#$%&'*+/=?^`{|}~-]+$/.test(local)) return refused('bad-email');
  const domain = judgeName(text.slice(at + 1));
  if ('refused' in domain) return refused('bad-host');
  return value(`${local}@${domain.value}`);
}

function judgeNetwork(text: string): Verdict {
  const [host = '', bits = ''] = text.split('/');
  const width = isIPv4(host) ? 32 : 128;
  if (!/^\d{1,3}$/.test(bits)) return refused('bad-prefix');
  if (Number(bits) > width) return refused('bad-prefix');
  const hostBits = BigInt(width - Number(bits));
  if (number(host) % (1n << hostBits) !== 0n) return refused('host-bits');
  return value(Number(bits) === width ? address(host) : `${address(host)}/${Number(bits)}`);
}

function address(text: string): string {
  return isIPv6(text) ? new URL(`http://[${text}]`).hostname.slice(1, -1) : text;
}

function number(text: string): bigint {
  if (isIPv4(text)) return text.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  const [head = '', tail = ''] = address(text).split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':'));
  const zeros = Array<string>(8 - groups(head).length - groups(tail).length).fill('0');
  return [...groups(head), ...zeros, ...groups(tail)].reduce(
    (sum, group) => sum * 65_536n + BigInt(`0x${group}`),
    0n,
  );
}

function judgeName(text: string): Verdict {
  if (!/[.\u3002\uff0e\uff61]/.test(text)) return refused('unrecognised');
  if (text.includes('/')) return refused('bad-url');
  if (/^[\d.]+$/.test(text)) return refused('bad-address');
  const ascii = domainToASCII(text).replace(/\.$/, '');
  const labels = ascii.split('.');
  if (ascii === '' || ascii.length > 253 || labels.some((label) => label === '' || label.length > 63)) {
    return refused('bad-host');
  }
  // Rule "a name is letters, digits, hyphens and underscores": the URL Standard lets more pass.
  if (labels.length < 2 || !/^[a-z\d._-]+$/.test(ascii) || /\.\d+$/.test(ascii)) return refused('bad-host');
  return value(ascii);
}
