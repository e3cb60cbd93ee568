import type { PeerId, Random } from 'tocsin/mesh';
import type { Held, NodeId, OpenedBatch, SeqRange, Vector } from '../event/types.ts';
import {
  addRange,
  covers,
  emptyHeld,
  holds,
  missingRanges,
  rangesOf,
  subtract,
  union,
  vectorHash,
} from '../event/vector.ts';
import { replicateLimits as limits } from './limits.ts';
import type { ReplicationMessage } from './message.ts';

/**
 * Replication as pure steps. A node shouts what it commits itself. Everything else is repair, and repair has one way:
 * compare (hash, then vector), ask one peer at a time for what is missing, take it in parts. A gap in live traffic, a
 * newcomer's empty log and a healed partition are the same case to it.
 */
export type Replica = {
  readonly peers: ReadonlyMap<PeerId, Sync>;
  /** Batches on their way into the store. */
  readonly pending: Vector;
  /** Batches dated in the future; held back until their time has come. */
  readonly heldBack: readonly HeldBack[];
  readonly requests: number;
  readonly startedAtMs: number;
  /** Once ready, always ready: what comes later is ordinary traffic. */
  readonly ready: boolean;
};

/** What we know of one peer's log. */
export type Sync = {
  /** What it was last known to hold; undefined before its first word about it. */
  readonly theirs: Vector | undefined;
  /** What it has on disk of our own events, as far as it has told us. */
  readonly acked: Held;
  /** What we asked of it and wait for. */
  readonly ask: Ask | undefined;
};

type Ask = { readonly request: number; readonly ranges: Vector; readonly untilMs: number };
type HeldBack = { readonly origin: NodeId; readonly range: SeqRange; readonly untilWallMs: number };

export type ReplicaInput =
  | { readonly kind: 'peer-joined'; readonly id: PeerId }
  | { readonly kind: 'peer-left'; readonly id: PeerId }
  | { readonly kind: 'heard'; readonly from: PeerId; readonly message: Heard }
  /** Batches of our own have been written, or batches that peers had sent. */
  | { readonly kind: 'written'; readonly own: readonly OpenedBatch[]; readonly peers: readonly OpenedBatch[] }
  /** The store refused them; they may be asked for again. */
  | { readonly kind: 'not-written'; readonly batches: readonly OpenedBatch[] }
  | { readonly kind: 'held-back'; readonly batch: OpenedBatch; readonly untilWallMs: number }
  | { readonly kind: 'tick' };

/** A peer's message after its batches were opened and the bad ones dropped. */
export type Heard =
  | Exclude<ReplicationMessage, { kind: 'batches' | 'part' }>
  | { readonly kind: 'batches'; readonly batches: readonly OpenedBatch[] }
  | {
      readonly kind: 'part';
      readonly request: number;
      readonly last: boolean;
      readonly batches: readonly OpenedBatch[];
    };

export type ReplicaContext = {
  readonly self: NodeId;
  /** What the store holds now. */
  readonly mine: Vector;
  readonly nowMs: number;
  readonly wallMs: number;
  readonly random: Random;
};

export type ReplicaEffect =
  | { readonly kind: 'shout'; readonly batches: readonly OpenedBatch[] }
  | { readonly kind: 'whisper'; readonly to: PeerId; readonly message: ReplicationMessage }
  | { readonly kind: 'commit'; readonly batches: readonly OpenedBatch[] }
  /** Send what `to` wants of our log, as far as its credit goes. */
  | {
      readonly kind: 'serve';
      readonly to: PeerId;
      readonly request: number;
      readonly ranges: Vector;
      readonly creditBytes: number;
    };

export type ReplicaStep = { readonly replica: Replica; readonly effects: readonly ReplicaEffect[] };

export function newReplica(nowMs: number): Replica {
  return {
    peers: new Map(),
    pending: new Map(),
    heldBack: [],
    requests: 0,
    startedAtMs: nowMs,
    ready: false,
  };
}

export function stepReplica(replica: Replica, input: ReplicaInput, context: ReplicaContext): ReplicaStep {
  switch (input.kind) {
    case 'peer-joined': {
      const next = withPeer(replica, input.id, { theirs: undefined, acked: emptyHeld, ask: undefined });
      return { replica: next, effects: [compare(input.id, context)] };
    }
    case 'peer-left': {
      const peers = new Map(replica.peers);
      peers.delete(input.id);
      return { replica: { ...replica, peers }, effects: [] };
    }
    case 'heard':
      return hear(replica, input.from, input.message, context);
    case 'written': {
      if (input.own.length > 0) return { replica, effects: [{ kind: 'shout', batches: input.own }] };
      const written = { ...replica, pending: withoutBatches(replica.pending, input.peers) };
      return after(askEveryone(written, context), acknowledge(written, input.peers, context));
    }
    case 'not-written':
      return {
        replica: { ...replica, pending: withoutBatches(replica.pending, input.batches) },
        effects: [],
      };
    case 'held-back': {
      const { origin, firstSeq: from, lastSeq: to } = input.batch;
      const held: HeldBack = { origin, range: { from, to }, untilWallMs: input.untilWallMs };
      return {
        replica: { ...replica, heldBack: [...replica.heldBack, held].slice(-limits.heldBackMax) },
        effects: [],
      };
    }
    case 'tick':
      return tick(replica, context);
    default:
      return input satisfies never;
  }
}

