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
import type { NodeId, OpenedBatch, SeqRange, Vector } from '../event/types.ts';
import type { IndicatorStore } from '../store/store.ts';
import { createAckWaiters } from './ack-waiters.ts';
import { replicateLimits as limits } from './limits.ts';
import { decodeMessage, encodeMessage, type MessageRefusal, type ReplicationMessage } from './message.ts';
import {
  type Heard,
  holders,
  missingEvents,
  newReplica,
  type ReplicaContext,
  type ReplicaEffect,
  type ReplicaInput,
  stepReplica,
} from './replica.ts';

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
};

export interface Replicator extends AsyncDisposable {
  status(): ReplicationStatus;
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
  const { mesh, store, hybridClock, clock, random, origin, warn } = parts;
  let replica = newReplica(clock.monotonicMs());
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
      get settled() {
        return replica.ready;
      },
      holders: (range) => holders(replica, range),
    },
    clock,
  );

  function context(): ReplicaContext {
    return { self: origin, mine: store.vector(), nowMs: clock.monotonicMs(), wallMs: clock.wallMs(), random };
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
        for (const batches of chunks(effect.batches.map((batch) => batch.bytes))) {
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

  async function serve({
    to,
    request,
    ranges,
    creditBytes,
  }: Extract<ReplicaEffect, { kind: 'serve' }>): Promise<void> {
    let credit = creditBytes;
    let batches: Uint8Array[] = [];
    for (const [of, range] of rangesOf(ranges)) {
      for (let from = range.from; from <= range.to && credit > 0; ) {
        const found = await store.batches(
          of,
          { from, to: range.to },
          Math.min(credit, limits.messageBytesMax),
        );
        const last = found.at(-1);
        if (last === undefined) break;
        for (const { bytes } of found) {
          credit -= bytes.byteLength;
          batches.push(bytes);
        }
        from = last.lastSeq + 1;
        const full = chunks(batches);
        batches = [...(full.pop() ?? [])];
        for (const part of full) if (!send(to, { kind: 'part', request, last: false, batches: part })) return;
      }
      if (credit <= 0) break;
    }
    send(to, { kind: 'part', request, last: true, batches });
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
        if (event.group === meshGroup) step({ kind: 'peer-left', id: event.id });
        break;
      case 'peer-exited':
        step({ kind: 'peer-left', id: event.id });
        break;
      case 'whisper':
        hear(event.from, event.content);
        break;
      case 'shout':
        if (event.group === meshGroup) hear(event.from, event.content);
        break;
      case 'peer-entered':
      case 'outbox-full':
        break;
      default:
        event satisfies never;
    }
  }

  function hear(from: PeerId, content: Frames): void {
    const message = decodeMessage(content);
    if (message.ok) step({ kind: 'heard', from, message: opened(message.value) });
    else count(message.code);
  }

  /** A batch is checked before anything else happens to it; a bad one costs itself only. */
  function opened(message: ReplicationMessage): Heard {
    if (message.kind !== 'batches' && message.kind !== 'part') return message;
    const good: OpenedBatch[] = [];
    for (const bytes of message.batches) {
      const batch = openBatch(bytes);
      if (!batch.ok) count(batch.code);
      else if (isFuture(batch.value)) holdBack(batch.value);
      else good.push(batch.value);
    }
    return { ...message, batches: good };
  }

  function isFuture(batch: OpenedBatch): boolean {
    return hlcMs(batch.lastHlc) > clock.wallMs() + aheadMsMax;
  }

  function holdBack(batch: OpenedBatch): void {
    count('future');
    const aheadMs = hlcMs(batch.lastHlc) - clock.wallMs();
    warn("a peer's clock runs ahead of ours: its events are held back; check the time on both machines", {
      origin: batch.origin,
      aheadMs,
    });
    step({ kind: 'held-back', batch, untilWallMs: hlcMs(batch.lastHlc) - aheadMsMax });
  }

  function count(reason: MessageRefusal | BatchRefusal | 'future'): void {
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }

  const unsubscribeStore = store.onCommitted(({ batches }) => {
    const own = batches.filter((batch) => batch.origin === origin);
    if (own.length > 0) step({ kind: 'written', own, peers: [] });
  });
  const unsubscribeMesh = mesh.subscribe(onMeshEvent);
  mesh.join(meshGroup);
  const alone = clock.after(limits.aloneAfterMs, () => step({ kind: 'tick' }));
  const ticker = every(
    clock,
    () => jitter(random, limits.compareEveryMs),
    () => step({ kind: 'tick' }),
  );

  async function stop(): Promise<void> {
    if (stopped) return;
    stopped = true;
    alone.stop();
    ticker.stop();
    unsubscribeStore();
    unsubscribeMesh();
    acks.stop();
    await Promise.all(tasks);
  }

  return {
    status() {
      const peers = replica.peers.size;
      const missing = missingEvents(replica, store.vector());
      return { ready: replica.ready, reason: reasonFor(replica.ready, peers, missing), peers, missing };
    },
    ready,
    acknowledged: (range, wish, waitMs = limits.ackMsMax) => acks.wait(range, wish, waitMs),
    counters: () => new Map(counts),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function reasonFor(ready: boolean, peers: number, missing: number): string {
  if (!ready) return peers === 0 ? 'looking for peers' : `catching up: ${missing} events to fetch`;
  return peers === 0 ? 'alone in the mesh' : `in step with ${peers} ${peers === 1 ? 'peer' : 'peers'}`;
}

function* rangesOf(vector: Vector): Iterable<readonly [NodeId, SeqRange]> {
  for (const [origin, { above }] of vector) for (const range of above) yield [origin, range];
}

/** Cuts batches into messages that the mesh takes. */
function chunks(batches: readonly Uint8Array[]): Uint8Array[][] {
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
