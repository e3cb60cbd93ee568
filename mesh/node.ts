import { type Advertised, advertisedEndpoint, parseAdvertised } from './advertise.ts';
import { checkSelf, checkTiming } from './check-self.ts';
import { every } from './clock.ts';
import { type Content, framesOf } from './content.ts';
import { completed, type MeshHeaders, type MeshParts, systemParts } from './defaults.ts';
import type { Address, Discovery, RunningDiscovery, Sighting } from './discovery/discovery.ts';
import { dueOf, entered, exited, noMemory } from './discovery/memory.ts';
import { createSightings } from './discovery/sightings.ts';
import { MeshError } from './errors.ts';
import type { QueuedEvent } from './event-queue.ts';
import { type EventsOptions, eventStream } from './event-stream.ts';
import type { MeshEvent } from './events.ts';
import { joined, left, noMembership } from './group/membership.ts';
import { type PeerId, peerIdFromBytes } from './ids.ts';
import { defaultLimits, type MeshLimits } from './limits.ts';
import {
  arrivalOf,
  defaultTiming,
  type Introduction,
  type PeerTiming,
  quietMsMax,
  type Self,
} from './peer/peer.ts';
import { createPeerTable, tickEveryMs } from './peer/table.ts';
import type { CurvePair } from './security/curve.ts';
import { securityHeaders } from './security/hello.ts';
import type { Identity } from './security/identity.ts';
import type { Frames, HandshakeRefusal, Listener } from './transport/transport.ts';
import { type WaitForPeersOptions, waitForPeers } from './wait-for-peers.ts';
import { decodeZre } from './wire/zre.ts';

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
  /** To every peer in `group`, of which we need not be a member; answers how many took it. Throws as `whisper` does. */
  shout(group: string, content: Content): number;
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

/** A tick that comes this late means that the process was suspended, not that the peers were silent. */
const pauseMsMin = 2_000;
/** A peer that we remember is dialled once; whoever else knows it knows better. */
const memoryLeaseMs = 1;
/** RFC 36: a mailbox names itself by 1 and its UUID. */
const identityBytes = 17;

/**
 * Starts a ZRE node: binds its mailbox, starts discovery, and keeps peers as peer.ts says. `parts` is what it reaches the world
 * through: the system's own, unless some are handed in. Rejects with MeshError (BIND_FAILED, and BAD_ENDPOINT, BAD_NAME,
 * BAD_HEADER, BAD_TIMING or TOO_LARGE for settings that cannot be or that no peer would take).
 */