/** Events that some peer holds and we do not: what a newcomer still has to fetch. */
export function missingEvents(replica: Replica, mine: Vector): number {
  let most = 0;
  for (const { theirs } of replica.peers.values()) {
    if (theirs === undefined) continue;
    let missing = 0;
    for (const { ranges } of missingRanges(mine, theirs)) {
      for (const { from, to } of ranges) missing += to - from + 1;
    }
    most = Math.max(most, missing);
  }
  return most;
}

function hear(replica: Replica, from: PeerId, message: Heard, context: ReplicaContext): ReplicaStep {
  const sync = replica.peers.get(from);
  // Not in our group (yet): what it says can wait for its JOIN, after which both compare.
  if (sync === undefined) return { replica, effects: [] };
  switch (message.kind) {
    case 'hash': {
      if (sameBytes(message.hash, vectorHash(context.mine))) {
        return {
          replica: {
            ...withPeer(replica, from, withVector(sync, context.mine, context)),
            ready: true,
          },
          effects: [],
        };
      }
      return { replica, effects: [tellVector(from, true, context)] };
    }
    case 'vector': {
      const known = withPeer(replica, from, withVector(sync, message.vector, context));
      return after(
        askPeer(settle(known, context), from, context),
        message.answer ? [tellVector(from, false, context)] : [],
      );
    }
    case 'want': {
      const creditBytes = Math.min(message.creditBytes, limits.creditBytesMax);
      return {
        replica,
        effects: [{ kind: 'serve', to: from, request: message.request, ranges: message.ranges, creditBytes }],
      };
    }
    case 'batches':
      return take(
        withPeer(replica, from, { ...sync, theirs: withSender(sync.theirs, message.batches) }),
        message.batches,
        context,
      );
    case 'part': {
      // A late answer is as good as a timely one; only its place in the order of asking is gone.
      const ask = sync.ask;
      const current = ask !== undefined && ask.request === message.request;
      const renewed =
        current && !message.last ? { ...ask, untilMs: context.nowMs + limits.answerMsMax } : undefined;
      const known = current ? withPeer(replica, from, { ...sync, ask: renewed }) : replica;
      const taken = take(known, message.batches, context);
      // With nothing to write no `written` will come, so ask on from here.
      return current && message.last && taken.effects.length === 0
        ? askEveryone(taken.replica, context)
        : taken;
    }
    case 'ack': {
      const acked = rangesOf(message.held.get(context.self) ?? emptyHeld).reduce(addRange, sync.acked);
      return { replica: withPeer(replica, from, { ...sync, acked }), effects: [] };
    }
    default:
      return message satisfies never;
  }
}

/** Tells each origin among our peers what we have on disk of its events. A commit takes what came meanwhile, so these are few. */
function acknowledge(
  replica: Replica,
  batches: readonly OpenedBatch[],
  { mine }: ReplicaContext,
): readonly ReplicaEffect[] {
  const effects: ReplicaEffect[] = [];
  for (const origin of new Set(batches.map((batch) => batch.origin))) {
    const to = peerIdOf(origin);
    const held = mine.get(origin);
    if (!replica.peers.has(to) || held === undefined) continue;
    effects.push({ kind: 'whisper', to, message: { kind: 'ack', held: new Map([[origin, held]]) } });
  }
  return effects;
}

/** How many peers have all of `range` of our own events on disk. */
export function holders({ peers }: Replica, range: SeqRange): number {
  let count = 0;
  for (const { acked } of peers.values()) if (holds(acked, range)) count++;
  return count;
}

/** A node's id in the mesh is its origin, written as ZRE writes it. */
function peerIdOf(origin: NodeId): PeerId {
  return origin.toUpperCase() as PeerId;
}

/** Hands on to the store what it neither holds nor is about to. */
function take(replica: Replica, batches: readonly OpenedBatch[], context: ReplicaContext): ReplicaStep {
  let pending = replica.pending;
  const fresh: OpenedBatch[] = [];
  for (const batch of batches) {
    const range = { from: batch.firstSeq, to: batch.lastSeq };
    if (holds(context.mine.get(batch.origin), range) || holds(pending.get(batch.origin), range)) continue;
    pending = withRange(pending, batch.origin, range);
    fresh.push(batch);
  }
  if (fresh.length === 0) return { replica, effects: [] };
  return { replica: { ...replica, pending }, effects: [{ kind: 'commit', batches: fresh }] };
}

