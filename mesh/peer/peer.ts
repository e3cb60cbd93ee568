import type { Address } from '../discovery/discovery.ts';
import type { ExitReason, MeshEvent } from '../events.ts';
import type { Ballot } from '../group/election.ts';
import { joined, left, type Membership, noMembership } from '../group/membership.ts';
import { isPeerId, type PeerId } from '../ids.ts';
import type { Hello, ZreMessage } from '../wire/message.ts';
import { addressIn, hasMoved } from './address.ts';
import { contentEvent, isNext, sequenceAfter } from './sequence.ts';
import { type PeerTiming, pingAfterMsMax } from './timing.ts';

/**
 * One peer's life as pure steps: a state and an input give the next state and what is to be done about it. Content has a way
 * of its own beside them (sequence.ts), which counts where the peer stands.
 *
 *   discovered ──▶ greeted ──HELLO──▶ ready ──goodbye, silence──▶ gone
 *                     ▲                 │
 *                     └──gap, HELLO─────┘   (a new mailbox and a new HELLO)
 *
 * A ready peer that has been silent for long is greeted anew as well, and stays ready meanwhile: libzyre that has lost a message
 * of ours ignores all but a HELLO, and never says one by itself in its gossip mode.
 */
export type Peer = Address & {
  readonly id: PeerId;
  /** `greeted`: we said HELLO and wait for its own; until then whatever else it says is dropped. */
  readonly phase: 'greeted' | 'ready';
  readonly name: string;
  readonly headers: ReadonlyMap<string, string>;
  /** Its groups and its status byte, as its messages let us count them. */
  readonly membership: Membership;
  /** Sequence of the last message that we sent through the present mailbox. */
  sentSequence: number;
  /** Sequence of the last message that we accepted from it. */
  receivedSequence: number;
  /** Whether it has said HELLO since our last HELLO. Tells an answer from a new start, and so stops HELLO storms. */
  readonly answered: boolean;
  /**
   * Whether HELLOs that it has not answered told of different groups. Then its answer may be to an early one while a later one
   * was lost, and no sequence shows it: both are message 1.
   */
  readonly isUnsure: boolean;
  /** Our group status, as our last HELLO told it. */
  readonly toldStatus: number;
  /** When the present attempt to greet it began. */
  readonly courtedSinceMs: number;
  readonly greetedAtMs: number;
  /** HELLOs sent in the present attempt. */
  readonly greetings: number;
  heardAtMs: number;
  /** When its own beacon was last seen: its host lives, whatever its mailbox does. */
  readonly beaconedAtMs: number;
  /** Whether its silence has been told of. */
  readonly isSilent: boolean;
  readonly pingedAtMs: number;
  /** When we last sent it a PING or a PING-OK. */
  readonly spokeAtMs: number;
  /** Whether it has answered a PING through the present mailbox. */
  readonly isReached: boolean;
  /** From our last PING to its PING-OK; undefined before the first. */
  readonly roundTripMs: number | undefined;
};

/** What a peer needs to know of us. */
export type Self = {
  readonly id: PeerId;
  readonly name: string;
  /** The current key's first; a peer is told the one of the key that it is dialled with. */
  readonly introductions: readonly [Introduction, ...Introduction[]];
  readonly membership: Membership;
};

/** An address of ours, and the headers of a HELLO that names it. */
export type Introduction = Address & { readonly headers: ReadonlyMap<string, string> };

/** A message of ours before it has its place in a peer's sequence. */
export type Outgoing =
  | { readonly kind: 'join' | 'leave'; readonly group: string; readonly status: number }
  | { readonly kind: 'elect'; readonly group: string; readonly challengerId: string }
  | { readonly kind: 'leader'; readonly group: string; readonly leaderId: string }
  | { readonly kind: 'goodbye' };

export type PeerInput =
  | { readonly kind: 'received'; readonly message: ZreMessage }
  | { readonly kind: 'send'; readonly message: Outgoing }
  /** Discovery names an address, for a peer that has not answered yet; `byItself` when a beacon of its own did. */
  | { readonly kind: 'sighted'; readonly address: Address; readonly byItself: boolean }
  /** Another peer greeted from this one's endpoint. */
  | { readonly kind: 'replaced' }
  | { readonly kind: 'tick' };

export type PeerContext = {
  readonly self: Self;
  readonly timing: PeerTiming;
  readonly nowMs: number;
  /** What a peer may be in. */
  readonly groupsMax: number;
};

