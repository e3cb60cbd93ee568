import { type PeerId, pick, type Random } from 'tocsin/mesh';
import type { Held, NodeId, OpenedBatch, SeqRange, Vector } from '../event/types.ts';
import {
  addRange,
  countEvents,
  covers,
  difference,
  emptyHeld,
  holds,
  intersection,
  lastSeqOf,
  overlaps,
  rangesOf,
  subtract,
  union,
  vectorHash,
} from '../event/vector.ts';
import type { ReplicateLimits } from './limits.ts';
import type { PartEnd, ReplicationMessage } from './message.ts';
import type { SnapshotMessage } from './snapshot-message.ts';

/**
 * Replication as pure steps. A node shouts what it commits itself. Everything else is repair, and repair has one way:
 * compare (hash, then vector), ask one peer at a time for what is missing, take it in parts. A gap in live traffic, a
 * newcomer's empty log and a healed partition are the same case to it.
 */
export type Replica = {
  readonly peers: ReadonlyMap<PeerId, Sync>;
  /** The last peer went without a goodbye, and none has come since: there may be a mesh that this node is cut off from. */
  readonly cutOff: boolean;
  /** Batches on their way into the store. */
  readonly pending: Vector;
  /** Batches dated in the future; held back until their time has come. */
  readonly heldBack: readonly HeldBack[];
  /** The snapshot that is on its way here. */
  readonly snapshot: SnapshotFetch | undefined;
  /** Events whose effect came with a snapshot, and which are wanted for the log all the same. */
  readonly backfill: Vector;
  readonly backfillUntilMs: number;
  /** This node was away for longer than logs reach back: what it lacks may be in no vector any more. */
  readonly outdated: boolean;
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
  /** What it holds in its records, and no longer in its log. */
  readonly gone: Vector;
  readonly goneSinceMs: number | undefined;
  /** Since when we have owed it events that have left our log. */
  readonly owingSinceMs: number | undefined;
  /** How far its clock was ahead of ours when it last told, less what its word took to come. */
  readonly clockAheadMs: number | undefined;
  /** It could not give a snapshot, or did not go on with it; until then it is not asked for one. */
  readonly noSnapshotUntilMs: number;
};

type Ask = { readonly request: number; readonly ranges: Vector; readonly untilMs: number };
type HeldBack = { readonly origin: NodeId; readonly range: SeqRange; readonly untilWallMs: number };
export type SnapshotFetch = {
  readonly from: PeerId;
  readonly request: number;
  readonly untilMs: number;
  /** Records that have come, of how many. */
  readonly records: number;
  readonly total: number;
};

const newSync: Sync = {
  theirs: undefined,
  acked: emptyHeld,
  ask: undefined,
  gone: new Map(),
  goneSinceMs: undefined,
  owingSinceMs: undefined,
  clockAheadMs: undefined,
  noSnapshotUntilMs: 0,
};

export type ReplicaInput =
  | { readonly kind: 'peer-joined'; readonly id: PeerId }
  | { readonly kind: 'peer-left'; readonly id: PeerId; readonly saidGoodbye: boolean }
  | { readonly kind: 'heard'; readonly from: PeerId; readonly message: Heard }
  /** Batches of our own have been written, or batches that peers had sent. */
  | { readonly kind: 'written'; readonly own: readonly OpenedBatch[]; readonly peers: readonly OpenedBatch[] }
  /** The store refused them; they may be asked for again. */
  | { readonly kind: 'not-written'; readonly batches: readonly OpenedBatch[] }
  | { readonly kind: 'held-back'; readonly batch: OpenedBatch; readonly untilWallMs: number }
  /** Part of what a peer wants has left our log. */
  | { readonly kind: 'could-not-serve'; readonly to: PeerId }
  | {
      readonly kind: 'snapshot-came';
      readonly request: number;
      readonly records: number;
      readonly total: number;
    }
  | {
      readonly kind: 'snapshot-installed';
      readonly lastMs: ReadonlyMap<NodeId, number>;
      /** What this node has streamed before is in its log. */
      readonly isFirst: boolean;
    }
  | { readonly kind: 'snapshot-failed'; readonly request: number }
  | { readonly kind: 'tick' };

