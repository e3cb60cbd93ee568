import type { Clock } from '../clock.ts';
import type { NodeId } from '../event/types.ts';
import type { Change, IndicatorStore } from '../store/store.ts';
import { createBacklog } from './backlog.ts';
import { cursorOf, foreignMarginMs, readCursor } from './cursor.ts';
import { type StreamMessage, streamMessage } from './envelope.ts';
import { createLateArrivals } from './late-arrivals.ts';
import { type Reach, readReach } from './log-reach.ts';
import { createFloors } from './log-times.ts';
import { createSleepers } from './sleepers.ts';
import { isWanted, type StreamFilter } from './stream-filter.ts';
import { madeMs, type Subject } from './subject.ts';
import { createTail, type Kept, unreadChangesMax } from './tail.ts';

const streamLimits = {
  /** What one step of a reader looks at, and the JSON that it takes, in UTF-16 units: what a slow reader holds. */
  stepChangesMax: 500,
  stepCharactersMax: 64 * 1024,
  /** What was found of the log's reach serves whoever comes from another node within it: at a move all come at once. */
  reachMsMax: 60_000,
  /** What was made so long ago has not only been on its way; half of a cursor's margin. */
  lateMs: 60_000,
  /** A node that was in step so recently is: it looks every few seconds. */
  inStepMs: 30_000,
} as const;

export type Step = {
  readonly messages: readonly StreamMessage[];
  /** Where to go on from: behind all that was looked at, whether it was wanted or not. */
  readonly position: number;
  /** How many changes before `position` can no longer be had; then there are no messages. */
  readonly missed: number;
};

/** Where a reader begins. */
export type Start = {
  readonly position: number;
  /** Of what comes up to the end of today's stream, only what was made since: the rest was seen on another node. */
  readonly since?: StreamFilter['since'];
};

/**
 * This node's stream of changes, under every transport. A reader is no more than a position in it: it takes what comes next
 * at its own pace, from the tail in memory or from the store, so a slow one has no queue and costs nobody else anything.
 */
export interface StreamLog {
  readonly nodeId: NodeId;
  cursorAt(position: number): string;
  /** The cursor behind the newest message. */
  lastCursor(): string;
  /** The oldest cursor behind which everything can still be had. */
  firstCursor(): Promise<string>;
  /** Where a reader begins that wants what comes from now on. */
  lastPosition(): number;
  /** The position that a cursor stands for, as `startAt` has it. */
  resume(cursor: string): Promise<number | undefined>;
  /**
   * Where whoever holds a cursor goes on. One of another node stands for its time less a margin. Undefined when it is none,
   * is ahead of this node, or when something made since is in no log here. Rejects with StoreError.
   */
  startAt(cursor: string): Promise<Start | undefined>;
  /**
   * What comes after `position` and is wanted; waits for it until `signal` aborts, or for `waitMs`. Rejects with StoreError.
   */
  next(position: number, wanted: StreamFilter, signal: AbortSignal, waitMs?: number): Promise<Step>;
  /** Once true, nothing comes any more and readers end. */
  readonly stopped: boolean;
  stop(): void;
}

/**
 * `settledMs` is a time before which everything was made that this node does not have yet: of a node that is in step with its
 * peers it is now.
 */
