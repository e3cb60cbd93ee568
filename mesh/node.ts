import { checkSelf, checkTiming } from './check-self.ts';
import { every } from './clock.ts';
import { framesOf } from './content.ts';
import { completed, type MeshParts, withSystemParts } from './defaults.ts';
import type { RunningDiscovery, Sighting } from './discovery/discovery.ts';
import { dueOf, entered, exited, noMemory } from './discovery/memory.ts';
import { createSightings } from './discovery/sightings.ts';
import { eventStream } from './event-stream.ts';
import type { MeshEvent } from './events.ts';
import { joined, left, type Membership, noMembership } from './group/membership.ts';
import { type PeerId, peerIdFromBytes } from './ids.ts';
import { defaultLimits } from './limits.ts';
import { openMailboxes } from './mailboxes.ts';
import type { Mesh, MeshSettings, PeerView } from './mesh.ts';
import { arrivalOf, type Self } from './peer/peer.ts';
import { createPeerTable, tickEveryMs } from './peer/table.ts';
import { defaultTiming, quietMsMax } from './peer/timing.ts';
import { randomInt } from './random.ts';
import type { Frames, HandshakeRefusal } from './transport/transport.ts';
import { waitForPeers } from './wait-for-peers.ts';
import { decodeZre } from './wire/zre.ts';

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
  const { clock, random, transport, datagrams } = withSystemParts(parts);
  const settings = completed(given, random);
  const { limits = defaultLimits, timing = defaultTiming } = settings;
  checkTiming(timing);
  const listeners = new Set<(event: MeshEvent) => void>();
  const endings = new Set<() => void>();
  const counts = new Map<string, number>();
  const discoveries = new Map<string, RunningDiscovery>();
  let memory = noMemory;
  // Any status may be the first. Where it is of chance, a late HELLO of a node that was started again under its old id betrays
  // itself at the next JOIN; HELLOs are all number 1, and nothing else tells them apart.
  let membership: Membership = { ...noMembership, status: randomInt(random, 256) };
  let stopped = false;

  const { keys = [] } = settings;
  const mailboxes = await openMailboxes(settings, keys, transport, {
    onRefused: turnAway,
    frameBytesMax: Math.max(limits.controlFrameBytesMax, limits.contentFrameBytesMax),
  });
  const { introductions } = mailboxes;
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
    await mailboxes.close();
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
    mailboxes.receive((from, frames) => {
      const refusal = stopped ? undefined : receive(from, frames);
      if (refusal !== undefined) count(refusal);
    });
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
        running.endpoint === undefined ? [] : [[source, mailboxes.advertise(running.endpoint)] as const],
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
      const content = framesOf(said, limits);
      return table.whisper(to, content);
    },
    shout(group, said, options) {
      const content = framesOf(said, limits);
      return table.shout(group, content, options?.to);
    },
    subscribe,
    events: (options) => eventStream({ subscribe, onStopped, limits }, options),
    waitForPeers: (options) => waitForPeers({ present: peersIn, subscribe, onStopped }, options),
    counters: () => new Map(counts),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
