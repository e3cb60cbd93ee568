import type { Content } from './content.ts';
import type { MeshHeaders } from './defaults.ts';
import type { Discovery } from './discovery/discovery.ts';
import type { QueuedEvent } from './event-queue.ts';
import type { EventsOptions } from './event-stream.ts';
import type { MeshEvent } from './events.ts';
import type { PeerId } from './ids.ts';
import type { MeshLimits } from './limits.ts';
import type { PeerTiming } from './peer/timing.ts';
import type { CurvePair } from './security/curve.ts';
import type { Identity } from './security/identity.ts';
import type { WaitForPeersOptions } from './wait-for-peers.ts';

export type MeshSettings = {
  /** What peers see it by, up to 255 bytes; it need not be the only one of that name. */
  readonly name: string;
  /** That of `identity` unless stated. */
  readonly id?: PeerId;
  /** Fixed for the life of the node: ZRE has no message to change them. None unless stated. */
  readonly headers?: MeshHeaders;
  /** Where the mailbox listens; `tcp://127.0.0.1:*` unless stated. */
  readonly bind?: string;
  /**
   * What peers are told instead of the bound address: `host` or `host:port`, e.g. behind NAT. Without it, and bound to every
   * interface, they are told the address of the first one that is up.
   */
  readonly advertise?: string;
  /** Beacons and gossip on the network of `bind` unless stated. */
  readonly discovery?: readonly Discovery[];
  /**
   * The mesh's key pairs (curvePairOf). With one, everything is encrypted and nobody else gets in. A second one is the
   * previous pair, which is still good while keys rotate. Without any the mesh is in clear and open to all.
   */
  readonly keys?: readonly CurvePair[];
  /**
   * What `id` is made from (idOfPublicKey): then nobody can take it over. One of chance unless it or an id is stated;
   * `identityOfSeed` makes one that outlives the process.
   */
  readonly identity?: Identity;
  readonly timing?: PeerTiming;
  readonly limits?: MeshLimits;
};

/** A peer as people and metrics want to see it. */
export type PeerView = {
  readonly id: PeerId;
  readonly name: string;
  readonly endpoint: string;
  readonly ready: boolean;
  readonly headers: ReadonlyMap<string, string>;
  readonly groups: readonly string[];
  /** Which ways of discovery know it now. */
  readonly foundBy: readonly string[];
  readonly silentMs: number;
  readonly roundTripMs: number | undefined;
  readonly queuedMessages: number;
  readonly queuedBytes: number;
};

export type ShoutOptions = {
  /** Who of the group is meant. */
  readonly to?: (peer: PeerId) => boolean;
};

export interface Mesh extends AsyncDisposable {
  readonly id: PeerId;
  readonly name: string;
  /** What peers are told of where its mailbox listens. */
  readonly endpoint: string;
  /** Where discovery is reached, by source; only gossip has an address of its own. */
  readonly discoveryEndpoints: ReadonlyMap<string, string>;
  peers(): readonly PeerView[];
  /** Undefined for a peer that is not known. */
  peer(id: PeerId): PeerView | undefined;
  /** Peers that entered and are in `group`. */
  peersIn(group: string): readonly PeerId[];
  /** Joining twice does nothing. Throws MeshError BAD_GROUP or TOO_LARGE for a group that peers would refuse. */
  join(group: string): void;
  /** Leaving a group that we are not in does nothing. */
  leave(group: string): void;
  /**
   * False when the peer is unknown or its outbox is full: then nothing was sent. Throws MeshError NO_CONTENT or TOO_LARGE for
   * content that peers would refuse.
   */
  whisper(to: PeerId, content: Content): boolean;
  /**
   * To every peer in `group`, of which we need not be a member, or to those that `to` is true of; answers how many took it.
   * Throws as `whisper` does.
   */
  shout(group: string, content: Content, options?: ShoutOptions): number;
  /**
   * The events for a `for await`, from this call on, first the peers that are here already. What a slow reader leaves waiting
   * is bounded: above it whispers and shouts are dropped, and an `inbox-full` says how many.
   */
  events(options?: EventsOptions): AsyncIterableIterator<QueuedEvent, undefined>;
  /**
   * The peers that are there, once they are enough: a shout reaches only whose JOIN has come. Rejects with MeshError
   * NOT_ENOUGH_PEERS when `signal` aborts first, STOPPED when the mesh stops.
   */
  waitForPeers(options?: WaitForPeersOptions): Promise<readonly PeerId[]>;
  /**
   * `listener` is called for each event, in order, until the returned function is called. It is first told of the peers
   * that are here already, so that nobody has to subscribe before the mesh starts.
   */
  subscribe(listener: (event: MeshEvent) => void): () => void;
  /** Dropped messages of strangers and full outboxes, by reason. */
  counters(): ReadonlyMap<string, number>;
  /** Says goodbye and closes. Stopping twice is safe. */
  stop(): Promise<void>;
}