export function createStreamLog(
  store: IndicatorStore,
  nodeId: NodeId,
  clock: Clock,
  settledMs: () => number = clock.wallMs,
): StreamLog {
  const tail = createTail();
  const backlog = createBacklog(store);
  const sleepers = createSleepers(clock);
  /** Of what came since this was made; what came before is in the log's reach. */
  const floors = createFloors();
  const lateArrivals = createLateArrivals();
  const start = store.lastPosition();
  let last = start;
  /** The newest change when a reader last began or asked. Without readers nothing is kept for them. */
  let lastAsked = Number.NEGATIVE_INFINITY;
  let reach: { readonly atMs: number; readonly of: Promise<Reach> } | undefined;
  let oldFloors: Reach['floors'] | undefined;
  let stopped = false;

  const unsubscribers = [
    store.onCommitted(({ changes }) => committed(changes)),
    // What a snapshot brought is in no log.
    store.onReplaced((by) => {
      if (by === 'snapshot') reach = undefined;
    }),
  ];

  function committed(changes: readonly Change[]): void {
    const [first] = changes;
    const newest = changes.at(-1);
    if (first === undefined || newest === undefined) return;
    const isRead = sleepers.size > 0 || last - lastAsked < unreadChangesMax;
    // A snapshot came, with changes of any age that are in no stream.
    const isGap = first.position !== last + 1;
    if (isGap) floors.add(first.position - 1, 0);
    if (!isRead || isGap) {
      tail.clear();
      backlog.clear();
    }
    last = newest.position;
    const nowMs = clock.wallMs();
    const earliestMs = changes.reduce((ms, change) => Math.min(ms, madeMs(change)), Number.POSITIVE_INFINITY);
    floors.add(last, earliestMs);
    // What is made up for after an absence others have had all the while.
    if (earliestMs < nowMs - streamLimits.lateMs && settledMs() > nowMs - streamLimits.inStepMs)
      lateArrivals.add({ from: first.position, to: last, arrivedMs: nowMs });
    const kept = isRead ? tail.add(changes, nowMs) : [];
    if (isGap) sleepers.wakeAll();
    else sleepers.offer(kept, last);
  }

  function cursorAt(position: number): string {
    const behind =
      position < start
        ? Math.min(oldFloors?.behind(position) ?? 0, floors.behind(position))
        : floors.behind(position);
    return cursorOf(nodeId, position, Math.min(settledMs(), behind));
  }

  function readReachOnce(): Promise<Reach> {
    const nowMs = clock.wallMs();
    if (reach === undefined || Math.abs(nowMs - reach.atMs) > streamLimits.reachMsMax) {
      const of = readReach(store);
      reach = { atMs: nowMs, of };
      const mine = reach;
      of.then(
        (found) => {
          oldFloors ??= found.floors;
        },
        () => {
          if (reach === mine) reach = undefined;
        },
      );
    }
    return reach.of;
  }

  function rendered(change: Change, subject: Subject): StreamMessage {
    return streamMessage(change, subject, cursorAt(change.position), nodeId);
  }

  async function startAt(text: string): Promise<Start | undefined> {
    lastAsked = last;
    const cursor = readCursor(text);
    if (cursor === undefined) return undefined;
    if (cursor.nodeId === nodeId) return cursor.position <= last ? { position: cursor.position } : undefined;
    const ms = cursor.settledMs - foreignMarginMs;
    const position = (await readReachOnce()).positionSince(ms);
    if (position === undefined) return undefined;
    const late = lateArrivals.since(ms);
    const from = Math.min(position, (late[0]?.from ?? Number.POSITIVE_INFINITY) - 1);
    return { position: from, since: { ms, upTo: last, late } };
  }

  async function read(position: number, wanted: StreamFilter): Promise<Step> {
    lastAsked = last;
    const first = tail.first() ?? last + 1;
    if (position + 1 >= first)
      return chosen(tail.after(position, streamLimits.stepChangesMax), position, wanted);
    // Before a change of an earlier run is rendered: the cursor behind it says from when on another node goes on.
    if (position < start && oldFloors === undefined) await readReachOnce();
    // What comes while it is read is not missing.
    const end = last;
    const changes = await backlog.after(position, first);
    // Up to the first hole; what lies behind it is found by the next step.
    const missed = (changes[0]?.change.position ?? end + 1) - position - 1;
    if (missed > 0) return { messages: [], position: position + missed, missed };
    return chosen(changes, position, wanted);
  }

  /** Of changes that follow one another those that are wanted, up to what a step takes. */
  function chosen(changes: readonly Kept[], position: number, wanted: StreamFilter): Step {
    const messages: StreamMessage[] = [];
    let characters = 0;
    let at = position;
    for (const kept of changes) {
      if (characters >= streamLimits.stepCharactersMax) break;
      at = kept.change.position;
      if (kept.subject === undefined || !isWanted(wanted, kept)) continue;
      kept.message ??= rendered(kept.change, kept.subject);
      characters += kept.message.json.length;
      messages.push(kept.message);
    }
    return { messages, position: at, missed: 0 };
  }

  return {
    nodeId,
    cursorAt,
    lastCursor: () => cursorAt(last),
    async firstCursor() {
      const [oldest] = await store.changesAfter(0, 1);
      return cursorAt(oldest === undefined ? last : oldest.position - 1);
    },
    lastPosition() {
      lastAsked = last;
      return last;
    },
    async resume(cursor) {
      return (await startAt(cursor))?.position;
    },
    startAt,
    async next(position, wanted, signal, waitMs = Number.POSITIVE_INFINITY) {
      let at = position;
      if (at >= last && !signal.aborted && !stopped) at = await sleepers.sleep(at, wanted, signal, waitMs);
      if (at >= last || signal.aborted) return { messages: [], position: at, missed: 0 };
      return read(at, wanted);
    },
    get stopped() {
      return stopped;
    },
    stop() {
      stopped = true;
      for (const unsubscribe of unsubscribers) unsubscribe();
      sleepers.wakeAll();
    },
  };
}
