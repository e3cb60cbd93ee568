import {
  type Clock,
  every,
  type Frames,
  jitter,
  type Mesh,
  type MeshEvent,
  type PeerId,
  type Random,
} from 'tocsin/mesh';
import type { Ack, AckWish } from '../event/ack.ts';
import { type BatchRefusal, openBatch } from '../event/batch.ts';
import { aheadMsMax, type HybridClock, hlcMs } from '../event/hlc.ts';
import type { NodeId, OpenedBatch, Saying, SeqRange, Vector } from '../event/types.ts';
import { lastSeqOf, overlaps, rangesOf } from '../event/vector.ts';
import type { IndicatorStore } from '../store/store.ts';
import { createAckWaiters } from './ack-waiters.ts';
import { type ReplicateLimits, replicateLimits } from './limits.ts';
import { decodeMessage, encodeMessage, type MessageRefusal, type ReplicationMessage } from './message.ts';
import {
  clockOffsetMs,
  type Heard,
  holders,
  missingEvents,
  newReplica,
  type Replica,
  type ReplicaContext,
  type ReplicaEffect,
  type ReplicaInput,
  stepReplica,
} from './replica.ts';
import { createSnapshotReceiver } from './snapshot-receiver.ts';
import { createSnapshotServer } from './snapshot-server.ts';

/** What is counted beside refusals. */
type OwnCount =
  | 'future'
  | 'too-old'
  | 'said-anew'
  | 'snapshot-taken'
  | 'snapshot-failed'
  | 'backfilled'
  | 'identity-lost'
  | 'clock-wrong';

const hourMs = 60 * 60 * 1_000;
/** A log is trimmed now and then, so that it holds a little more than its window. */
const tooOldMarginMs = 2 * hourMs;
const forgetMarginMs = hourMs;
/** Tocsin's own traffic runs in this ZRE group. */
const meshGroup = 'tocsin/1';

export type ReplicatorParts = {
  readonly mesh: Mesh;
  readonly store: IndicatorStore;
  readonly hybridClock: HybridClock;
  readonly clock: Clock;
  readonly random: Random;
  /** This node's origin: what it commits under this name it shouts. */
  readonly origin: NodeId;
  readonly limits?: ReplicateLimits;
  /** How long events stay in logs; older ones are refused, as their effect is in every snapshot. */
  readonly windowMs: number;
  /** Makes new events of this node out of what a snapshot does not know. */
  readonly sayAnew: (sayings: readonly Saying[]) => Promise<void>;
  /** This node must not sign another event: others know events of its name that it does not have. */
  readonly onIdentityLost: (reason: string) => void;
  /** A fault that a person should hear of; `message` is a sentence. */
  readonly warn: (message: string, details: Record<string, unknown>) => void;
};

export type ReplicationStatus = {
  readonly ready: boolean;
  /** Why, in a sentence. */
  readonly reason: string;
  /** Peers in Tocsin's group. */
  readonly peers: number;
  /** Events that a peer holds and this node does not. */
  readonly missing: number;
  /** How far the peers' clocks are ahead of this node's; undefined while no peer has told. */
  readonly clockOffsetMs?: number;
  /** The snapshot that is on its way here: records that have come, of how many. */
  readonly snapshot?: { readonly records: number; readonly total: number };
};

export interface Replicator extends AsyncDisposable {
  status(): ReplicationStatus;
  /** False while this node is catching up, takes a snapshot or fills its log behind one: what it has streamed must stay in its log. */
  isInStep(): boolean;
  /**
   * The last time, Unix milliseconds, when this node was in step with its peers as far as it could tell: what was made before
   * it is here, but for what is on its way for seconds. It stands still while the node catches up, or is cut off.
   */
  settledMs(): number;
  /** Resolves once this node has caught up with its peers, or found that it is alone. */
  readonly ready: Promise<void>;
  /**
   * Resolves when as many other nodes as wished have `range` of this node's own events on disk, or with a reason once
   * `waitMs` have passed. Never rejects.
   */
  acknowledged(range: SeqRange, wish: AckWish, waitMs?: number): Promise<Ack>;
  /** What peers sent and was refused, by reason. */
  counters(): ReadonlyMap<string, number>;
  stop(): Promise<void>;
}