export type PeerEffect =
  /** Drop the mailbox with what is queued in it, and open a new one. */
  | { readonly kind: 'dial'; readonly address: Address }
  | { readonly kind: 'send'; readonly message: ZreMessage }
  | { readonly kind: 'tell'; readonly event: MeshEvent }
  /** It takes part in the election of a group's leader. */
  | { readonly kind: 'vote'; readonly ballot: Ballot };

/** `peer` is undefined when it is gone: close its mailbox and forget it. */
export type PeerStep = { readonly peer: Peer | undefined; readonly effects: readonly PeerEffect[] };

/**
 * A peer that we have just heard of. `toldStatus` is our group status as a HELLO told it that went to this peer in an earlier
 * acquaintance and was not answered: it may still be on its way to a host that is suspended.
 */
export function greetNewcomer(
  id: PeerId,
  address: Address,
  context: PeerContext,
  toldStatus?: number,
): PeerStep {
  const { nowMs } = context;
  return greet(
    {
      id,
      ...address,
      phase: 'greeted',
      name: '',
      headers: new Map(),
      membership: noMembership,
      sentSequence: 0,
      receivedSequence: 0,
      answered: toldStatus === undefined,
      isUnsure: false,
      toldStatus: toldStatus ?? 0,
      courtedSinceMs: nowMs,
      greetedAtMs: nowMs,
      greetings: 0,
      heardAtMs: nowMs,
      beaconedAtMs: Number.NEGATIVE_INFINITY,
      isSilent: false,
      pingedAtMs: nowMs,
      spokeAtMs: nowMs,
      isReached: false,
      roundTripMs: undefined,
    },
    context,
  );
}

export function stepPeer(peer: Peer, input: PeerInput, context: PeerContext): PeerStep {
  switch (input.kind) {
    case 'received':
      return receive(peer, input.message, context);
    case 'send':
      return send(peer, input.message);
    case 'sighted':
      return sight(peer, input, context);
    case 'replaced':
      return depart(peer, 'replaced');
    case 'tick':
      return tick(peer, context);
    default:
      return input satisfies never;
  }
}

/** When a tick may first have something to do for this peer; a time that is past means every tick. */
export function dueAtMs(peer: Peer, timing: PeerTiming): number {
  if (peer.phase === 'greeted') return peer.greetedAtMs;
  return Math.min(
    peer.heardAtMs + timing.evasiveAfterMs,
    peer.spokeAtMs + pingAfterMsMax(timing),
    measureAtMs(peer, timing),
  );
}

function measureAtMs(peer: Peer, timing: PeerTiming): number {
  return Math.max(peer.pingedAtMs, peer.greetedAtMs) + timing.measureEveryMs;
}

/**
 * Moves a peer's clock marks on by a pause of our own process, in which nothing could have been heard. What was heard since
 * the pause keeps its time: no mark gets ahead of now.
 */
export function forgivePause(peer: Peer, pausedMs: number, nowMs: number): Peer {
  const moved = (atMs: number) => Math.min(atMs + pausedMs, nowMs);
  return {
    ...peer,
    heardAtMs: moved(peer.heardAtMs),
    courtedSinceMs: moved(peer.courtedSinceMs),
    greetedAtMs: moved(peer.greetedAtMs),
  };
}

function receive(peer: Peer, message: ZreMessage, context: PeerContext): PeerStep {
  if (message.kind === 'hello') return receiveHello(peer, message, context);
  // Before its HELLO a peer's messages belong to a connection that we have given up.
  if (peer.phase === 'greeted') return { peer, effects: [] };
  if (!isNext(peer, message)) return startOver(peer, 'gap', context);
  const heard: Peer = {
    ...peer,
    receivedSequence: message.sequence,
    heardAtMs: context.nowMs,
    isSilent: false,
  };
  const step = hear(heard, message, context);
  // What ends the acquaintance ends the silence as well.
  if (!peer.isSilent || step.peer?.phase !== 'ready') return step;
  const { id, name } = peer;
  const event: MeshEvent = { kind: 'peer-heard', id, name, silentMs: context.nowMs - peer.heardAtMs };
  return { peer: step.peer, effects: [{ kind: 'tell', event }, ...step.effects] };
}

