import type { Clock } from '../clock.ts';
import type { Address } from '../discovery/discovery.ts';
import { MeshError } from '../errors.ts';
import type { MeshEvent } from '../events.ts';
import { createElections } from '../group/elections.ts';
import { type PeerId, peerIdToBytes } from '../ids.ts';
import type { MeshLimits } from '../limits.ts';
import type { CurvePair } from '../security/curve.ts';
import { standingOf } from '../security/hello.ts';
import { byteLengthOf, type Frames, type Link, type Transport } from '../transport/transport.ts';
import type { Hello, ZreMessage } from '../wire/message.ts';
import { encodeControl, encodeZre, withSequence } from '../wire/zre.ts';
import { addressIn, hasMoved } from './address.ts';
import { createAgenda } from './agenda.ts';
import {
  dueAtMs,
  forgivePause,
  greetNewcomer,
  type Outgoing,
  type Peer,
  type PeerContext,
  type PeerInput,
  type PeerStep,
  type Self,
  stepPeer,
} from './peer.ts';
import { contentEvent, hearContent, takePlace } from './sequence.ts';
import { type PeerTiming, quietMsMax } from './timing.ts';

/** How often `tick` is to be called. */
export const tickEveryMs = 1_000;
/** What a goodbye may take to be written. */
const goodbyeLingerMs = 200;
/** Room above the content limits, so that PING and JOIN still pass when content does not. */
const outboxReserveBytes = 256 * 1024;
const outboxReserveMessages = 1_000;
/** Ids whose owners we met: so many that forgetting one takes a long memory. */
const provenMax = 10_000;

export type PeerTableParts = {
  /** As it is now: groups come and go. */
  readonly self: () => Self;
  /** The mesh's keys; none on a mesh in clear. */
  readonly keys: readonly CurvePair[];
  readonly timing: PeerTiming;
  readonly limits: MeshLimits;
  readonly clock: Clock;
  readonly transport: Transport;
  readonly tell: (event: MeshEvent) => void;
  readonly count: (reason: string) => void;
  /** A peer is not in the table any more. */
  readonly onGone: () => void;
  /** Where discovery sees a peer now. */
  readonly sightedAt: (id: PeerId) => Address | undefined;
};

export type HelloRefusal =
  | 'bad-hello'
  | 'peers-max'
  /** Its mailbox has a key that is none of ours, or none where ours has one. */
  | 'foreign-key'
  /** Its signature is not its id's. */
  | 'forged-hello'
  /** Another one that lives has the id, or has shown that it is its own. */
  | 'id-taken';

export type PeerEntry = {
  readonly peer: Peer;
  readonly queuedMessages: number;
  readonly queuedBytes: number;
};

/** All peers, each with its mailbox: peer.ts decides what happens to a peer, this does it. */
export interface PeerTable {
  peer(id: PeerId): Peer | undefined;
  peers(): readonly PeerEntry[];
  /** A peer's message; answers why it was dropped, if so. */
  receive(id: PeerId, message: ZreMessage): HelloRefusal | 'unknown-peer' | undefined;
  /** Discovery names an address; `byItself` when a beacon of the peer's own did. False when it is new and the table full. */
  sight(id: PeerId, address: Address, byItself: boolean): boolean;
  /** Time passes; `pausedMs` of it this process did not run. */
  tick(pausedMs: number): void;
  /** To every peer, also to those that have not answered yet. */
  announce(message: Outgoing): void;
  /** Content to one peer. False when it is not ready, or its outbox is full. */
  whisper(id: PeerId, content: Frames): boolean;
  /** Content to every peer in `group` that is ready, and that `to` is true of; answers how many outboxes took it. */
  shout(group: string, content: Frames, to?: (id: PeerId) => boolean): number;
  /** Says goodbye to all, and closes their mailboxes. */
  close(): Promise<void>;
}

/** A peer's state and its mailbox, which live and die together. */
type Entry = {
  peer: Peer;
  mailbox: Link | undefined;
  /** Messages that its full outbox has not taken, since it was told of. */
  dropped: number;
};