function tick(replica: Replica, context: ReplicaContext): ReplicaStep {
  const { nowMs, wallMs, random } = context;
  const peers = new Map<PeerId, Sync>();
  for (const [id, sync] of replica.peers) {
    const late = sync.ask !== undefined && sync.ask.untilMs <= nowMs;
    // Whoever does not answer is not asked again before it has told its vector anew.
    peers.set(id, late ? { ...sync, theirs: undefined, ask: undefined } : sync);
  }
  const heldBack = replica.heldBack.filter((held) => held.untilWallMs > wallMs);
  const next = settle({ ...replica, peers, heldBack }, context);
  const ids = [...peers.keys()];
  const chosen = ids[Math.floor(random.next() * ids.length)];
  return after(askEveryone(next, context), chosen === undefined ? [] : [compare(chosen, context)]);
}

/** Ready once a peer's whole log is ours, or once nobody has turned up. */
function settle(replica: Replica, context: ReplicaContext): Replica {
  if (replica.ready) return replica;
  const alone = replica.peers.size === 0 && context.nowMs - replica.startedAtMs >= limits.aloneAfterMs;
  const caughtUp = [...replica.peers.values()].some(
    ({ theirs }) => theirs !== undefined && covers(context.mine, theirs),
  );
  return alone || caughtUp ? { ...replica, ready: true } : replica;
}

function askEveryone(replica: Replica, context: ReplicaContext): ReplicaStep {
  let next = settle(replica, context);
  const effects: ReplicaEffect[] = [];
  for (const id of replica.peers.keys()) {
    const step = askPeer(next, id, context);
    next = step.replica;
    effects.push(...step.effects);
  }
  return { replica: next, effects };
}

/** Asks `id` for what it has and we lack, unless it is on its way already. One question at a time to each. */
function askPeer(replica: Replica, id: PeerId, context: ReplicaContext): ReplicaStep {
  const sync = replica.peers.get(id);
  if (sync?.theirs === undefined || sync.ask !== undefined) return { replica, effects: [] };
  // When they are written, this is asked again.
  if (eventsIn(replica.pending) >= limits.pendingEventsMax) return { replica, effects: [] };
  const missing = missingRanges(expected(replica, context), sync.theirs);
  if (missing.length === 0) return { replica, effects: [] };
  const ranges: Vector = new Map(missing.map((gap) => [gap.origin, { upTo: 0, above: gap.ranges }]));
  const request = (replica.requests + 1) >>> 0;
  const ask: Ask = { request, ranges, untilMs: context.nowMs + limits.answerMsMax };
  return {
    replica: { ...withPeer(replica, id, { ...sync, ask }), requests: request },
    effects: [
      {
        kind: 'whisper',
        to: id,
        message: { kind: 'want', request, creditBytes: limits.creditBytes, ranges },
      },
    ],
  };
}

function eventsIn(vector: Vector): number {
  let events = 0;
  for (const held of vector.values()) for (const { from, to } of rangesOf(held)) events += to - from + 1;
  return events;
}

/** What we hold, or have reason to expect without asking. */
function expected(replica: Replica, context: ReplicaContext): Vector {
  let vector = union(context.mine, replica.pending);
  for (const { ask } of replica.peers.values()) if (ask !== undefined) vector = union(vector, ask.ranges);
  for (const { origin, range } of replica.heldBack) vector = withRange(vector, origin, range);
  return vector;
}

function compare(to: PeerId, context: ReplicaContext): ReplicaEffect {
  return { kind: 'whisper', to, message: { kind: 'hash', hash: vectorHash(context.mine) } };
}

function tellVector(to: PeerId, answer: boolean, context: ReplicaContext): ReplicaEffect {
  return { kind: 'whisper', to, message: { kind: 'vector', vector: context.mine, answer } };
}

/** What a peer holds by its own word, which is also its word for what it has of ours. */
function withVector(sync: Sync, theirs: Vector, { self }: ReplicaContext): Sync {
  return { ...sync, theirs, acked: theirs.get(self) ?? emptyHeld };
}

/** Who shouts a batch made it, and so holds all that it made before. */
function withSender(theirs: Vector | undefined, batches: readonly OpenedBatch[]): Vector | undefined {
  if (theirs === undefined) return undefined;
  let vector = theirs;
  for (const { origin, lastSeq } of batches) vector = withRange(vector, origin, { from: 1, to: lastSeq });
  return vector;
}

function withPeer(replica: Replica, id: PeerId, sync: Sync): Replica {
  return { ...replica, peers: new Map(replica.peers).set(id, sync) };
}

function withRange(vector: Vector, origin: NodeId, range: SeqRange): Vector {
  return new Map(vector).set(origin, addRange(vector.get(origin) ?? emptyHeld, range));
}

function withoutBatches(pending: Vector, batches: readonly OpenedBatch[]): Vector {
  const rest = new Map(pending);
  for (const { origin, firstSeq: from, lastSeq: to } of batches) {
    const held = rest.get(origin);
    if (held === undefined) continue;
    const gone: Held = { upTo: 0, above: [{ from, to }] };
    const left = rangesOf(held).flatMap((range) => subtract(range, gone));
    if (left.length === 0) rest.delete(origin);
    else rest.set(origin, left.reduce(addRange, emptyHeld));
  }
  return rest;
}

function after(step: ReplicaStep, effects: readonly ReplicaEffect[]): ReplicaStep {
  return { replica: step.replica, effects: [...effects, ...step.effects] };
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