/** A peer's message after its batches were opened and the bad ones dropped. Snapshots have a way of their own. */
export type Heard =
  | Exclude<ReplicationMessage, { kind: 'batches' | 'part' | SnapshotMessage['kind'] }>
  | { readonly kind: 'batches'; readonly batches: readonly OpenedBatch[] }
  | {
      readonly kind: 'part';
      readonly request: number;
      readonly end: PartEnd;
      readonly batches: readonly OpenedBatch[];
    };

export type ReplicaContext = {
  readonly limits: ReplicateLimits;
  readonly self: NodeId;
  /** What the store holds now. */
  readonly mine: Vector;
  /** Of that, what peers are told: without origins that are about to be forgotten everywhere. */
  readonly told: Vector;
  /** False once the store has failed: then nothing is asked for, and what comes unasked is dropped. */
  readonly canWrite: boolean;
  readonly nowMs: number;
  readonly wallMs: number;
  readonly random: Random;
};

export type ReplicaEffect =
  | { readonly kind: 'shout'; readonly batches: readonly OpenedBatch[] }
  | { readonly kind: 'whisper'; readonly to: PeerId; readonly message: ReplicationMessage }
  | { readonly kind: 'commit'; readonly batches: readonly OpenedBatch[] }
  | { readonly kind: 'backfill'; readonly batches: readonly OpenedBatch[] }
  /** Send what `to` wants of our log, as far as its credit goes. */
  | {
      readonly kind: 'serve';
      readonly to: PeerId;
      readonly request: number;
      readonly ranges: Vector;
      readonly creditBytes: number;
    }
  /** Ask `from` for its records; what came of an earlier snapshot is told it. */
  | { readonly kind: 'fetch-snapshot'; readonly from: PeerId; readonly request: number };

export type ReplicaStep = { readonly replica: Replica; readonly effects: readonly ReplicaEffect[] };

export function newReplica(nowMs: number, outdated: boolean): Replica {
  return {
    peers: new Map(),
    cutOff: false,
    pending: new Map(),
    heldBack: [],
    snapshot: undefined,
    backfill: new Map(),
    backfillUntilMs: 0,
    outdated,
    requests: 0,
    startedAtMs: nowMs,
    ready: false,
  };
}

export function stepReplica(replica: Replica, input: ReplicaInput, context: ReplicaContext): ReplicaStep {
  switch (input.kind) {
    case 'peer-joined': {
      const next = { ...withPeer(replica, input.id, newSync), cutOff: false };
      return { replica: next, effects: [compare(input.id, context)] };
    }
    case 'peer-left': {
      const peers = new Map(replica.peers);
      const wasPeer = peers.delete(input.id);
      const cutOff = wasPeer && peers.size === 0 ? !input.saidGoodbye : replica.cutOff;
      return goOn({ ...replica, peers, cutOff }, context);
    }
    case 'heard':
      return hear(replica, input.from, input.message, context);
    case 'written': {
      if (input.own.length > 0) return { replica, effects: [{ kind: 'shout', batches: input.own }] };
      const written: Replica = { ...replica, pending: withoutBatches(replica.pending, input.peers) };
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
        replica: { ...replica, heldBack: [...replica.heldBack, held].slice(-context.limits.heldBackMax) },
        effects: [],
      };
    }
    case 'could-not-serve': {
      const sync = replica.peers.get(input.to);
      if (sync === undefined || sync.owingSinceMs !== undefined) return { replica, effects: [] };
      return { replica: withPeer(replica, input.to, { ...sync, owingSinceMs: context.nowMs }), effects: [] };
    }
    case 'snapshot-came': {
      const { snapshot } = replica;
      if (snapshot?.request !== input.request) return { replica, effects: [] };
      const untilMs = context.nowMs + context.limits.answerMsMax;
      const { records, total } = input;
      return { replica: { ...replica, snapshot: { ...snapshot, untilMs, records, total } }, effects: [] };
    }
    case 'snapshot-installed': {
      const backfill: Vector = input.isFirst ? recentEvents(context, input.lastMs) : new Map();
      const backfillUntilMs = context.nowMs + context.limits.backfillMsMax;
      return askEveryone(
        { ...replica, snapshot: undefined, outdated: false, backfill, backfillUntilMs },
        context,
      );
    }
    case 'snapshot-failed': {
      const { snapshot } = replica;
      return snapshot?.request === input.request
        ? goOn(withoutSnapshotFrom(replica, snapshot.from, context), context)
        : { replica, effects: [] };
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
    if (theirs !== undefined) most = Math.max(most, countEvents(difference(theirs, mine)));
  }
  return most;
}

