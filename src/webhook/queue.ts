import type { Letter } from './letter.ts';
import { deliveryLimits as limits } from './limits.ts';
import { backoffMs, type Verdict } from './verdict.ts';

/** A letter that is not delivered yet. */
export type Waiting = {
  readonly letter: Letter;
  /** In the order in which they came. */
  readonly order: number;
  /** Tries so far; the one under way counts. */
  readonly attempts: number;
  /** Since when, Unix ms. */
  readonly queuedMs: number;
  /** Not before, Unix ms. */
  readonly dueMs: number;
  /** Where its first event is in this node's stream; undefined once a document has it. */
  readonly position: number | undefined;
  /** What the last failure was. */
  readonly reason?: string;
};

/** What waits for one receiver, and how it has been lately. */
export type Queue = {
  /** By order. */
  readonly waiting: readonly Waiting[];
  readonly flying: readonly Waiting[];
  readonly nextOrder: number;
  /** In a row. From `breakerFailures` on the breaker is open: only probes go, one at a time. */
  readonly failures: number;
  /** When the breaker lets the next probe go. */
  readonly probeMs: number;
  /** The receiver asked for a pause until then. */
  readonly pausedUntilMs: number;
  readonly lastSentMs: number;
};

export const emptyQueue: Queue = {
  waiting: [],
  flying: [],
  nextOrder: 0,
  failures: 0,
  probeMs: 0,
  pausedUntilMs: 0,
  lastSentMs: 0,
};

export function isOpen({ failures }: Queue): boolean {
  return failures >= limits.breakerFailures;
}

/** How fast a receiver of a format is sent to. */
export type Pace = { readonly concurrency: number; readonly everyMs: number };

/** Puts letters behind those that wait. */
export function enqueue(
  queue: Queue,
  letters: readonly Pick<Waiting, 'letter' | 'attempts' | 'queuedMs' | 'dueMs' | 'position'>[],
): Queue {
  if (letters.length === 0) return queue;
  const added = letters.map((letter, i) => ({ ...letter, order: queue.nextOrder + i }));
  return {
    ...queue,
    waiting: [...queue.waiting, ...added],
    nextOrder: queue.nextOrder + letters.length,
  };
}

/** What is to be sent now, `slots` at most: it is under way then. */
export function take(
  queue: Queue,
  { concurrency, everyMs }: Pace,
  slots: number,
  nowMs: number,
): { readonly queue: Queue; readonly sent: readonly Waiting[] } {
  const free = Math.min(slots, (isOpen(queue) ? 1 : concurrency) - queue.flying.length);
  if (free <= 0 || readyMs(queue, everyMs) > nowMs) return { queue, sent: [] };
  // A probe is the oldest one, whenever it was due: so a receiver that is ill gets no more than one after the other.
  const due = isOpen(queue) ? queue.waiting : queue.waiting.filter(({ dueMs }) => dueMs <= nowMs);
  const sent = due
    .slice(0, everyMs > 0 ? 1 : free)
    .map((waiting) => ({ ...waiting, attempts: waiting.attempts + 1 }));
  if (sent.length === 0) return { queue, sent };
  const orders = new Set(sent.map(({ order }) => order));
  return {
    queue: {
      ...queue,
      waiting: queue.waiting.filter(({ order }) => !orders.has(order)),
      flying: [...queue.flying, ...sent],
      lastSentMs: nowMs,
    },
    sent,
  };
}

/** When `take` has something to send at the earliest; undefined while there is nothing, or all that may are under way. */
export function wakeMs(queue: Queue, { concurrency, everyMs }: Pace): number | undefined {
  const free = (isOpen(queue) ? 1 : concurrency) - queue.flying.length;
  if (free <= 0 || queue.waiting.length === 0) return undefined;
  const ready = readyMs(queue, everyMs);
  if (isOpen(queue)) return ready;
  return Math.max(ready, Math.min(...queue.waiting.map(({ dueMs }) => dueMs)));
}

/** When the receiver may be sent anything. */
function readyMs(queue: Queue, everyMs: number): number {
  const probeMs = isOpen(queue) ? queue.probeMs : 0;
  return Math.max(queue.pausedUntilMs, probeMs, queue.lastSentMs + everyMs);
}

/** What a try has come to. What is to be tried again waits in its old place, and is written into a document by who asks. */
export function settle(
  queue: Queue,
  tried: Waiting,
  verdict: Verdict,
  nowMs: number,
  random: () => number,
): Queue {
  const flying = queue.flying.filter(({ order }) => order !== tried.order);
  if (verdict.kind === 'delivered') {
    const waiting = isOpen(queue) ? soon(queue.waiting, nowMs, random) : queue.waiting;
    return { ...queue, waiting, flying, failures: 0 };
  }
  const failed = { ...queue, flying, ...failure(queue, nowMs, random) };
  if (verdict.kind === 'dead') return failed;
  const again = {
    ...tried,
    reason: verdict.reason,
    position: undefined,
    ...(verdict.kind === 'retry' && { dueMs: verdict.atMs }),
  };
  const pausedUntilMs =
    verdict.kind === 'retry'
      ? Math.max(queue.pausedUntilMs, verdict.pausedUntilMs ?? 0)
      : queue.pausedUntilMs;
  const waiting = [...queue.waiting, again].sort((a, b) => a.order - b.order);
  return { ...failed, waiting, pausedUntilMs };
}

function failure(queue: Queue, nowMs: number, random: () => number): Pick<Queue, 'failures' | 'probeMs'> {
  const failures = queue.failures + 1;
  const over = failures - limits.breakerFailures + 1;
  if (over <= 0) return { failures, probeMs: 0 };
  // At least half of it: a probe that comes at once learns nothing.
  const spanMs = backoffMs(limits.probeFirstMs, limits.probeMaxMs, over);
  return { failures, probeMs: nowMs + Math.floor(spanMs * (0.5 + random() / 2)) };
}

/** The receiver is back: nobody waits for the end of a long pause that was meant for its illness. */
function soon(waiting: readonly Waiting[], nowMs: number, random: () => number): readonly Waiting[] {
  return waiting.map((one) =>
    one.attempts === 0
      ? one
      : { ...one, dueMs: Math.min(one.dueMs, nowMs + Math.floor(random() * limits.recoverMs)) },
  );
}

/** Whatever was wrong may be mended: all may be tried again at once. */
export function renewed(queue: Queue, nowMs: number, random: () => number): Queue {
  return { ...queue, failures: 0, probeMs: 0, pausedUntilMs: 0, waiting: soon(queue.waiting, nowMs, random) };
}

/** Those that have waited for a day without being tried to the end: they go to the dead letters. */
export function dropOverdue(
  queue: Queue,
  nowMs: number,
): { readonly queue: Queue; readonly dead: readonly Waiting[] } {
  const isOverdue = ({ queuedMs }: Waiting): boolean => nowMs - queuedMs >= limits.retriedForMs;
  const dead = queue.waiting.filter(isOverdue);
  if (dead.length === 0) return { queue, dead };
  return { queue: { ...queue, waiting: queue.waiting.filter((one) => !isOverdue(one)) }, dead };
}

/** From where another owner has to read, when this one has read to `readPosition`. */
export function safePosition({ waiting, flying }: Queue, readPosition: number): number {
  return [...waiting, ...flying].reduce(
    (safe, { position }) => (position === undefined ? safe : Math.min(safe, position - 1)),
    readPosition,
  );
}

/** Events in memory. */
export function heldEvents({ waiting, flying }: Queue): number {
  return [...waiting, ...flying].reduce((sum, { letter }) => sum + letter.events.length, 0);
}
