import { isIPv6 } from 'node:net';

import type { Parsed } from '../parsed.ts';
import { accept, refuse } from '../parsed.ts';
import { quote } from './quote.ts';

/** An address, or a network with its lowest address. A prefix of all bits is the address itself. */
export type Network = { readonly itype: 'ipv4' | 'ipv6'; readonly low: bigint; readonly prefix: number };

export type AddressCode =
  | 'bad-address'
  | 'leading-zero'
  | 'zone-id'
  | 'port'
  | 'address-range'
  | 'bad-prefix'
  | 'host-bits';

export const addressBits = { ipv4: 32, ipv6: 128 } as const;

/** `::ffff:0:0/96`, RFC 4291, section 2.5.5.2. */
const mappedMark = 0xffffn;

/**
 * Reads an address or a network in its common textual form: four decimal numbers, or RFC 4291; then `/` and a prefix length.
 * An IPv4-mapped IPv6 address is the IPv4 address that it maps. Spellings that programs read differently are refused, as are
 * networks with host bits: which network was meant is the sender's to say.
 */
export function parseNetwork(text: string): Parsed<Network, AddressCode> {
  const slash = text.indexOf('/');
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (!address.ok) return address;
  if (slash < 0) return accept(unmapped(address.value));

  const bits = addressBits[address.value.itype];
  const length = text.slice(slash + 1);
  const prefix = /^(?:0|[1-9]\d{0,2})$/.test(length) ? Number(length) : Number.NaN;
  if (!(prefix <= bits)) {
    return refuse(
      'bad-prefix',
      `${quote(text)} has no prefix length; allowed are 1 to ${bits}, such as /${bits - 8}`,
    );
  }
  const network = unmapped({ ...address.value, prefix });
  if (network.prefix === 0) {
    return refuse('bad-prefix', `${quote(text)} is the whole Internet; allowed are networks from /1`);
  }
  const low = lowOf(network);
  if (low !== network.low) {
    const meant = formatNetwork({ ...network, low });
    return refuse('host-bits', `${formatNetwork(network)} has host bits set; did you mean ${meant}?`);
  }
  return accept(network);
}

/** Reads back what `formatNetwork` wrote. Throws on anything else, which is our own mistake. */
export function readNetwork(canonical: string): Network {
  const network = parseNetwork(canonical);
  if (!network.ok) throw new TypeError(`not canonical: ${network.reason}`);
  return network.value;
}

/** IPv6 as RFC 5952 writes it; the prefix length only where it is not the whole address. */
export function formatNetwork({ itype, low, prefix }: Network): string {
  const address = itype === 'ipv4' ? formatIpv4(low) : formatIpv6(low);
  return prefix === addressBits[itype] ? address : `${address}/${prefix}`;
}

/** The highest address of a network. */
export function highOf({ itype, low, prefix }: Network): bigint {
  return low + (1n << BigInt(addressBits[itype] - prefix)) - 1n;
}

function lowOf({ itype, low, prefix }: Network): bigint {
  const hostBits = BigInt(addressBits[itype] - prefix);
  return (low >> hostBits) << hostBits;
}

function unmapped(network: Network): Network {
  if (network.itype === 'ipv4' || network.prefix < 96 || network.low >> 32n !== mappedMark) return network;
  return { itype: 'ipv4', low: network.low & 0xffff_ffffn, prefix: network.prefix - 96 };
}

function parseAddress(text: string): Parsed<Network, AddressCode> {
  const ipv4 = readIpv4(text);
  if (ipv4 !== undefined) return accept({ itype: 'ipv4', low: BigInt(ipv4), prefix: 32 });
  // node:net takes zone ids, which mean something on one machine only.
  if (isIPv6(text) && !text.includes('%')) return accept({ itype: 'ipv6', low: readIpv6(text), prefix: 128 });
  return refuseAddress(text);
}

const ipv4CharactersMax = '255.255.255.255'.length;

/** Four decimal numbers without leading zeros, as one number; undefined for anything else. */
export function readIpv4(text: string): number | undefined {
  if (text.length > ipv4CharactersMax) return undefined;
  let value = 0;
  let dots = 0;
  let octet: number | undefined;
  for (let at = 0; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit >= 0 && digit <= 9) {
      if (octet === 0) return undefined;
      octet = (octet ?? 0) * 10 + digit;
      if (octet > 255) return undefined;
    } else if (text[at] === '.' && octet !== undefined) {
      value = value * 256 + octet;
      octet = undefined;
      dots++;
    } else return undefined;
  }
  return dots === 3 && octet !== undefined ? value * 256 + octet : undefined;
}

/** `text` is known to be a valid address without a zone id. */
function readIpv6(text: string): bigint {
  const [head = '', tail] = text.split('::');
  const high = readGroups(head);
  const low = readGroups(tail ?? '');
  const zeros = Array<number>(8 - high.length - low.length).fill(0);
  return [...high, ...zeros, ...low].reduce((value, group) => (value << 16n) | BigInt(group), 0n);
}

function readGroups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    const embedded = readIpv4(group);
    return embedded === undefined ? [Number.parseInt(group, 16)] : [embedded >>> 16, embedded & 0xffff];
  });
}

function formatIpv4(value: bigint): string {
  const bits = Number(value);
  return `${bits >>> 24}.${(bits >>> 16) & 255}.${(bits >>> 8) & 255}.${bits & 255}`;
}

/** RFC 5952, section 4: lower case, no leading zeros, the first of the longest runs of two or more zero groups as `::`. */
function formatIpv6(value: bigint): string {
  const groups = value.toString(16).padStart(32, '0').match(/.{4}/g) ?? [];
  const words = groups.map((group) => group.replace(/^0{1,3}/, ''));
  let run = { start: 0, length: 1 };
  for (let start = 0; start < words.length; start += 1) {
    let length = 0;
    while (words[start + length] === '0') length += 1;
    if (length > run.length) run = { start, length };
  }
  if (run.length === 1) return words.join(':');
  return `${words.slice(0, run.start).join(':')}::${words.slice(run.start + run.length).join(':')}`;
}

function refuseAddress(text: string): Parsed<never, AddressCode> {
  const shown = quote(text);
  if (text.includes('%')) {
    return refuse(
      'zone-id',
      `${shown} has a zone id, which means something on one machine only; send it without`,
    );
  }
  if (text.includes('-')) {
    return refuse(
      'address-range',
      `${shown} is a range of addresses; send it as networks, such as 192.0.2.0/24`,
    );
  }
  if (text.startsWith('[') || /^[\d.]+:\d*$/.test(text)) {
    return refuse('port', `${shown} is more than an address; send the address without brackets or port`);
  }
  if (/^\d{1,4}(?:\.\d{1,4}){3}$/.test(text) && /(?:^|\.)0\d/.test(text)) {
    return refuse(
      'leading-zero',
      `${shown} has leading zeros, which some read as octal; send plain decimal numbers`,
    );
  }
  return refuse(
    'bad-address',
    `${shown} is no IP address; allowed are addresses such as 192.0.2.1 or 2001:db8::1`,
  );
}