function hear(replica: Replica, from: PeerId, message: Heard, context: ReplicaContext): ReplicaStep {
  const sync = replica.peers.get(from);
  // Not in our group (yet): what it says can wait for its JOIN, after which both compare.
  if (sync === undefined) return { replica, effects: [] };
  switch (message.kind) {
    case 'hash': {
      const clocked = { ...sync, clockAheadMs: message.wallMs - context.wallMs };
      if (sameBytes(message.hash, vectorHash(context.told))) {
        const known = withPeer(replica, from, withVector(clocked, context.mine, context));
        return { replica: settle(known, context), effects: [] };
      }
      return { replica: withPeer(replica, from, clocked), effects: [tellVector(from, true, context)] };
    }
    case 'vector': {
      const known = withPeer(replica, from, withVector(sync, message.vector, context));
      const told = message.answer ? [tellVector(from, false, context)] : [];
      return after(
        fetchSnapshot(settle(known, context), context) ?? askPeer(settle(known, context), from, context),
        told,
      );
    }
    case 'want': {
      const creditBytes = Math.min(message.creditBytes, context.limits.creditBytesMax);
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
      const ask = sync.ask?.request === message.request ? sync.ask : undefined;
      if (ask === undefined) return take(replica, message.batches, context);
      const left = withoutBatches(ask.ranges, message.batches);
      // An answer in which nothing was good is no reason to ask again before it has told its vector anew.
      const idle = message.end === 'all' && message.batches.length === 0;
      const next = afterPart(sync, { ...ask, ranges: left }, message.end, context);
      const known = withPeer(replica, from, idle ? { ...next, theirs: undefined } : next);
      // What it cannot give for the log nobody has to have.
      const backfill = message.end === 'gone' ? difference(known.backfill, left) : known.backfill;
      const taken = take({ ...known, backfill }, message.batches, context);
      // With nothing to write no `written` will come, so ask on from here.
      return message.end !== 'more' && taken.effects.length === 0
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

/** How far the clocks of the peers are ahead of ours: their median, as one of them may be the one that is wrong. */
export function clockOffsetMs({ peers }: Replica): number | undefined {
  const offsets = [...peers.values()].flatMap(({ clockAheadMs }) => clockAheadMs ?? []).sort((a, b) => a - b);
  return offsets[Math.floor((offsets.length - 1) / 2)];
}

/** A node's id in the mesh is its origin, written as ZRE writes it. */
function peerIdOf(origin: NodeId): PeerId {
  return origin.toUpperCase() as PeerId;
}

function afterPart(sync: Sync, ask: Ask, end: PartEnd, { nowMs, limits }: ReplicaContext): Sync {
  switch (end) {
    case 'more':
      return { ...sync, ask: { ...ask, untilMs: nowMs + limits.answerMsMax } };
    case 'all':
      return { ...sync, ask: undefined };
    case 'gone':
      return {
        ...sync,
        ask: undefined,
        gone: union(sync.gone, ask.ranges),
        goneSinceMs: sync.goneSinceMs ?? nowMs,
      };
    default:
      return end satisfies never;
  }
}

/** Hands on to the store what it neither holds nor is about to, and to its log what it lacks there. */
function take(replica: Replica, batches: readonly OpenedBatch[], context: ReplicaContext): ReplicaStep {
  if (!context.canWrite) return { replica, effects: [] };
  let pending = replica.pending;
  const fresh: OpenedBatch[] = [];
  const old: OpenedBatch[] = [];
  for (const batch of batches) {
    const range = { from: batch.firstSeq, to: batch.lastSeq };
    if (holds(pending.get(batch.origin), range)) continue;
    if (holds(context.mine.get(batch.origin), range)) {
      if (overlaps(replica.backfill.get(batch.origin), range)) old.push(batch);
      continue;
    }
    pending = withRange(pending, batch.origin, range);
    fresh.push(batch);
  }
  const effects: ReplicaEffect[] = [];
  if (fresh.length > 0) effects.push({ kind: 'commit', batches: fresh });
  if (old.length > 0) effects.push({ kind: 'backfill', batches: old });
  const backfill = old.length > 0 ? withoutBatches(replica.backfill, old) : replica.backfill;
  return { replica: { ...replica, pending, backfill }, effects };
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
  const backfill = replica.backfillUntilMs > nowMs ? replica.backfill : new Map();
  const next = goOn({ ...replica, peers, heldBack, backfill }, context);
  const ids = [...peers.keys()];
  const chosen = ids[Math.floor(random.next() * ids.length)];
  return after(next, chosen === undefined ? [] : [compare(chosen, context)]);
}

/** Whatever there is to fetch, of whoever has it: a snapshot first, as nothing is asked for beside it. */
function goOn(replica: Replica, context: ReplicaContext): ReplicaStep {
  const { snapshot } = replica;
  const failed =
    snapshot !== undefined && (snapshot.untilMs <= context.nowMs || !replica.peers.has(snapshot.from));
  const next = failed ? withoutSnapshotFrom(replica, snapshot.from, context) : replica;
  return fetchSnapshot(settle(next, context), context) ?? askEveryone(next, context);
}

function withoutSnapshotFrom(replica: Replica, from: PeerId, { nowMs, limits }: ReplicaContext): Replica {
  const sync = replica.peers.get(from);
  const without: Replica = { ...replica, snapshot: undefined };
  return sync === undefined
    ? without
    : withPeer(without, from, { ...sync, noSnapshotUntilMs: nowMs + limits.answerMsMax });
}

/** Asks a peer for its records, where that is the only or by far the shorter way. */
function fetchSnapshot(replica: Replica, context: ReplicaContext): ReplicaStep | undefined {
  if (replica.snapshot !== undefined || !context.canWrite) return undefined;
  const givers = [...replica.peers].filter(([id, sync]) => isGiver(replica, id, sync, context));
  const giver = pick(context.random, givers);
  if (giver === undefined) return undefined;
  const [from] = giver;
  const request = (replica.requests + 1) >>> 0;
  const untilMs = context.nowMs + context.limits.answerMsMax;
  const snapshot = { from, request, untilMs, records: 0, total: 0 };
  return {
    replica: { ...replica, snapshot, requests: request },
    effects: [{ kind: 'fetch-snapshot', from, request }],
  };
}

function isGiver(replica: Replica, id: PeerId, sync: Sync, context: ReplicaContext): boolean {
  const { self, mine, nowMs } = context;
  const { theirs, goneSinceMs, owingSinceMs } = sync;
  if (theirs === undefined || sync.noSnapshotUntilMs > nowMs) return false;
  const lacking = difference(theirs, mine);
  const held = countEvents(mine);
  if (countEvents(lacking) > Math.max(context.limits.snapshotEventsMin, context.limits.snapshotFactor * held))
    return true;
  // Its log and ours no longer meet. One of the two has to take the other's records and say anew what it knows beyond them;
  // so that it is one, it is the one that holds less.
  const isSevered =
    (isLongAgo(goneSinceMs, context) && lacking.size > 0 && !isToBeHad(replica, lacking)) ||
    (isLongAgo(owingSinceMs, context) && !covers(theirs, mine)) ||
    (replica.outdated && theirs.size > 0);
  if (!isSevered) return false;
  const theirEvents = countEvents(theirs);
  return held < theirEvents || (held === theirEvents && self < id.toLowerCase());
}

function isLongAgo(sinceMs: number | undefined, { nowMs, limits }: ReplicaContext): boolean {
  return sinceMs !== undefined && nowMs - sinceMs > limits.severedAfterMs;
}

/** Whether some peer's log may still have some of it. */
function isToBeHad({ peers }: Replica, ranges: Vector): boolean {
  return [...peers.values()].some(
    ({ theirs, gone }) => theirs !== undefined && intersection(ranges, difference(theirs, gone)).size > 0,
  );
}

/** The newest events of the snapshot that was taken, which a subscriber who comes from another node may not have seen. */
function recentEvents({ mine, wallMs, limits }: ReplicaContext, lastMs: ReadonlyMap<NodeId, number>): Vector {
  const recent = [...mine.keys()].filter(
    (origin) => (lastMs.get(origin) ?? 0) >= wallMs - limits.backfillAgeMs,
  );
  const eventsEach = Math.floor(limits.backfillEventsMax / Math.max(1, recent.length));
  return new Map(
    recent.map((origin) => {
      const to = lastSeqOf(mine.get(origin));
      return [origin, addRange(emptyHeld, { from: Math.max(1, to - eventsEach + 1), to })];
    }),
  );
}

/** Ready once a peer's whole log is ours, or once nobody has turned up. */
function settle(replica: Replica, context: ReplicaContext): Replica {
  if (replica.ready || replica.snapshot !== undefined || replica.backfill.size > 0) return replica;
  const alone =
    replica.peers.size === 0 && context.nowMs - replica.startedAtMs >= context.limits.aloneAfterMs;
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
  if (replica.snapshot !== undefined || !context.canWrite) return { replica, effects: [] };
  // When they are written, this is asked again.
  if (countEvents(replica.pending) >= context.limits.pendingEventsMax) return { replica, effects: [] };
  const lacking = difference(sync.theirs, union(expected(replica, context), sync.gone));
  const forTheLog = difference(intersection(replica.backfill, sync.theirs), asked(replica));
  const ranges = forTheLog.size > 0 ? union(lacking, forTheLog) : lacking;
  if (ranges.size === 0) return { replica, effects: [] };
  const request = (replica.requests + 1) >>> 0;
  const ask: Ask = { request, ranges, untilMs: context.nowMs + context.limits.answerMsMax };
  return {
    replica: { ...withPeer(replica, id, { ...sync, ask }), requests: request },
    effects: [
      {
        kind: 'whisper',
        to: id,
        message: { kind: 'want', request, creditBytes: context.limits.creditBytes, ranges },
      },
    ],
  };
}

/** What we hold, or have reason to expect without asking. */
function expected(replica: Replica, context: ReplicaContext): Vector {
  let vector = union(union(context.mine, replica.pending), asked(replica));
  for (const { origin, range } of replica.heldBack) vector = withRange(vector, origin, range);
  return vector;
}

function asked({ peers }: Replica): Vector {
  let vector: Vector = new Map();
  for (const { ask } of peers.values()) if (ask !== undefined) vector = union(vector, ask.ranges);
  return vector;
}

function compare(to: PeerId, context: ReplicaContext): ReplicaEffect {
  return {
    kind: 'whisper',
    to,
    message: { kind: 'hash', hash: vectorHash(context.told), wallMs: context.wallMs },
  };
}

function tellVector(to: PeerId, answer: boolean, context: ReplicaContext): ReplicaEffect {
  return { kind: 'whisper', to, message: { kind: 'vector', vector: context.told, answer } };
}

/** What a peer holds by its own word, which is also its word for what it has of ours. */
function withVector(sync: Sync, theirs: Vector, { self, mine }: ReplicaContext): Sync {
  return {
    ...sync,
    theirs,
    acked: theirs.get(self) ?? emptyHeld,
    goneSinceMs: covers(mine, theirs) ? undefined : sync.goneSinceMs,
    owingSinceMs: covers(theirs, mine) ? undefined : sync.owingSinceMs,
  };
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