export function createPeerTable(parts: PeerTableParts): PeerTable {
  const { self, keys, timing, limits, clock, transport, tell, count, onGone } = parts;
  const routingId = Uint8Array.from([1, ...peerIdToBytes(self().id)]);
  const entries = new Map<PeerId, Entry>();
  /** Ids that were shown to be their owner's. */
  const proven = new Set<PeerId>();
  /** Our group status in the last HELLO to a peer that went without answering it. */
  const unanswered = new Map<PeerId, number>();
  const agenda = createAgenda<Entry>(tickEveryMs);
  /** Whose full outboxes were told of. */
  const overflowing = new Set<Entry>();
  const elections = createElections({
    clock,
    isOurs: (group) => self().membership.groups.has(group),
    isIn(id, group) {
      const peer = entries.get(id)?.peer;
      return peer?.phase === 'ready' && peer.membership.groups.has(group);
    },
    send(to, { kind, group, id }) {
      const entry = entries.get(to);
      if (entry === undefined) return;
      const message: Outgoing =
        kind === 'elect' ? { kind, group, challengerId: id } : { kind, group, leaderId: id };
      act(entry, { kind: 'send', message });
    },
  });
  /** Mailboxes on their way out; closing waits for them. */
  const closing = new Set<Promise<void>>();

  function context(): PeerContext {
    return { self: self(), timing, nowMs: clock.monotonicMs(), groupsMax: limits.groupsMax };
  }

  /** False when the table is full. */
  function meet(id: PeerId, address: Address): boolean {
    if (entries.size >= limits.peersMax) return false;
    const step = greetNewcomer(id, address, context(), unanswered.get(id));
    if (step.peer) perform({ peer: step.peer, mailbox: undefined, dropped: 0 }, step);
    return true;
  }

  /**
   * Whether another peer was met at this endpoint. Two mailboxes of ours at one endpoint would take each other's place for
   * ever, since both have our routing id. Whoever listens there now answers the HELLO, whosever name it went out to.
   */
  function isTaken(endpoint: string, id: PeerId): boolean {
    for (const { peer } of entries.values()) if (peer.endpoint === endpoint && peer.id !== id) return true;
    return false;
  }

  function forget(entry: Entry): void {
    const { id, answered, toldStatus } = entry.peer;
    entries.delete(id);
    unanswered.delete(id);
    const oldest = unanswered.keys().next().value;
    if (unanswered.size >= limits.peersMax && oldest !== undefined) unanswered.delete(oldest);
    if (!answered) unanswered.set(id, toldStatus);
    hangUp(entry, 0);
    agenda.forget(entry);
    overflowing.delete(entry);
    onGone();
  }

  function act(entry: Entry, input: PeerInput): void {
    perform(entry, stepPeer(entry.peer, input, context()));
  }

  function perform(entry: Entry, { peer, effects }: PeerStep): void {
    // The state first: a listener that is told of an event may send at once.
    if (peer === undefined) {
      forget(entry);
    } else {
      entry.peer = peer;
      entries.set(peer.id, entry);
      // Whoever was heard is looked at later than it was to be: that is found out then.
      if (peer.phase === 'greeted') agenda.look(entry, dueAtMs(peer, timing));
    }
    for (const effect of effects) {
      switch (effect.kind) {
        case 'dial':
          hangUp(entry, 0);
          entry.mailbox = open(effect.address);
          break;
        case 'send':
          if (entry.mailbox?.send(encodeZre(effect.message)) === false) count('outbox-full');
          break;
        case 'tell':
          if (effect.event.kind === 'peer-exited') elections.gone(effect.event.id);
          if (effect.event.kind === 'peer-left') elections.left(effect.event.id, effect.event.group);
          tell(effect.event);
          break;
        case 'vote':
          elections.receive(entry.peer.id, effect.ballot);
          break;
        default:
          effect satisfies never;
      }
    }
  }

  function open({ endpoint, publicKey }: Address): Link | undefined {
    try {
      return transport.dial(endpoint, {
        pair: keys.find((pair) => pair.publicKey === publicKey),
        routingId,
        queueMessagesMax: limits.outboxMessagesMax + outboxReserveMessages,
        queueBytesMax: limits.outboxBytesMax + outboxReserveBytes,
      });
    } catch (cause) {
      // A stranger's endpoint may be no address at all. The peer stays unanswered, and goes.
      const isFull = cause instanceof MeshError && cause.code === 'NO_DESCRIPTORS';
      count(isFull ? 'no-descriptors' : 'bad-endpoint');
      return undefined;
    }
  }

  /**
   * A peer that greets us again may not have heard our answer: then the host that we dial it by is one that we do not reach,
   * out of several that it has. So we change between the host that it names and the one that discovery sees it at.
   */
  function tryOtherHost(entry: Entry, hello: Hello): void {
    const { peer } = entry;
    const sighted = parts.sightedAt(peer.id);
    if (!peer.answered || peer.isReached || sighted === undefined) return;
    const other = peer.endpoint === sighted.endpoint ? addressIn(hello, self()) : sighted;
    if (!hasMoved(peer, other, self()) && other.publicKey === peer.publicKey)
      entry.peer = { ...peer, endpoint: other.endpoint };
  }

  function hangUp(entry: Entry, lingerMs: number): void {
    if (entry.mailbox === undefined) return;
    const closed = entry.mailbox.close(lingerMs).finally(() => closing.delete(closed));
    closing.add(closed);
    entry.mailbox = undefined;
  }

  /** False when the outbox is full: a message that got its place in the sequence and was then lost would be a gap. */
  function say(entry: Entry, control: Uint8Array, content: Frames): boolean {
    const { peer, mailbox } = entry;
    if (mailbox === undefined || !hasRoom(mailbox, content)) {
      drop(entry);
      return false;
    }
    return mailbox.send([withSequence(control, takePlace(peer)), ...content]);
  }

  function hasRoom(mailbox: Link, content: Frames): boolean {
    return (
      mailbox.queuedMessages < limits.outboxMessagesMax &&
      mailbox.queuedBytes + byteLengthOf(content) <= limits.outboxBytesMax
    );
  }

  /** Content in its place is told of at once; false for all else. */
  function hear(peer: Peer, message: ZreMessage): boolean {
    if (message.kind !== 'whisper' && message.kind !== 'shout') return false;
    if (!hearContent(peer, message, clock.monotonicMs())) return false;
    const event = contentEvent(peer.id, message, self().membership);
    if (event !== undefined) tell(event);
    return true;
  }

  /** A flood must not become one of events: a full outbox is told of once, and then what it has cost, once it has room again. */
  function drop(entry: Entry): void {
    count('outbox-full');
    overflowing.add(entry);
    if (entry.dropped++ === 0) tell({ kind: 'outbox-full', id: entry.peer.id, droppedMessages: 1 });
  }

  function tellIfDrained(entry: Entry): void {
    const { mailbox, peer, dropped } = entry;
    const hasDrained =
      mailbox !== undefined &&
      mailbox.queuedMessages <= limits.outboxMessagesMax / 2 &&
      mailbox.queuedBytes <= limits.outboxBytesMax / 2;
    if (!hasDrained) return;
    entry.dropped = 0;
    overflowing.delete(entry);
    tell({ kind: 'outbox-drained', id: peer.id, droppedMessages: dropped });
  }

  function refusalOf(id: PeerId, hello: Hello): HelloRefusal | undefined {
    const address = addressIn(hello, self());
    // libzyre connects to itself for ever when told its own endpoint.
    const isOurs = self().introductions.some(({ endpoint }) => endpoint === address.endpoint);
    if (isOurs || hello.sequence !== 1) return 'bad-hello';
    if (keys.length > 0 && !keys.some(({ publicKey }) => publicKey === address.publicKey))
      return 'foreign-key';
    const standing = standingOf(hello, id);
    if (standing === 'forged') return 'forged-hello';
    if (standing === 'proven') {
      prove(id);
      return undefined;
    }
    if (proven.has(id)) return 'id-taken';
    const peer = entries.get(id)?.peer;
    if (peer?.phase !== 'ready' || !hasMoved(peer, address, self())) return undefined;
    const lives = clock.monotonicMs() - peer.heardAtMs < quietMsMax(timing);
    return lives ? 'id-taken' : undefined;
  }

  function prove(id: PeerId): void {
    proven.delete(id);
    const oldest = proven.values().next().value;
    if (proven.size >= provenMax && oldest !== undefined) proven.delete(oldest);
    proven.add(id);
  }

  return {
    peer: (id) => entries.get(id)?.peer,
    peers: () =>
      [...entries.values()].map(({ peer, mailbox }) => ({
        peer,
        queuedMessages: mailbox?.queuedMessages ?? 0,
        queuedBytes: mailbox?.queuedBytes ?? 0,
      })),
    receive(id, message) {
      if (message.kind === 'hello') {
        const refusal = refusalOf(id, message);
        if (refusal !== undefined) return refusal;
        if (!entries.has(id) && !meet(id, addressIn(message, self()))) return 'peers-max';
        for (const other of [...entries.values()]) {
          if (other.peer.id === id || other.peer.endpoint !== message.endpoint) continue;
          act(other, { kind: 'replaced' });
        }
      }
      const entry = entries.get(id);
      if (entry === undefined) return 'unknown-peer';
      if (message.kind === 'hello') tryOtherHost(entry, message);
      if (!hear(entry.peer, message)) act(entry, { kind: 'received', message });
      return undefined;
    },
    sight(id, address, byItself) {
      const entry = entries.get(id);
      const isElsewhere =
        entry === undefined || (entry.peer.phase === 'greeted' && entry.peer.endpoint !== address.endpoint);
      if (isElsewhere && isTaken(address.endpoint, id)) return true;
      if (entry === undefined) return meet(id, address);
      act(entry, { kind: 'sighted', address, byItself });
      return true;
    },
    tick(pausedMs) {
      const now = context();
      if (pausedMs > 0) {
        for (const entry of entries.values()) entry.peer = forgivePause(entry.peer, pausedMs, now.nowMs);
      }
      for (const entry of overflowing) tellIfDrained(entry);
      for (const entry of agenda.due(now.nowMs)) {
        // A listener that was told of another peer may have taken this one out.
        if (entries.get(entry.peer.id) !== entry) continue;
        if (dueAtMs(entry.peer, timing) <= now.nowMs) act(entry, { kind: 'tick' });
        if (entries.get(entry.peer.id) === entry) agenda.look(entry, dueAtMs(entry.peer, timing));
      }
    },
    announce(message) {
      for (const entry of [...entries.values()]) act(entry, { kind: 'send', message });
    },
    whisper(id, content) {
      const entry = entries.get(id);
      return entry?.peer.phase === 'ready' && say(entry, encodeControl({ kind: 'whisper' }), content);
    },
    shout(group, content, to) {
      let control: Uint8Array | undefined;
      let taken = 0;
      for (const entry of entries.values()) {
        const { id, phase, membership } = entry.peer;
        if (phase !== 'ready' || !membership.groups.has(group) || to?.(id) === false) continue;
        control ??= encodeControl({ kind: 'shout', group });
        if (say(entry, control, content)) taken++;
      }
      return taken;
    },
    async close() {
      for (const entry of [...entries.values()]) {
        const ready = entry.peer.phase === 'ready';
        if (ready) act(entry, { kind: 'send', message: { kind: 'goodbye' } });
        hangUp(entry, ready ? goodbyeLingerMs : 0);
      }
      entries.clear();
      await Promise.all(closing);
    },
  };
}
