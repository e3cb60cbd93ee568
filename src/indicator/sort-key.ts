import type { Network } from './address.ts';
import { addressBits, readIpv4, readNetwork } from './address.ts';
import { mailHost } from './email.ts';
import { hostAddress } from './host.ts';
import type { Itype } from './types.ts';
import { splitAtHost } from './url.ts';

/**
 * A key of one canonical value that sorts by what the value means, unique within its itype:
 * - ipv4, ipv6: the lowest address as 32 hex digits, then the prefix length as 2. Networks sort before what they contain, so
 *   everything within a network lies from its own key up to the key of its highest address with the prefix length of a single
 *   address: a CIDR search is one range scan, and the networks that cover an address are at most 32 (128) gets.
 * - fqdn: labels from right to left, each ended by a dot: `com.example.www.`. A name's key begins all its subdomains' keys
 *   and no other's, so that all subdomains are one prefix scan.
 * - url, email: the host's key, a space, then what else there is; URLs and addresses at a name and below it are one scan.
 *   A host that is an IP address is `4:` or `6:` and its hex digits.
 * - asn: ten digits. Hashes, fingerprints and wallets: as they are.
 * Throws on a value that is not canonical.
 */
export function valueKey(itype: Itype, indicator: string): string {
  switch (itype) {
    case 'ipv4':
    case 'ipv6': {
      const ipv4 = readIpv4(indicator);
      if (ipv4 !== undefined) return `${wideZeros}${hexOfIpv4(ipv4)}20`;
      return networkKey(readNetwork(indicator));
    }
    case 'fqdn':
      return hostKey(indicator);
    case 'url': {
      const { before, host, after } = splitAtHost(indicator);
      return `${hostKey(host)} ${before}${after}`;
    }
    case 'email': {
      const at = indicator.lastIndexOf('@');
      return `${hostKey(mailHost(indicator))} ${indicator.slice(0, at)}`;
    }
    case 'asn':
      return indicator.slice('AS'.length).padStart(10, '0');
    case 'md5':
    case 'sha1':
    case 'sha256':
    case 'sha512':
    case 'ssdeep':
    case 'ja3':
    case 'btc':
      return indicator;
    default:
      return itype satisfies never;
  }
}

/** The same of a network that is at hand already. */
export function networkKey(network: Network): string {
  return hexOf(network, 32) + network.prefix.toString(16).padStart(2, '0');
}

/** What an IPv6 address has more of. */
const wideZeros = '0'.repeat(24);

function hostKey(host: string): string {
  const ipv4 = readIpv4(host);
  if (ipv4 !== undefined) return `4:${hexOfIpv4(ipv4)}`;
  const address = hostAddress(host);
  if (address === undefined) return `${host.split('.').reverse().join('.')}.`;
  return `${address.itype === 'ipv4' ? 4 : 6}:${hexOf(address, addressBits[address.itype] / 4)}`;
}

const hexBytes = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function hexOfIpv4(bits: number): string {
  return `${hexBytes[bits >>> 24]}${hexBytes[(bits >>> 16) & 255]}${hexBytes[(bits >>> 8) & 255]}${hexBytes[bits & 255]}`;
}

function hexOf({ low }: Network, digits: number): string {
  return low.toString(16).padStart(digits, '0');
}
