import { every } from '../clock.ts';
import type { PeerId } from '../ids.ts';
import { z85Decode, z85Encode } from '../security/z85.ts';
import { decodeBeacon, encodeBeacon } from '../wire/beacon.ts';
import type { Address, Discovery, DiscoveryContext, RunningDiscovery } from './discovery.ts';
import { isLoopback, isWithin, networksOf } from './interfaces.ts';

/** libzyre's UDP port; another port is another cluster. */
export const beaconPort = 5670;

const beaconEveryMs = 1_000;
/** Three beacons may be lost before a hint is forgotten. */
const beaconLeaseMs = 3_500;
/** A goodbye is sent three times, since UDP loses. */
const goodbyes = 3;

/** Smaller networks are cables between two, and have no broadcast address. */
const broadcastPrefixBitsMax = 30;

export type BeaconOptions = {
  readonly port: number;
  /** Where beacons go: broadcast addresses. Asked at every beacon, so that an interface that comes back is used again. */
  readonly broadcastAddresses: () => readonly string[];
  /** Whether a beacon from this address is for us. */
  readonly accepts: (sourceAddress: string) => boolean;
};

/**
 * UDP beacons (ZRE, RFC 36; zbeacon): version 1 in clear, version 3 with a key. Each kind of node ignores the other's.
 * A peer's endpoint is the address that its beacon came from.
 */
export function beaconDiscovery(options: BeaconOptions): Discovery {
  return { source: 'beacon', start: (context) => startBeacon(options, context) };
}

/**
 * Beacons of the networks that `host` stands for: an address, the name of an interface, or 0.0.0.0 for every interface.
 * Who chose one network is not told of others.
 */
export function beaconOptionsFor(host: string, port: number): BeaconOptions {
  if (isLoopback(host) || host === 'localhost') {
    // Seen on Linux: each socket bound to the port gets a beacon sent to this address, and nobody else hears it.
    return { port, broadcastAddresses: () => ['127.255.255.255'], accepts: isLoopback };
  }
  const isEvery = host === '0.0.0.0' || host === '::';
  let networks = networksOf(host);
  return {
    port,
    broadcastAddresses: () => {
      networks = networksOf(host);
      return networks
        .filter(({ prefixBits }) => prefixBits <= broadcastPrefixBitsMax)
        .map(({ broadcast }) => broadcast);
    },
    // A loopback endpoint of another host would be one of our own.
    accepts: (sourceAddress) => !isLoopback(sourceAddress) && (isEvery || isWithin(sourceAddress, networks)),
  };
}

async function startBeacon(options: BeaconOptions, context: DiscoveryContext): Promise<RunningDiscovery> {
  const { self, clock } = context;
  const announcements = self.addresses.map((address) => announcementOf(self.id, address, portOf(address)));
  const goodbye = self.addresses.map((address) => announcementOf(self.id, address, 0));
  const socket = await context.datagrams.open({ port: options.port, onDatagram: receive });

  function receive(bytes: Uint8Array, sourceAddress: string): void {
    if (!options.accepts(sourceAddress)) return;
    const beacon = decodeBeacon(bytes);
    if (!beacon.ok) {
      context.onRefused(`beacon ${beacon.reason}`);
      return;
    }
    const { id, port } = beacon.value;
    // Port 0 is a goodbye, and anybody can send one in another's name: a peer that really goes says so through its mailbox
    // too, or falls silent.
    if (id === self.id || port === 0) return;
    context.onSighting({
      source: 'beacon',
      id,
      endpoint: `tcp://${sourceAddress}:${port}`,
      publicKey: beacon.value.version === 3 ? z85Encode(beacon.value.publicKey) : undefined,
      leaseMs: beaconLeaseMs,
    });
  }

  function send(beacons: readonly Uint8Array[]): void {
    for (const address of options.broadcastAddresses()) {
      for (const beacon of beacons) socket.send(beacon, address);
    }
  }

  send(announcements);
  const timer = every(
    clock,
    () => beaconEveryMs,
    () => send(announcements),
  );
  let stopped = false;
  return {
    async stop() {
      if (stopped) return;
      stopped = true;
      timer.stop();
      for (let i = 0; i < goodbyes; i++) send(goodbye);
      await socket.close();
    },
  };
}

function portOf({ endpoint }: Address): number {
  return Number(endpoint.slice(endpoint.lastIndexOf(':') + 1));
}

/** Port 0 says goodbye. */
function announcementOf(id: PeerId, { publicKey }: Address, port: number): Uint8Array {
  const key = publicKey === undefined ? undefined : z85Decode(publicKey);
  return encodeBeacon(
    key === undefined ? { version: 1, id, port } : { version: 3, id, port, publicKey: key },
  );
}
