import {
  beaconDiscovery,
  beaconOptionsFor,
  type Discovery,
  endpointOf,
  gossipDiscovery,
  mdnsDiscovery,
  networksOf,
} from 'tocsin/mesh';
import { isLoopback } from '../config/loopback.ts';
import type { Config } from '../config/settings.ts';

/** `_tocsin._tcp` of DNS-SD. */
const mdnsType = 'tocsin';

/** The ways of finding peers that the settings name. */
export function discoveriesOf(config: Config): readonly Discovery[] {
  const { discovery, meshHost, beaconPort, gossipPort, seeds } = config;
  const ways: Discovery[] = [];
  if (hasBeacon(config)) ways.push(beaconDiscovery(beaconOptionsFor(meshHost, beaconPort)));
  if (discovery.includes('mdns')) ways.push(mdnsDiscovery({ type: mdnsType, host: meshHost }));
  // What DNS yields are hubs of gossip.
  if (discovery.includes('gossip') || discovery.includes('dns'))
    ways.push(gossipDiscovery({ bind: bindAt(meshHost, gossipPort), seeds }));
  return ways;
}

/** What a person reads of it. */
export function discoverySentence(config: Config): string {
  const { discovery, meshHost, beaconPort, seeds } = config;
  const ways: string[] = [];
  if (hasBeacon(config)) ways.push(`UDP beacons on port ${beaconPort} of ${meshHost}`);
  if (discovery.includes('mdns')) ways.push(`multicast DNS as _${mdnsType}._tcp on ${meshHost}`);
  const stated = seeds.filter((seed) => !seed.startsWith('dns:'));
  const named = seeds.filter((seed) => seed.startsWith('dns:'));
  if (stated.length > 0) ways.push(`gossip from ${stated.join(', ')}`);
  if (named.length > 0) ways.push(`gossip from what DNS names as ${named.join(', ')}`);
  if (discovery.includes('gossip') && seeds.length === 0)
    ways.push('gossip, once a node names this one as its seed');
  return `Peers are found by ${ways.join(' and ')}.`;
}

/** Who gets in, for a person; a mesh that is open to others has a warning of its own. */
export function securitySentence({ meshKey, meshKeyPrevious, meshHost }: Config): string {
  if (meshKeyPrevious !== undefined)
    return 'The mesh is encrypted: nodes with its key or the previous one get in.';
  if (meshKey !== undefined) return 'The mesh is encrypted: only nodes with its key get in.';
  return `The mesh is in clear${isLoopback(meshHost) ? ', for this machine only' : ''}.`;
}

/** The address of a network interface; any other host as it is. */
function addressIn(host: string): string {
  return networksOf(host).find(({ name }) => name === host)?.address ?? host;
}

/** Beacons are broadcast, which IPv6 does not have. */
function hasBeacon({ discovery, meshHost }: Config): boolean {
  return discovery.includes('beacon') && !meshHost.includes(':');
}

/** A port of 0 is any that is free. */
export function bindAt(host: string, port: number): string {
  return endpointOf(addressIn(host), port === 0 ? '*' : port);
}