/** Joins the mesh's Tocsin group and keeps the store in step with it: replica.ts decides, this acts. */
export function startReplicator(parts: ReplicatorParts): Replicator {
  const { mesh, store, hybridClock, clock, random, origin, windowMs, warn } = parts;
  const limits = parts.limits ?? replicateLimits;
  const newestMs = hlcMs(store.lastHlc());
  let replica = newReplica(clock.monotonicMs(), newestMs > 0 && newestMs < clock.wallMs() - windowMs);
  /** The highest seq that this node has signed, as far as it knows. */
  let ownLastSeq = lastSeqOf(store.vector().get(origin));
  let identityLost = false;
  let settledMs = newestMs;
  let wasBehind = true;
  let clockWarnedAtMs = Number.NEGATIVE_INFINITY;
  let heldBackWarnedAtMs = Number.NEGATIVE_INFINITY;
  let stopped = false;
  const counts = new Map<string, number>();
  /** One answer at a time to each peer. */
  const serving = new Set<PeerId>();
  /** What runs beside the event loop; stopping waits for it. */
  const tasks = new Set<Promise<void>>();
  let announceReady: () => void = () => {};
  const ready = new Promise<void>((resolve) => {
    announceReady = resolve;
  });

  const acks = createAckWaiters(
    {
      get peers() {
        return replica.peers.size;
      },
      get cutOff() {
        return replica.cutOff;
      },
      get settled() {
        return replica.ready;
      },
      holders: (range) => holders(replica, range),
    },
    clock,
  );

  function context(): ReplicaContext {
    const mine = store.vector();
    return {
      limits,
      self: origin,
      mine,
      told: told(mine),
      canWrite: store.failure() === undefined,
      nowMs: clock.monotonicMs(),
      wallMs: clock.wallMs(),
      random,
    };
  }

  /** Origins leave vectors after two windows. Each node stops to tell of them an hour before it forgets them. */
  function told(mine: Vector): Vector {
    const lastMs = store.lastMs();
    const untilMs = clock.wallMs() - 2 * windowMs + forgetMarginMs;
    const old = [...mine.keys()].filter((of) => of !== origin && (lastMs.get(of) ?? 0) < untilMs);
    if (old.length === 0) return mine;
    const rest = new Map(mine);
    for (const of of old) rest.delete(of);
    return rest;
  }

  const server = createSnapshotServer({
    store,
    clock,
    limits,
    canServe: () => replica.snapshot === undefined,
    send,
  });
  const receiver = createSnapshotReceiver({
    store,
    limits,
    send,
    onCame: (request, records, total) => step({ kind: 'snapshot-came', request, records, total }),
    onInstalled: (isFirst) => run(() => afterSnapshot(isFirst)),
    onFailed(request, reason) {
      count('snapshot-failed');
      warn('a snapshot did not come to its end; another peer is asked', { reason });
      step({ kind: 'snapshot-failed', request });
    },
  });

  async function afterSnapshot(isFirst: boolean): Promise<void> {
    count('snapshot-taken');
    step({ kind: 'snapshot-installed', lastMs: store.lastMs(), isFirst });
    if (lastSeqOf(store.vector().get(origin)) < ownLastSeq) {
      loseIdentity('events of this node have left every log; their content is said anew');
    } else await sayUnsaid();
  }

  /** What only this node knew is told to all as new events, signed by a name that can still sign. */
  async function sayUnsaid(): Promise<void> {
    for await (const statements of store.unsaid(clock.wallMs() - windowMs)) {
      if (stopped) return;
      count('said-anew', statements.length);
      await parts.sayAnew(statements);
    }
    await store.forgetUnsaid();
  }

  function loseIdentity(reason: string): void {
    if (identityLost || stopped) return;
    identityLost = true;
    count('identity-lost');
    parts.onIdentityLost(reason);
  }

  function step(input: ReplicaInput): void {
    if (stopped) return;
    const before = replica;
    const next = stepReplica(before, input, context());
    replica = next.replica;
    if (replica.ready) announceReady();
    for (const effect of next.effects) perform(effect);
    if (replica.peers !== before.peers || replica.ready !== before.ready) acks.check();
  }

  function perform(effect: ReplicaEffect): void {
    switch (effect.kind) {
      case 'shout':
        for (const batches of chunks(
          effect.batches.map((batch) => batch.bytes),
          limits,
        )) {
          mesh.shout(meshGroup, encodeMessage({ kind: 'batches', batches }));
        }
        break;
      case 'whisper':
        // What does not fit is made good by the next comparison.
        mesh.whisper(effect.to, encodeMessage(effect.message));
        break;
      case 'commit':
        run(() => commit(effect.batches));
        break;
      case 'backfill':
        run(() => backfill(effect.batches));
        break;
      case 'fetch-snapshot':
        receiver.fetch(effect.from, effect.request);
        break;
      case 'serve':
        if (serving.has(effect.to)) break;
        serving.add(effect.to);
        run(() => serve(effect).finally(() => serving.delete(effect.to)));
        break;
      default:
        effect satisfies never;
    }
  }

  function run(task: () => Promise<void>): void {
    const running: Promise<void> = task()
      .catch((error: unknown) => warn('replication failed; it will be tried again', { error }))
      .finally(() => tasks.delete(running));
    tasks.add(running);
  }

  async function commit(batches: readonly OpenedBatch[]): Promise<void> {
    for (const { lastHlc } of batches) hybridClock.witness(lastHlc);
    try {
      await store.commit(batches);
    } catch (error) {
      step({ kind: 'not-written', batches });
      throw error;
    }
    // The store skips what overlaps; whatever became of them, they are no longer on their way.
    step({ kind: 'written', own: [], peers: batches });
  }

  async function backfill(batches: readonly OpenedBatch[]): Promise<void> {
    try {
      const { changes } = await store.backfill(batches);
      count('backfilled', changes.length);
    } finally {
      // Done with either way; now the next part of them can be asked for.
      step({ kind: 'written', own: [], peers: batches });
    }
  }

  async function serve({
    to,
    request,
    ranges,
    creditBytes,
  }: Extract<ReplicaEffect, { kind: 'serve' }>): Promise<void> {
    let credit = creditBytes;
    let batches: Uint8Array[] = [];
    let gone = false;
    for (const [of, range] of rangesOfAll(ranges)) {
      for (let from = range.from; from <= range.to && credit > 0; ) {
        const found = await store.batches(
          of,
          { from, to: range.to },
          Math.min(credit, limits.messageBytesMax),
        );
        // What is held and not in the log has left it.
        if ((found[0]?.firstSeq ?? Number.POSITIVE_INFINITY) > from) {
          const hole = { from, to: Math.min(range.to, (found[0]?.firstSeq ?? range.to + 1) - 1) };
          gone ||= overlaps(store.vector().get(of), hole);
        }
        const last = found.at(-1);
        if (last === undefined) break;
        for (const { bytes } of found) {
          credit -= bytes.byteLength;
          batches.push(bytes);
        }
        from = last.lastSeq + 1;
        const full = chunks(batches, limits);
        batches = [...(full.pop() ?? [])];
        for (const part of full) if (!send(to, { kind: 'part', request, end: 'more', batches: part })) return;
      }
      if (credit <= 0) break;
    }
    // With credit left, all was sent that there is.
    const end = gone && credit > 0 ? 'gone' : 'all';
    if (end === 'gone') step({ kind: 'could-not-serve', to });
    send(to, { kind: 'part', request, end, batches });
  }

  function send(to: PeerId, message: ReplicationMessage): boolean {
    return !stopped && mesh.whisper(to, encodeMessage(message));
  }

  function onMeshEvent(event: MeshEvent): void {
    switch (event.kind) {
      case 'peer-joined':
        if (event.group === meshGroup) step({ kind: 'peer-joined', id: event.id });
        break;
      case 'peer-left':
        if (event.group === meshGroup) leave(event.id, true);
        break;
      case 'peer-exited':
        leave(event.id, event.reason === 'goodbye');
        break;
      case 'whisper':
        hear(event.from, event.content);
        break;
      case 'shout':
        if (event.group === meshGroup) hear(event.from, event.content);
        break;
      case 'peer-entered':
      case 'outbox-full':
      case 'outbox-drained':
      case 'peer-silent':
      case 'peer-heard':
      case 'stranger-refused':
      case 'turned-away':
        break;
      default:
        event satisfies never;
    }
  }

  function leave(id: PeerId, saidGoodbye: boolean): void {
    server.left(id);
    step({ kind: 'peer-left', id, saidGoodbye });
  }

  function hear(from: PeerId, content: Frames): void {
    const message = decodeMessage(content);
    if (!message.ok) {
      count(message.code);
      return;
    }
    switch (message.value.kind) {
      case 'fetch':
      case 'more':
        if (replica.peers.has(from)) server.hear(from, message.value);
        break;
      case 'chunk':
      case 'done':
        receiver.hear(from, message.value);
        break;
      case 'batches':
      case 'part':
        step({ kind: 'heard', from, message: opened(message.value) });
        break;
      case 'vector':
        if (lastSeqOf(message.value.vector.get(origin)) > ownLastSeq) {
          loseIdentity(
            'a peer has events of this node that it does not have: its disk was put back to an older day',
          );
        }
        step({ kind: 'heard', from, message: message.value });
        break;
      default:
        step({ kind: 'heard', from, message: message.value });
    }
  }

  /** A batch is checked before anything else happens to it; a bad one costs itself only. */
  function opened(message: Extract<ReplicationMessage, { kind: 'batches' | 'part' }>): Heard {
    const good: OpenedBatch[] = [];
    let hasOld = false;
    for (const bytes of message.batches) {
      const batch = openBatch(bytes);
      if (!batch.ok) count(batch.code);
      else if (isFuture(batch.value)) holdBack(batch.value);
      else if (isTooOld(batch.value)) {
        hasOld = true;
        count('too-old');
      } else good.push(batch.value);
    }
    if (message.kind === 'batches') return { kind: 'batches', batches: good };
    // What is too old for us comes with a snapshot, as if it had left the sender's log.
    return { ...message, batches: good, end: hasOld && message.end === 'all' ? 'gone' : message.end };
  }

  function isTooOld(batch: OpenedBatch): boolean {
    return hlcMs(batch.lastHlc) < clock.wallMs() - windowMs - tooOldMarginMs;
  }

  function isFuture(batch: OpenedBatch): boolean {
    return hlcMs(batch.lastHlc) > clock.wallMs() + aheadMsMax;
  }

  function holdBack(batch: OpenedBatch): void {
    count('future');
    const aheadMs = hlcMs(batch.lastHlc) - clock.wallMs();
    const nowMs = clock.monotonicMs();
    if (nowMs >= heldBackWarnedAtMs + limits.warnEveryMs) {
      heldBackWarnedAtMs = nowMs;
      const { origin: of } = batch;
      warn('events of a node are dated in the future and held back: its clock or ours is wrong', {
        origin: of,
        aheadMs,
      });
    }
    step({ kind: 'held-back', batch, untilWallMs: hlcMs(batch.lastHlc) - aheadMsMax });
  }

  /** A clock that is wrong is a fault that only a person can mend, so it is said again and again. */
  function checkClock(): void {
    const offsetMs = clockOffsetMs(replica);
    const nowMs = clock.monotonicMs();
    if (
      offsetMs === undefined ||
      Math.abs(offsetMs) <= aheadMsMax ||
      nowMs < clockWarnedAtMs + limits.warnEveryMs
    ) {
      return;
    }
    clockWarnedAtMs = nowMs;
    count('clock-wrong');
    warn(clockSentence(offsetMs), { offsetMs, peers: replica.peers.size });
  }

  function isInStep(): boolean {
    return replica.ready && replica.snapshot === undefined && replica.backfill.size === 0;
  }

  function noteSettled(): void {
    const isBehind =
      !isInStep() || replica.cutOff || (wasBehind && missingEvents(replica, store.vector()) > 0);
    if (!isBehind) settledMs = clock.wallMs();
    wasBehind = isBehind;
  }

  function count(reason: MessageRefusal | BatchRefusal | OwnCount, by = 1): void {
    counts.set(reason, (counts.get(reason) ?? 0) + by);
  }

  // A snapshot had come when this node stopped, and what it does not know had still to be said.
  run(sayUnsaid);
  const unsubscribeStore = store.onCommitted(({ batches }) => {
    const own = batches.filter((batch) => batch.origin === origin);
    if (own.length === 0) return;
    ownLastSeq = Math.max(ownLastSeq, own.at(-1)?.lastSeq ?? 0);
    step({ kind: 'written', own, peers: [] });
  });
  const unsubscribeMesh = mesh.subscribe(onMeshEvent);
  mesh.join(meshGroup);
  const alone = clock.after(limits.aloneAfterMs, () => step({ kind: 'tick' }));
  const ticker = every(
    clock,
    () => jitter(random, limits.compareEveryMs),
    () => {
      step({ kind: 'tick' });
      checkClock();
      noteSettled();
    },
  );

  async function stop(): Promise<void> {
    if (stopped) return;
    stopped = true;
    alone.stop();
    ticker.stop();
    unsubscribeStore();
    unsubscribeMesh();
    acks.stop();
    await Promise.all([...tasks, server.stop(), receiver.stop()]);
  }

  return {
    isInStep,
    settledMs: () => settledMs,
    status() {
      const peers = replica.peers.size;
      const missing = missingEvents(replica, store.vector());
      const { ready: isReady, snapshot } = replica;
      const offsetMs = clockOffsetMs(replica);
      return {
        ready: isReady,
        reason: reasonFor(replica, missing),
        peers,
        missing,
        ...(offsetMs !== undefined && { clockOffsetMs: offsetMs }),
        ...(snapshot && { snapshot: { records: snapshot.records, total: snapshot.total } }),
      };
    },
    ready,
    acknowledged: (range, wish, waitMs = limits.ackMsMax) => acks.wait(range, wish, waitMs),
    counters: () => new Map(counts),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function clockSentence(offsetMs: number): string {
  const seconds = Math.round(Math.abs(offsetMs) / 1_000);
  return offsetMs > 0
    ? `this node's clock is ${seconds} s behind its peers': set the time; until then their events are held back here`
    : `this node's clock is ${seconds} s ahead of its peers': set the time; until then they hold its events back`;
}

function reasonFor(replica: Replica, missing: number): string {
  const offsetMs = clockOffsetMs(replica);
  const state = stateOf(replica, missing);
  return offsetMs !== undefined && Math.abs(offsetMs) > aheadMsMax
    ? `${state}; ${clockSentence(offsetMs)}`
    : state;
}

function stateOf({ ready, peers: { size: peers }, snapshot }: Replica, missing: number): string {
  if (snapshot !== undefined)
    return `taking a snapshot: ${snapshot.records} of ${snapshot.total} records have come`;
  if (!ready) return peers === 0 ? 'looking for peers' : `catching up: ${missing} events to fetch`;
  return peers === 0 ? 'alone in the mesh' : `in step with ${peers} ${peers === 1 ? 'peer' : 'peers'}`;
}

function* rangesOfAll(vector: Vector): Iterable<readonly [NodeId, SeqRange]> {
  for (const [origin, held] of vector) for (const range of rangesOf(held)) yield [origin, range];
}

/** Cuts batches into messages that the mesh takes. */
function chunks(batches: readonly Uint8Array[], limits: ReplicateLimits): Uint8Array[][] {
  const messages: Uint8Array[][] = [];
  let bytes = 0;
  for (const batch of batches) {
    let last = messages.at(-1);
    if (
      last === undefined ||
      last.length >= limits.messageBatchesMax ||
      bytes + batch.byteLength > limits.messageBytesMax
    ) {
      last = [];
      messages.push(last);
      bytes = 0;
    }
    last.push(batch);
    bytes += batch.byteLength;
  }
  return messages;
}
