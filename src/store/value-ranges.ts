import { addressBits, highOf, type Network, readNetwork } from '../indicator/address.ts';
import { networkKey, valueKey } from '../indicator/sort-key.ts';
import type { Itype } from '../indicator/types.ts';
import { itypeRange, type KeyRange, valueName } from './keys.ts';

/*
 * What belongs together lies side by side in the records (sort-key.ts): each of these is one stretch of keys, or, for the
 * networks that cover an address, a few dozen single values. A value's key is followed by NUL, and nothing sorts between.
 */

/** All statements about one value. */
export function exactly(itype: Itype, indicator: string): KeyRange {
  return single(itype, valueKey(itype, indicator));
}

/** All records of an itype. */
export function allOf(itype: Itype): KeyRange {
  return itypeRange(itype, undefined);
}

/** The addresses and networks within a network, without itself; empty for a single address. */
export function inside(itype: 'ipv4' | 'ipv6', indicator: string): readonly KeyRange[] {
  const network = readNetwork(indicator);
  const bits = addressBits[itype];
  if (network.prefix === bits) return [];
  const last = networkKey({ itype, low: highOf(network), prefix: bits });
  return [{ gt: `${itype}\0${networkKey(network)}\u0001`, lt: `${itype}\0${last}\u0001` }];
}

/** The networks that an address or a network lies in, without itself; the widest first, in the order of keys. */
export function covering(network: Network): readonly KeyRange[] {
  return Array.from({ length: network.prefix - 1 }, (_, i) => coveringOf(network, i + 1));
}

/** The one of them that has this prefix length, from 1 to less than the network's own. */
export function coveringOf(network: Network, prefix: number): KeyRange {
  const { itype } = network;
  const key = networkKey(network);
  // Of 32 digits, those of an IPv4 address are the last 8.
  const bits = 128 - addressBits[itype] + prefix;
  const whole = Math.floor(bits / 4);
  // The digit in which the network ends, without the bits behind it.
  const digit = Number.parseInt(key[whole] ?? '0', 16) & (0xf0 >> (bits % 4)) & 0xf;
  const low = `${key.slice(0, whole)}${digit.toString(16)}`.padEnd(32, '0').slice(0, 32);
  return single(itype, `${low}${prefix.toString(16).padStart(2, '0')}`);
}

/** The domain names below a name, or below one label or more: `com` too. Without itself. */
export function namesBelow(name: string): KeyRange {
  const key = valueName('fqdn', name);
  return { gt: `${key}\u0001`, lt: `${key}${behindLetters}` };
}

/** The URLs or e-mail addresses at a host and, when asked for, at all names below it. */
export function atHost(itype: 'url' | 'email', host: string, andBelow: boolean): KeyRange {
  const key = `${itype}\0${valueKey('fqdn', host)}`;
  return { gt: `${key} `, lt: `${key}${andBelow ? behindLetters : '!'}` };
}

/** The values of an itype whose key is its text, such as a hash, that begin so. */
export function beginningWith(itype: Itype, prefix: string): KeyRange {
  return { gt: `${itype}\0${prefix}`, lt: `${itype}\0${prefix}${behindLetters}` };
}

/** Sorts behind all that a host name or a hash can hold. */
const behindLetters = '\u007f';

function single(itype: Itype, key: string): KeyRange {
  return { gt: `${itype}\0${key}\0`, lt: `${itype}\0${key}\u0001` };
}