/** A message in its place, of a peer that is ready. */
function hear(heard: Peer, message: Exclude<ZreMessage, Hello>, context: PeerContext): PeerStep {
  switch (message.kind) {
    case 'whisper':
    case 'shout': {
      const event = contentEvent(heard.id, message, context.self.membership);
      return event === undefined ? { peer: heard, effects: [] } : told(heard, event);
    }
    case 'join': {
      const membership = joined(heard.membership, message.group);
      // With so many it has to say HELLO again, which is refused for them.
      const isTooMany = membership.groups.size > context.groupsMax;
      if (isTooMany || membership.status !== message.status) return startOver(heard, 'gap', context);
      return told({ ...heard, membership }, { kind: 'peer-joined', id: heard.id, group: message.group });
    }
    case 'leave': {
      const membership = left(heard.membership, message.group);
      if (membership.status !== message.status) return startOver(heard, 'gap', context);
      return told({ ...heard, membership }, { kind: 'peer-left', id: heard.id, group: message.group });
    }
    case 'ping':
      return emit({ ...heard, spokeAtMs: context.nowMs }, (sequence) => ({ kind: 'ping-ok', sequence }));
    case 'ping-ok':
      return { peer: answerPing(heard, context), effects: [] };
    case 'goodbye':
      return depart(heard, 'goodbye');
    case 'elect':
      return vote(heard, { kind: 'elect', group: message.group, id: message.challengerId });
    case 'leader':
      return vote(heard, { kind: 'leader', group: message.group, id: message.leaderId });
    default:
      return message satisfies never;
  }
}

/**
 * A HELLO is either the answer to ours, or a new start of the other side. A new start is answered with a HELLO of our own
 * through a new mailbox; an answer is not, else two nodes greet one another for ever (zyre #542).
 */
function receiveHello(peer: Peer, hello: Hello, context: PeerContext): PeerStep {
  const effects: PeerEffect[] = [];
  let greeted: Peer = peer;
  if (peer.phase === 'ready') effects.push(exit(peer, 'restarted'));
  const address = addressIn(hello, context.self);
  const moved = hasMoved(peer, address, context.self);
  const startsAnew = peer.answered || peer.isUnsure || moved;
  if (startsAnew) {
    // Nothing that it has not answered counts any more.
    const again = greet({ ...peer, ...(moved && address), answered: true, greetings: 0 }, context);
    greeted = again.peer;
    effects.push(...again.effects);
  }
  const ready: Peer = {
    ...greeted,
    phase: 'ready',
    name: hello.name,
    headers: hello.headers,
    membership: { groups: new Set(hello.groups), status: hello.status },
    receivedSequence: hello.sequence,
    // After a new start of the other side, its answer to our new HELLO is still to come.
    answered: !startsAnew,
    greetings: 0,
    heardAtMs: context.nowMs,
    isSilent: false,
  };
  for (const event of arrivalOf(ready)) effects.push({ kind: 'tell', event });
  return { peer: ready, effects };
}

/** What tells of a peer that is ready: that it entered, then each group that it is in. */
export function arrivalOf(peer: Peer): readonly MeshEvent[] {
  const { id, name, endpoint, headers } = peer;
  const groups = [...peer.membership.groups];
  return [
    { kind: 'peer-entered', peer: { id, name, endpoint, headers, groups } },
    ...groups.map((group): MeshEvent => ({ kind: 'peer-joined', id, group })),
  ];
}

function send(peer: Peer, message: Outgoing): PeerStep {
  return emit(peer, (sequence) => ({ ...message, sequence }));
}

function sight(
  peer: Peer,
  { address, byItself }: Extract<PeerInput, { kind: 'sighted' }>,
  context: PeerContext,
): PeerStep {
  const { endpoint, publicKey } = address;
  const seen = byItself ? { ...peer, beaconedAtMs: context.nowMs } : peer;
  // Sightings are hints: they never disturb a peer that talks to us.
  if (peer.phase === 'ready' || peer.endpoint === endpoint) return { peer: seen, effects: [] };
  return greet({ ...seen, endpoint, publicKey, courtedSinceMs: context.nowMs, greetings: 0 }, context);
}

function tick(peer: Peer, context: PeerContext): PeerStep {
  const { nowMs, timing } = context;
  if (peer.phase === 'greeted') {
    if (nowMs - peer.courtedSinceMs >= timing.giveUpAfterMs) return { peer: undefined, effects: [] };
    return isGreetingDue(peer, context) ? greet(peer, context) : { peer, effects: [] };
  }
  const silentMs = nowMs - peer.heardAtMs;
  if (silentMs >= timing.expiredAfterMs) return depart(peer, 'expired');
  if (silentMs >= timing.silentAfterMs) return court(peer, silentMs, context);
  // A beacon of its own counts as life, but says nothing of its mailbox: it postpones the PING by half of the time that is
  // left until silence, and never the silence.
  const hasBeacon = nowMs - peer.beaconedAtMs < timing.evasiveAfterMs;
  const pingAfterMs = hasBeacon ? pingAfterMsMax(timing) : timing.evasiveAfterMs;
  // Whoever pours content at us hears nothing meanwhile, and its PINGs wait behind that content: so we speak up ourselves.
  const isQuiet = nowMs - peer.spokeAtMs >= pingAfterMsMax(timing);
  const isUnmeasured = nowMs >= measureAtMs(peer, timing);
  const isDue =
    (silentMs >= pingAfterMs || isQuiet || isUnmeasured) && nowMs - peer.pingedAtMs >= timing.pingEveryMs;
  if (!isDue) return { peer, effects: [] };
  return emit({ ...peer, pingedAtMs: nowMs, spokeAtMs: nowMs }, (sequence) => ({ kind: 'ping', sequence }));
}

