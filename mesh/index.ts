/** The door of `tocsin/mesh`: ZRE (RFC 36, Zyre's protocol) for Node. Bytes in, bytes out. */
export { type Clock, every, systemClock, type Timer } from './clock.ts';
export { type Content, textOf } from './content.ts';
export type { MeshHeaders, MeshParts } from './defaults.ts';
export { type BeaconOptions, beaconDiscovery, beaconOptionsFor, beaconPort } from './discovery/beacon.ts';
export type {
  Address,
  Discovery,
  DiscoveryContext,
  RunningDiscovery,
  Sighting,
} from './discovery/discovery.ts';
export { type GossipOptions, gossipDiscovery } from './discovery/gossip.ts';
export { networksOf } from './discovery/interfaces.ts';
export { type MdnsOptions, mdnsDiscovery } from './discovery/mdns.ts';
export { endpointOf } from './endpoint.ts';
export { MeshError, type MeshErrorCode } from './errors.ts';
export type { InboxFull, QueuedEvent } from './event-queue.ts';
export type { EventsOptions } from './event-stream.ts';
export type { ExitReason, MeshEvent, PeerInfo } from './events.ts';
export { isPeerId, type PeerId, peerIdFromBytes, peerIdToBytes } from './ids.ts';
export { defaultLimits, type MeshLimits } from './limits.ts';
export type { Mesh, MeshSettings, PeerView, ShoutOptions } from './mesh.ts';
export { startMesh } from './node.ts';
export { defaultTiming, type PeerTiming } from './peer/timing.ts';
export { jitter, pick, type Random, randomInt, seededRandom, systemRandom } from './random.ts';
export { type CurvePair, curvePairOf, meshKeyBytes } from './security/curve.ts';
export { type Identity, idOfPublicKey } from './security/identity.ts';
export { identityOfSeed } from './security/seeded-identity.ts';
export { descriptorLimit, fileDescriptorWarning } from './transport/descriptors.ts';
export { createGatekeeper, type Gate, type Gatekeeper } from './transport/gatekeeper.ts';
export { type Names, systemNames } from './transport/names.ts';
export {
  type SimulatedClock,
  type SimulatedNetwork,
  simulatedClock,
  simulatedNetwork,
} from './transport/simulated.ts';
export type {
  Datagrams,
  Frames,
  HandshakeRefusal,
  Link,
  Listener,
  Transport,
} from './transport/transport.ts';
export { udpDatagrams } from './transport/udp.ts';
export { zeromqTransport } from './transport/zeromq.ts';
export type { WaitForPeersOptions } from './wait-for-peers.ts';
