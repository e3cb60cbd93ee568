import { checkSelf } from './check-self.ts';
import { type Clock, every } from './clock.ts';
import type { Discovery, RunningDiscovery, Sighting } from './discovery/discovery.ts';
import { addSighting, endpointOf, noSightings, sourcesOf, withoutExpired } from './discovery/sightings.ts';
import { MeshError } from './errors.ts';
import type { MeshEvent } from './events.ts';
import { joined, left, noMembership } from './group/membership.ts';
import { type PeerId, peerIdFromBytes, peerIdToBytes } from './ids.ts';
import { defaultLimits, type MeshLimits } from './limits.ts';
import {
  arrivalOf,
  defaultTiming,
  forgivePause,
  greetNewcomer,
  type Outgoing,
  type Peer,
  type PeerContext,
  type PeerInput,
  type PeerStep,
  type PeerTiming,
  type Self,
  stepPeer,
} from './peer/peer.ts';
import type { Random } from './random.ts';
import type { Datagrams, Frames, Link, Transport } from './transport/transport.ts';
import { decodeZre, encodeZre } from './wire/zre.ts';

export type MeshSettings = {
  readonly id: PeerId;
  readonly name: string;
  /** Fixed for the life of the node: ZRE has no message to change them. */
  readonly headers: ReadonlyMap<string, string>;
  /** Where the mailbox listens, e.g. `tcp://127.0.0.1:*`. */
  readonly bind: string;
  readonly discovery: readonly Discovery[];
  readonly timing?: PeerTiming;
  readonly limits?: MeshLimits;
};

/** What a mesh node reaches the world through. */
export type MeshParts = {
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: Transport;
  readonly datagrams: Datagrams;
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
  readonly queuedBytes: number;
};