/** A peer that has not answered our PINGs: its silence is told of once, and HELLO goes out until it answers or expires. */
function court(peer: Peer, silentMs: number, context: PeerContext): PeerStep {
  if (peer.isSilent) return isGreetingDue(peer, context) ? greet(peer, context) : { peer, effects: [] };
  const again = greet({ ...peer, isSilent: true, greetings: 0 }, context);
  const event: MeshEvent = { kind: 'peer-silent', id: peer.id, name: peer.name, silentMs };
  return { peer: again.peer, effects: [{ kind: 'tell', event }, ...again.effects] };
}

function isGreetingDue(peer: Peer, { nowMs, timing }: PeerContext): boolean {
  const waitMs = Math.min(timing.greetEveryMs * 2 ** (peer.greetings - 1), timing.greetEveryMsMax);
  return nowMs - peer.greetedAtMs >= waitMs;
}

/** The peer is no longer to be trusted to know what we know: tell of its exit, greet it anew. */
function startOver(peer: Peer, reason: ExitReason, context: PeerContext): PeerStep {
  const again = greet(
    {
      ...peer,
      phase: 'greeted',
      isSilent: false,
      membership: noMembership,
      courtedSinceMs: context.nowMs,
      greetings: 0,
    },
    context,
  );
  return { peer: again.peer, effects: [exit(peer, reason), ...again.effects] };
}

/** A new mailbox, and HELLO as its first message. */
function greet(
  peer: Peer,
  context: PeerContext,
): { readonly peer: Peer; readonly effects: readonly PeerEffect[] } {
  const { self, nowMs } = context;
  const { endpoint, publicKey } = peer;
  const introduction = self.introductions.find((own) => own.publicKey === publicKey) ?? self.introductions[0];
  const greeted: Peer = {
    ...peer,
    sentSequence: 1,
    isUnsure: !peer.answered && (peer.isUnsure || peer.toldStatus !== self.membership.status),
    toldStatus: self.membership.status,
    answered: false,
    isReached: false,
    greetedAtMs: nowMs,
    greetings: peer.greetings + 1,
  };
  const hello: Hello = {
    kind: 'hello',
    sequence: 1,
    endpoint: introduction.endpoint,
    groups: [...self.membership.groups],
    status: self.membership.status,
    name: self.name,
    headers: introduction.headers,
  };
  return {
    peer: greeted,
    effects: [
      { kind: 'dial', address: { endpoint, publicKey } },
      { kind: 'send', message: hello },
    ],
  };
}

function emit(peer: Peer, make: (sequence: number) => ZreMessage): PeerStep {
  const sequence = sequenceAfter(peer.sentSequence);
  return { peer: { ...peer, sentSequence: sequence }, effects: [{ kind: 'send', message: make(sequence) }] };
}

function told(peer: Peer, event: MeshEvent): PeerStep {
  return { peer, effects: [{ kind: 'tell', event }] };
}

/** It answers PINGs of those only whose HELLO it knows: whatever it had to say to ours came before this. */
function answerPing(peer: Peer, { nowMs }: PeerContext): Peer {
  const isReached = peer.isReached || peer.pingedAtMs > peer.greetedAtMs;
  return { ...peer, isReached, answered: peer.answered || isReached, roundTripMs: nowMs - peer.pingedAtMs };
}

type AnyBallot = { readonly kind: Ballot['kind']; readonly group: string; readonly id: string };

/** Nobody is elected by a name that no peer has. */
function vote(peer: Peer, { kind, group, id }: AnyBallot): PeerStep {
  return { peer, effects: isPeerId(id) ? [{ kind: 'vote', ballot: { kind, group, id } }] : [] };
}

/** Zyre tells of the exit of peers that never entered; nobody can make sense of that, so we do not. */
function depart(peer: Peer, reason: ExitReason): PeerStep {
  return { peer: undefined, effects: peer.phase === 'ready' ? [exit(peer, reason)] : [] };
}

function exit(peer: Peer, reason: ExitReason): PeerEffect {
  return { kind: 'tell', event: { kind: 'peer-exited', id: peer.id, name: peer.name, reason } };
}
