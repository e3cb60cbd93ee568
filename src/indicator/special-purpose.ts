import type { Network } from './address.ts';
import { highOf, readNetwork } from './address.ts';
import { mailHost } from './email.ts';
import { hostAddress } from './host.ts';
import type { Itype } from './types.ts';
import { splitAtHost } from './url.ts';

type SpecialRange = { readonly network: Network; readonly high: bigint; readonly name: string };

// The IANA registries of special-purpose addresses (RFC 6890, updated by RFC 8190), with the names and sources that they give,
// and multicast, which has registries of its own. A range within a wider one stands before it, so that the first match is
// the closest.
export const specialPurposeRanges: readonly SpecialRange[] = [
  // https://www.iana.org/assignments/iana-ipv4-special-registry
  range('0.0.0.0', 'This host on this network (RFC 1122)'),
  range('0.0.0.0/8', 'This network (RFC 791)'),
  range('10.0.0.0/8', 'Private-Use (RFC 1918)'),
  range('100.64.0.0/10', 'Shared Address Space (RFC 6598)'),
  range('127.0.0.0/8', 'Loopback (RFC 1122)'),
  range('169.254.0.0/16', 'Link Local (RFC 3927)'),
  range('172.16.0.0/12', 'Private-Use (RFC 1918)'),
  range('192.0.0.0/29', 'IPv4 Service Continuity Prefix (RFC 7335)'),
  range('192.0.0.8', 'IPv4 dummy address (RFC 7600)'),
  range('192.0.0.9', 'Port Control Protocol Anycast (RFC 7723)'),
  range('192.0.0.10', 'Traversal Using Relays around NAT Anycast (RFC 8155)'),
  range('192.0.0.170/31', 'NAT64/DNS64 Discovery (RFC 8880)'),
  range('192.0.0.0/24', 'IETF Protocol Assignments (RFC 6890)'),
  range('192.0.2.0/24', 'Documentation, TEST-NET-1 (RFC 5737)'),
  range('192.31.196.0/24', 'AS112-v4 (RFC 7535)'),
  range('192.52.193.0/24', 'AMT (RFC 7450)'),
  range('192.88.99.0/24', 'Deprecated 6to4 Relay Anycast (RFC 7526)'),
  range('192.168.0.0/16', 'Private-Use (RFC 1918)'),
  range('192.175.48.0/24', 'Direct Delegation AS112 Service (RFC 7534)'),
  range('198.18.0.0/15', 'Benchmarking (RFC 2544)'),
  range('198.51.100.0/24', 'Documentation, TEST-NET-2 (RFC 5737)'),
  range('203.0.113.0/24', 'Documentation, TEST-NET-3 (RFC 5737)'),
  range('224.0.0.0/4', 'Multicast (RFC 5771)'),
  range('255.255.255.255', 'Limited Broadcast (RFC 919)'),
  range('240.0.0.0/4', 'Reserved (RFC 1112)'),
  // https://www.iana.org/assignments/iana-ipv6-special-registry
  range('::1', 'Loopback Address (RFC 4291)'),
  range('::', 'Unspecified Address (RFC 4291)'),
  range('64:ff9b::/96', 'IPv4-IPv6 Translation (RFC 6052)'),
  range('64:ff9b:1::/48', 'IPv4-IPv6 Translation (RFC 8215)'),
  range('100::/64', 'Discard-Only Address Block (RFC 6666)'),
  range('100:0:0:1::/64', 'Dummy IPv6 Prefix (RFC 9780)'),
  range('2001::/32', 'TEREDO (RFC 4380)'),
  range('2001:1::1', 'Port Control Protocol Anycast (RFC 7723)'),
  range('2001:1::2', 'Traversal Using Relays around NAT Anycast (RFC 8155)'),
  range('2001:1::3', 'DNS-SD Service Registration Protocol Anycast (RFC 9665)'),
  range('2001:2::/48', 'Benchmarking (RFC 5180)'),
  range('2001:3::/32', 'AMT (RFC 7450)'),
  range('2001:4:112::/48', 'AS112-v6 (RFC 7535)'),
  range('2001:10::/28', 'Deprecated ORCHID (RFC 4843)'),
  range('2001:20::/28', 'ORCHIDv2 (RFC 7343)'),
  range('2001:30::/28', 'Drone Remote ID Protocol Entity Tags (RFC 9374)'),
  range('2001::/23', 'IETF Protocol Assignments (RFC 2928)'),
  range('2001:db8::/32', 'Documentation (RFC 3849)'),
  range('2002::/16', '6to4 (RFC 3056)'),
  range('2620:4f:8000::/48', 'Direct Delegation AS112 Service (RFC 7534)'),
  range('3fff::/20', 'Documentation (RFC 9637)'),
  range('5f00::/16', 'Segment Routing (SRv6) SIDs (RFC 9602)'),
  range('fc00::/7', 'Unique-Local (RFC 4193)'),
  range('fe80::/10', 'Link-Local Unicast (RFC 4291)'),
  range('fec0::/10', 'Deprecated Site-Local (RFC 3879)'),
  range('ff00::/8', 'Multicast (RFC 4291)'),
];

/**
 * The name of the IANA special-purpose range that a canonical indicator lies in, or that a network contains: such an address
 * is nobody's, or one of your own, and must not be blocked. Covers addresses, networks, and the hosts of URLs and e-mail
 * addresses that are written as addresses; undefined for everything else.
 */
export function specialPurpose(itype: Itype, indicator: string): string | undefined {
  const network = networkOf(itype, indicator);
  if (network === undefined) return undefined;
  const high = highOf(network);
  return specialPurposeRanges.find(
    (special) =>
      special.network.itype === network.itype && special.network.low <= high && network.low <= special.high,
  )?.name;
}

function networkOf(itype: Itype, indicator: string): Network | undefined {
  switch (itype) {
    case 'ipv4':
    case 'ipv6':
      return readNetwork(indicator);
    case 'url':
      return hostAddress(splitAtHost(indicator).host);
    case 'email':
      return hostAddress(mailHost(indicator));
    default:
      return undefined;
  }
}

function range(cidr: string, name: string): SpecialRange {
  const network = readNetwork(cidr);
  return { network, high: highOf(network), name };
}