export interface Mesh extends AsyncDisposable {
  readonly id: PeerId;
  readonly endpoint: string;
  /** Where discovery listens, by source; only gossip has an address of its own. */
  readonly discoveryEndpoints: ReadonlyMap<string, string>;
  peers(): readonly PeerView[];
  /** Peers that entered and are in `group`. */
  peersIn(group: string): readonly PeerId[];
  join(group: string): void;
  leave(group: string): void;
  /** False when the peer is unknown or its outbox is full: then nothing was sent. */
  whisper(to: PeerId, content: Frames): boolean;
  /** To every peer in `group`; answers how many took it. */
  shout(group: string, content: Frames): number;
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

const tickEveryMs = 1_000;
/** A tick that comes this late means that the process was suspended, not that the peers were silent. */
const pauseMsMin = 2_000;
/** What a goodbye may take to be written. */
const goodbyeLingerMs = 200;
/** Room above the content limits, so that PING and JOIN still pass when content does not. */
const outboxReserveBytes = 256 * 1024;
const outboxReserveMessages = 1_000;

/** A peer's state and its mailbox, which live and die together. */
type Entry = { peer: Peer; mailbox: Link | undefined };

/**
 * Starts a ZRE node: binds its mailbox, starts discovery, and keeps peers as peer.ts says. Rejects with MeshError
 * (BIND_FAILED, and BAD_NAME, BAD_HEADER or TOO_LARGE for settings that no peer would take).
 */
export async function startMesh(settings: MeshSettings, parts: MeshParts): Promise<Mesh> {
  const { clock, random, transport, datagrams } = parts;
  const limits = settings.limits ?? defaultLimits;
  const timing = settings.timing ?? defaultTiming;
  const routingId = Uint8Array.from([1, ...peerIdToBytes(settings.id)]);
  const entries = new Map<PeerId, Entry>();
  const listeners = new Set<(event: MeshEvent) => void>();
  const counts = new Map<string, number>();
  /** Mailboxes on their way out; stopping waits for them. */
  const closing = new Set<Promise<void>>();
  let sightings = noSightings;
  let membership = noMembership;
  let stopped = false;

  const inbox = await transport.listen(settings.bind, {
    onMessage: receive,
    frameBytesMax: Math.max(limits.controlFrameBytesMax, limits.contentFrameBytesMax),
  });
  const endpoint = inbox.endpoint;
  checkSelf(self(), limits);

  function self(): Self {
    return { id: settings.id, endpoint, name: settings.name, headers: settings.headers, membership };
  }

  function context(): PeerContext {
    return { self: self(), timing, nowMs: clock.monotonicMs() };
  }

  function receive(from: Uint8Array, frames: Frames): void {
    if (stopped) return;
    const refusal = accept(from, frames);
    if (refusal !== undefined) count(refusal);
  }

  /** Answers why it did not, if so. */
  function accept(from: Uint8Array, frames: Frames): string | undefined {
    if (from.length !== 17 || from[0] !== 1) return 'bad-identity';
    const id = peerIdFromBytes(from.subarray(1));
    if (id === settings.id) return 'own-identity';
    const decoded = decodeZre(frames, limits);
    // What we could not read had its place in the sequence: the next message shows the gap.
    if (!decoded.ok) return decoded.reason;
    const message = decoded.value;
    if (message.kind === 'hello') {
      // libzyre connects to itself for ever when told its own endpoint.
      if (message.endpoint === endpoint || message.sequence !== 1) return 'bad-hello';
      if (!entries.has(id) && !meet(id, message.endpoint)) return 'peers-max';
      for (const other of [...entries.values()]) {
        if (other.peer.id !== id && other.peer.endpoint === message.endpoint)
          act(other, { kind: 'replaced' });
      }
    }
    const entry = entries.get(id);
    if (entry === undefined) return 'unknown-peer';
    act(entry, { kind: 'received', message });
    return undefined;
  }

  function sight(sighting: Sighting): void {
    if (stopped || sighting.id === settings.id || sighting.endpoint === endpoint) return;
    sightings = addSighting(sightings, sighting, clock.monotonicMs(), limits.peersMax);
    const entry = entries.get(sighting.id);
    if (entry !== undefined) act(entry, { kind: 'sighted', endpoint: sighting.endpoint });
    else if (!meet(sighting.id, sighting.endpoint)) count('peers-max');
  }

  /** False when the table is full. */
  function meet(id: PeerId, at: string): boolean {
    if (entries.size >= limits.peersMax) return false;
    const step = greetNewcomer(id, at, context());
    if (step.peer) perform({ peer: step.peer, mailbox: undefined }, step);
    return true;
  }

  function act(entry: Entry, input: PeerInput): void {
    perform(entry, stepPeer(entry.peer, input, context()));
  }

  function perform(entry: Entry, { peer, effects }: PeerStep): void {
    // The state first: a listener that is told of an event may send at once.
    if (peer === undefined) {
      entries.delete(entry.peer.id);
      hangUp(entry, 0);
    } else {
      entry.peer = peer;
      entries.set(peer.id, entry);
    }
    for (const effect of effects) {
      switch (effect.kind) {
        case 'dial':
          hangUp(entry, 0);
          entry.mailbox = open(effect.endpoint);
          break;
        case 'send':
          if (entry.mailbox?.send(encodeZre(effect.message)) === false) count('outbox-full');
          break;
        case 'tell':
          tell(effect.event);
          break;
        default:
          effect satisfies never;
      }
    }
  }

  function open(at: string): Link | undefined {
    try {
      return transport.dial(at, {
        routingId,
        queueMessagesMax: limits.outboxMessagesMax + outboxReserveMessages,
        queueBytesMax: limits.outboxBytesMax + outboxReserveBytes,
      });
    } catch {
      // A stranger's endpoint may be no address at all. The peer stays unanswered, and goes.
      count('bad-endpoint');
      return undefined;
    }
  }

  function hangUp(entry: Entry, lingerMs: number): void {
    if (entry.mailbox === undefined) return;
    const closed = entry.mailbox.close(lingerMs).finally(() => closing.delete(closed));
    closing.add(closed);
    entry.mailbox = undefined;
  }

  /** False when it does not fit: a message that got its place in the sequence and is then lost would be a gap. */
  function post(entry: Entry, message: Outgoing, content: Frames): boolean {
    const bytes = content.reduce((sum, frame) => sum + frame.byteLength, 0);
    if (entry.mailbox === undefined || entry.mailbox.queuedBytes + bytes > limits.outboxBytesMax) {
      count('outbox-full');
      tell({ kind: 'outbox-full', id: entry.peer.id, droppedMessages: 1 });
      return false;
    }
    act(entry, { kind: 'send', message });
    return true;
  }

  function checkContent(content: Frames): void {
    if (content.length === 0)
      throw new MeshError('NO_CONTENT', 'a message needs one frame of content or more');
    const tooLarge = content.some((frame) => frame.byteLength > limits.contentFrameBytesMax);
    if (tooLarge || content.length >= limits.framesMax) {
      throw new MeshError(
        'TOO_LARGE',
        `content is at most ${limits.framesMax - 1} frames of ${limits.contentFrameBytesMax} bytes`,
      );
    }
  }

  function tell(event: MeshEvent): void {
    for (const listener of listeners) listener(event);
  }

  function count(reason: string): void {
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }

  let tickedAtMs = clock.monotonicMs();
  const ticker = every(
    clock,
    () => tickEveryMs,
    () => {
      const nowMs = clock.monotonicMs();
      const pausedMs = nowMs - tickedAtMs - tickEveryMs;
      tickedAtMs = nowMs;
      for (const entry of [...entries.values()]) {
        if (pausedMs >= pauseMsMin) entry.peer = forgivePause(entry.peer, pausedMs);
        act(entry, { kind: 'tick' });
      }
      sightings = withoutExpired(sightings, nowMs);
      // Whoever we lost but is still announced is greeted anew.
      for (const [id, leases] of sightings) {
        const at = endpointOf(leases);
        if (at !== undefined && !entries.has(id)) meet(id, at);
      }
    },
  );

  const discoveries = new Map<string, RunningDiscovery>();
  try {
    for (const discovery of settings.discovery) {
      discoveries.set(
        discovery.source,
        await discovery.start({
          self: { id: settings.id, endpoint },
          onSighting: sight,
          onRefused: count,
          clock,
          random,
          limits,
          transport,
          datagrams,
        }),
      );
    }
  } catch (cause) {
    await stop();
    throw cause;
  }

  async function stop(): Promise<void> {
    if (stopped) return;
    stopped = true;
    ticker.stop();
    await Promise.all([...discoveries.values()].map((discovery) => discovery.stop()));
    for (const entry of [...entries.values()]) {
      const ready = entry.peer.phase === 'ready';
      if (ready) act(entry, { kind: 'send', message: { kind: 'goodbye' } });
      hangUp(entry, ready ? goodbyeLingerMs : 0);
    }
    await Promise.all(closing);
    entries.clear();
    await inbox.close();
  }

  return {
    id: settings.id,
    endpoint,
    discoveryEndpoints: new Map(
      [...discoveries].flatMap(([source, running]) =>
        running.endpoint === undefined ? [] : [[source, running.endpoint] as const],
      ),
    ),
    peers() {
      const nowMs = clock.monotonicMs();
      return [...entries.values()].map(({ peer, mailbox }) => ({
        id: peer.id,
        name: peer.name,
        endpoint: peer.endpoint,
        ready: peer.phase === 'ready',
        headers: peer.headers,
        groups: [...peer.membership.groups],
        foundBy: sourcesOf(sightings, peer.id),
        silentMs: nowMs - peer.heardAtMs,
        roundTripMs: peer.roundTripMs,
        queuedBytes: mailbox?.queuedBytes ?? 0,
      }));
    },
    peersIn: (group) =>
      [...entries.values()]
        .filter(({ peer }) => peer.phase === 'ready' && peer.membership.groups.has(group))
        .map(({ peer }) => peer.id),
    join(group) {
      if (membership.groups.has(group)) return;
      const next = joined(membership, group);
      checkSelf({ ...self(), membership: next }, limits);
      membership = next;
      for (const entry of [...entries.values()]) {
        act(entry, { kind: 'send', message: { kind: 'join', group, status: membership.status } });
      }
    },
    leave(group) {
      if (!membership.groups.has(group)) return;
      membership = left(membership, group);
      for (const entry of [...entries.values()]) {
        act(entry, { kind: 'send', message: { kind: 'leave', group, status: membership.status } });
      }
    },
    whisper(to, content) {
      checkContent(content);
      const entry = entries.get(to);
      return entry?.peer.phase === 'ready' && post(entry, { kind: 'whisper', content }, content);
    },
    shout(group, content) {
      checkContent(content);
      let sent = 0;
      for (const entry of [...entries.values()]) {
        const { phase, membership: theirs } = entry.peer;
        if (phase === 'ready' && theirs.groups.has(group)) {
          if (post(entry, { kind: 'shout', group, content }, content)) sent++;
        }
      }
      return sent;
    },
    subscribe(listener) {
      for (const { peer } of [...entries.values()]) {
        if (peer.phase === 'ready') for (const event of arrivalOf(peer)) listener(event);
      }
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    counters: () => new Map(counts),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
