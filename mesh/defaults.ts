import { type Clock, systemClock } from './clock.ts';
import { beaconDiscovery, beaconOptionsFor, beaconPort } from './discovery/beacon.ts';
import type { Discovery } from './discovery/discovery.ts';
import { gossipDiscovery } from './discovery/gossip.ts';
import { MeshError } from './errors.ts';
import type { PeerId } from './ids.ts';
import { type Random, systemRandom } from './random.ts';
import { type Identity, idOfPublicKey } from './security/identity.ts';
import { identityOfSeed } from './security/seeded-identity.ts';
import type { Datagrams, Transport } from './transport/transport.ts';
import { udpDatagrams } from './transport/udp.ts';
import { zeromqTransport } from './transport/zeromq.ts';

/** Other machines do not reach this; a mesh without a key should not be reached by them. */
const loopbackBind = 'tcp://127.0.0.1:*';
const bindPattern = /^tcp:\/\/([^\s/]+):(?:\d{1,5}|\*)$/;

/** What a mesh node reaches the world through. */
export type MeshParts = {
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: Transport;
  readonly datagrams: Datagrams;
};

let systemTransport: Transport | undefined;

/**
 * The system's own parts in the place of those that are not handed in. All nodes of the process share one ZeroMQ context, made
 * when a node first needs it.
 */
export function withSystemParts(given: Partial<MeshParts>): MeshParts {
  const { clock = systemClock, random = systemRandom, datagrams = udpDatagrams() } = given;
  return { clock, random, datagrams, transport: given.transport ?? ownTransport() };
}

function ownTransport(): Transport {
  systemTransport ??= zeromqTransport();
  return systemTransport;
}

export type MeshHeaders = ReadonlyMap<string, string> | Readonly<Record<string, string>>;

type Omittable = {
  readonly name: string;
  readonly id?: PeerId;
  readonly identity?: Identity;
  readonly headers?: MeshHeaders;
  readonly bind?: string;
  readonly discovery?: readonly Discovery[];
};

/**
 * Settings with what they leave out: an identity of chance, no headers, loopback, and beacons beside gossip on the network that
 * `bind` names. Throws MeshError BAD_ENDPOINT for a `bind` that is none, BAD_NAME without a name.
 */
export function completed<Settings extends Omittable>(given: Settings, random: Random) {
  // A program without types may leave it out.
  if (typeof given.name !== 'string') {
    throw new MeshError('BAD_NAME', 'settings need a name: what peers see this node by');
  }
  const bind = given.bind ?? loopbackBind;
  const host = bindPattern.exec(bind)?.[1];
  if (host === undefined) {
    throw new MeshError(
      'BAD_ENDPOINT',
      `bind is "${bind}": write tcp://address:port, with * in place of the port for any free one`,
    );
  }
  const { headers } = given;
  return {
    ...given,
    ...whoIs(given, random),
    headers:
      headers instanceof Map
        ? (headers as ReadonlyMap<string, string>)
        : new Map(Object.entries(headers ?? {})),
    bind,
    discovery: given.discovery ?? discoveryAt(host),
  };
}

/** Who names an id without an identity cannot prove that it is its own. */
function whoIs({ id, identity }: Omittable, random: Random) {
  if (id !== undefined) return { id, identity };
  const own = identity ?? identityOfSeed(random.bytes(32));
  return { id: idOfPublicKey(own.publicKey), identity: own };
}

function discoveryAt(host: string): readonly Discovery[] {
  const address = host === '*' ? '0.0.0.0' : host.replace(/^\[|\]$/g, '');
  return [
    beaconDiscovery(beaconOptionsFor(address, beaconPort)),
    gossipDiscovery({ bind: `tcp://${host}:*`, seeds: [] }),
  ];
}