export async function startMesh(given: MeshSettings, parts: Partial<MeshParts> = {}): Promise<Mesh> {
  const { clock, random, transport, datagrams } = { ...systemParts(), ...parts };
  const settings = completed(given, random);
  const { limits = defaultLimits, timing = defaultTiming } = settings;
  checkTiming(timing);
  const listeners = new Set<(event: MeshEvent) => void>();
  const endings = new Set<() => void>();
  const counts = new Map<string, number>();
  const discoveries = new Map<string, RunningDiscovery>();
  let memory = noMemory;
  let membership = noMembership;
  let stopped = false;

  const keys = settings.keys ?? [];
  const advertised = settings.advertise === undefined ? undefined : parseAdvertised(settings.advertise);
  // The mailboxes beside the first one have ports of their own.
  const advertisedHost: Advertised | undefined = advertised && { ...advertised, port: undefined };
  const inboxes = await listenWithEach(keys);
  const [inbox, ...others] = inboxes;
  const introductions: Self['introductions'] = [
    introductionAt(inbox, advertised),
    ...others.map((other) => introductionAt(other, advertisedHost)),
  ];
  const { endpoint } = introductions[0];
  const sightings = createSightings(limits.peersMax, introductions[0].publicKey);
  /** Whether somebody who is sighted may be missing among the peers. */
  let isSomebodyMissing = false;
  const table = createPeerTable({
    self,
    keys,
    timing,
    limits,
    clock,
    transport,
    tell,
    count,
    onGone() {
      isSomebodyMissing = true;
    },
    sightedAt: sightings.addressOf,
  });

  function self(): Self {
    return { id: settings.id, introductions, name: settings.name, membership };
  }

  /** One mailbox for each key, since a socket has one: while keys rotate, holders of either reach us. */
  async function listenWithEach(pairs: readonly CurvePair[]): Promise<Inboxes> {
    const first = await listen(settings.bind, pairs[0]);
    const opened: [Inbox, ...Inbox[]] = [{ listener: first, publicKey: pairs[0]?.publicKey }];
    try {
      for (const pair of pairs.slice(1)) {
        const listener = await listen(onAnyPort(settings.bind), pair);
        opened.push({ listener, publicKey: pair.publicKey });
      }
    } catch (cause) {
      await Promise.all(opened.map(({ listener }) => listener.close()));
      throw cause;
    }
    return opened;
  }

  function listen(bind: string, pair: CurvePair | undefined): Promise<Listener> {
    return transport.listen(bind, {
      pair,
      onMessage(from, frames) {
        const refusal = stopped ? undefined : receive(from, frames);
        if (refusal !== undefined) count(refusal);
      },
      onRefused: turnAway,
      frameBytesMax: Math.max(limits.controlFrameBytesMax, limits.contentFrameBytesMax),
    });
  }

  function introductionAt({ listener, publicKey }: Inbox, told: Advertised | undefined): Introduction {
    const address: Address = { endpoint: advertisedEndpoint(listener.endpoint, told), publicKey };
    const security = securityHeaders(address, settings.id, settings.identity);
    return { ...address, headers: new Map([...settings.headers, ...security]) };
  }

  function turnAway(reason: HandshakeRefusal): void {
    count(reason);
    tell({ kind: 'stranger-refused', reason });
  }

  /** Answers why a message was dropped, if so. */
  function receive(from: Uint8Array, frames: Frames): string | undefined {
    if (from.length !== identityBytes || from[0] !== 1) return 'bad-identity';
    const id = peerIdFromBytes(from, 1);
    if (id === settings.id) return 'own-identity';
    const message = decodeZre(frames, limits);
    // What we could not read had its place in the sequence: the next message shows the gap.
    return message.ok ? table.receive(id, message.value) : message.reason;
  }

  function sight(sighting: Sighting): void {
    const isOurs = introductions.some((own) => own.endpoint === sighting.endpoint);
    if (stopped || sighting.id === settings.id || isOurs) return;
    if (!introductions.some(({ publicKey }) => publicKey === sighting.publicKey)) {
      count('foreign-key');
      return;
    }
    const { id, source } = sighting;
    sightings.add(sighting, clock.monotonicMs());
    const address = sightings.addressOf(id);
    if (address === undefined) return;
    if (!table.sight(id, address, source === 'beacon')) count('peers-max');
    isSomebodyMissing ||= table.peer(id) === undefined;
  }

  function tell(event: MeshEvent): void {
    remember(event);
    for (const listener of listeners) listener(event);
  }

  function remember(event: MeshEvent): void {
    const nowMs = clock.monotonicMs();
    if (event.kind === 'peer-exited') {
      if (event.reason === 'goodbye') sightings.drop(event.id);
      memory = exited(memory, event.id, event.reason, nowMs, limits.peersMax);
    } else if (event.kind === 'peer-entered') {
      const { id } = event.peer;
      const peer = table.peer(id);
      if (peer) memory = entered(memory, id, { endpoint: peer.endpoint, publicKey: peer.publicKey }, nowMs);
    }
  }

  function isHeard(id: PeerId): boolean {
    const peer = table.peer(id);
    return peer?.phase === 'ready' && clock.monotonicMs() - peer.heardAtMs < quietMsMax(timing);
  }

  function count(reason: string): void {
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }

  /** Peers that entered and are in `group`, if one is named. */
  function peersIn(group: string | undefined): readonly PeerId[] {
    return table
      .peers()
      .filter(
        ({ peer }) => peer.phase === 'ready' && (group === undefined || peer.membership.groups.has(group)),
      )
      .map(({ peer }) => peer.id);
  }

  function peers(): readonly PeerView[] {
    const nowMs = clock.monotonicMs();
    return table.peers().map(({ peer, queuedMessages, queuedBytes }) => ({
      id: peer.id,
      name: peer.name,
      endpoint: peer.endpoint,
      ready: peer.phase === 'ready',
      headers: peer.headers,
      groups: [...peer.membership.groups],
      foundBy: sightings.sourcesOf(peer.id),
      silentMs: nowMs - peer.heardAtMs,
      roundTripMs: peer.roundTripMs,
      queuedMessages,
      queuedBytes,
    }));
  }

  let tickedAtMs = clock.monotonicMs();
  const ticker = every(clock, () => tickEveryMs, tick);

  function tick(): void {
    const nowMs = clock.monotonicMs();
    const lateMs = nowMs - tickedAtMs - tickEveryMs;
    tickedAtMs = nowMs;
    table.tick(lateMs >= pauseMsMin ? lateMs : 0);
    sightings.dropEnded(nowMs);
    const remembered = dueOf(memory, nowMs, random);
    memory = remembered.memory;
    for (const [id, address] of remembered.due) {
      if (table.peer(id) === undefined) sight({ source: 'memory', id, ...address, leaseMs: memoryLeaseMs });
    }
    if (isSomebodyMissing) greetTheMissing();
  }

  /** Whoever we lost but is still announced is greeted anew. */
  function greetTheMissing(): void {
    isSomebodyMissing = false;
    for (const id of sightings.ids()) {
      const at = table.peer(id) === undefined ? sightings.addressOf(id) : undefined;
      if (at === undefined) continue;
      table.sight(id, at, false);
      isSomebodyMissing ||= table.peer(id) === undefined;
    }
  }

  async function stop(): Promise<void> {
    if (stopped) return;
    stopped = true;
    ticker.stop();
    await Promise.all([...discoveries.values()].map((discovery) => discovery.stop()));
    await table.close();
    await Promise.all(inboxes.map(({ listener }) => listener.close()));
    for (const end of [...endings]) end();
  }

  function onStopped(ended: () => void): () => void {
    if (stopped) ended();
    else endings.add(ended);
    return () => endings.delete(ended);
  }

  function subscribe(listener: (event: MeshEvent) => void): () => void {
    for (const { peer } of table.peers()) {
      if (peer.phase === 'ready') for (const event of arrivalOf(peer)) listener(event);
    }
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  try {
    checkSelf(self(), limits);
    for (const discovery of settings.discovery) {
      const running = await discovery.start({
        self: { id: settings.id, addresses: introductions },
        keys,
        isHeard,
        onSighting: sight,
        onRefused: count,
        onStranger: turnAway,
        onTurnedAway(at) {
          count('turned-away');
          tell({ kind: 'turned-away', endpoint: at });
        },
        clock,
        random,
        limits,
        transport,
        datagrams,
      });
      discoveries.set(discovery.source, running);
    }
  } catch (cause) {
    await stop();
    throw cause;
  }

  return {
    id: settings.id,
    name: settings.name,
    endpoint,
    discoveryEndpoints: new Map(
      [...discoveries].flatMap(([source, running]) =>
        running.endpoint === undefined
          ? []
          : [[source, advertisedEndpoint(running.endpoint, advertisedHost)] as const],
      ),
    ),
    peers,
    peer: (id) => peers().find((peer) => peer.id === id),
    peersIn,
    join(group) {
      if (membership.groups.has(group)) return;
      const next = joined(membership, group);
      checkSelf({ ...self(), membership: next }, limits);
      membership = next;
      table.announce({ kind: 'join', group, status: membership.status });
    },
    leave(group) {
      if (!membership.groups.has(group)) return;
      membership = left(membership, group);
      table.announce({ kind: 'leave', group, status: membership.status });
    },
    whisper(to, said) {
      const content = framesOf(said);
      checkContent(content, limits);
      return table.whisper(to, content);
    },
    shout(group, said) {
      const content = framesOf(said);
      checkContent(content, limits);
      return table.shout(group, content);
    },
    subscribe,
    events: (options) => eventStream({ subscribe, onStopped, limits }, options),
    waitForPeers: (options) => waitForPeers({ present: peersIn, subscribe, onStopped }, options),
    counters: () => new Map(counts),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

type Inbox = { readonly listener: Listener; readonly publicKey: string | undefined };
type Inboxes = readonly [Inbox, ...Inbox[]];

function onAnyPort(endpoint: string): string {
  return `${endpoint.slice(0, endpoint.lastIndexOf(':'))}:*`;
}

/** Throws MeshError NO_CONTENT, or TOO_LARGE for what a peer with our limits would refuse. */
function checkContent(content: Frames, limits: MeshLimits): void {
  if (content.length === 0) {
    throw new MeshError(
      'NO_CONTENT',
      'a message needs one frame of content or more: an empty one says nothing',
    );
  }
  const tooLarge = content.some((frame) => !(frame.byteLength <= limits.contentFrameBytesMax));
  if (tooLarge || content.length >= limits.framesMax) {
    throw new MeshError(
      'TOO_LARGE',
      `content is at most ${limits.framesMax - 1} frames of bytes, each of up to ${limits.contentFrameBytesMax}: send it in parts`,
    );
  }
}
