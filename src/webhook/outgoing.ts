import type { Clock } from '../clock.ts';
import type { DocumentWrite } from '../event/document.ts';
import { fold, rulesOf } from './digest.ts';
import {
  collections,
  deadWrite,
  type KeptLetter,
  letterDocumentId,
  pendingWrite,
  removal,
  type State,
} from './documents.ts';
import { type Letter, readEvent } from './letter.ts';
import { deliveryLimits, webhookLimits } from './limits.ts';
import type { Posted } from './post.ts';
import {
  dropOverdue,
  emptyQueue,
  enqueue,
  heldEvents,
  isOpen,
  type Queue,
  renewed,
  safePosition,
  settle,
  take,
  type Waiting,
  wakeMs,
} from './queue.ts';
import { type SendParts, sendLetter } from './send.ts';
import type { Slots } from './slots.ts';
import type { Told } from './told.ts';
import { type Verdict, verdictOf } from './verdict.ts';
import type { Webhook } from './webhook.ts';

/** What became of tries; counted. */
export type Outcome = 'delivered' | 'retried' | 'dead' | 'gone';

export type OutgoingParts = SendParts & {
  readonly clock: Clock;
  readonly random: () => number;
  readonly slots: Slots;
  /** As it is now; url and secrets may change while this goes on. */
  readonly webhook: () => Webhook;
  readonly before: Pick<State, 'lastSuccessMs' | 'lastFailure'> | undefined;
  readonly deadIds: () => readonly string[];
  readonly write: (writes: readonly DocumentWrite[]) => void;
  /** These events were delivered, or a document has them from the next write on. */
  readonly settled: (eventIds: readonly string[]) => void;
  /** There may be room for more. */
  readonly drained: () => void;
  readonly counted: (outcome: Outcome) => void;
  /** The receiver said that it is no more. */
  readonly gone: (reason: string) => void;
  readonly told: Told;
};

/** What goes out for one webhook: the shell around the steps of queue.ts. */
export interface Outgoing {
  add(letters: readonly Pick<Waiting, 'letter' | 'position'>[]): void;
  /** One that a document keeps. */
  addKept(kept: KeptLetter): void;
  /** Of the letters that wait or are under way. */
  ids(): ReadonlySet<string>;
  isFull(): boolean;
  isEmpty(): boolean;
  /** From where another owner has to read, when this one has read to `readPosition`. */
  safePosition(readPosition: number): number;
  state(): Omit<State, 'owner'>;
  pump(): void;
  /** What failed may go well now. */
  renew(): void;
  /** Begins nothing more, and waits for what is under way: not at all, or for a little while. */
  stop(graceMs: number): Promise<void>;
}

export function createOutgoing(parts: OutgoingParts): Outgoing {
  const { clock, random, slots, webhook, told, write } = parts;
  const { id, name, format } = webhook();
  const rules = rulesOf(format);
  const sending = new AbortController();
  const requests = new Set<Promise<void>>();
  let queue: Queue = emptyQueue;
  let { lastSuccessMs, lastFailure } = parts.before ?? {};
  let timer: { stop(): void } | undefined;
  let isEnded = false;

  function pump(): void {
    timer?.stop();
    timer = undefined;
    if (isEnded) return;
    const nowMs = clock.wallMs();
    const overdue = dropOverdue(queue, nowMs);
    queue = overdue.queue;
    if (overdue.dead.length > 0) {
      for (const one of overdue.dead) bury(one, one.reason ?? 'the receiver failed for a day', nowMs);
      tellDead(overdue.dead.length, 'the receiver failed for a day');
      parts.drained();
    }
    const taken = take(queue, rules, slots.free(), nowMs);
    queue = taken.queue;
    for (const one of taken.sent) {
      const request = deliver(one, slots.take()).finally(() => requests.delete(request));
      requests.add(request);
    }
    const nextMs = wakeMs(queue, rules);
    // Without a slot, whoever gives one back pumps.
    if (nextMs !== undefined && (nextMs > nowMs || slots.free() > 0))
      timer = clock.after(Math.max(1, nextMs - nowMs), pump);
  }

  async function deliver(one: Waiting, release: () => void): Promise<void> {
    const posted = await send(one.letter);
    // What was broken off stays under way, and so before the cursor: the next owner sends it again.
    if (!sending.signal.aborted || posted.kind !== 'failed') {
      const nowMs = clock.wallMs();
      const wasOpen = isOpen(queue);
      const verdict = verdictOf(posted, one, nowMs, random);
      queue = settle(queue, one, verdict, nowMs, random);
      record(one, verdict, nowMs);
      if (isOpen(queue) !== wasOpen) tellBreaker(verdict);
    }
    release();
    pump();
    parts.drained();
  }

  async function send(letter: Letter): Promise<Posted> {
    try {
      return await sendLetter(parts, webhook(), letter, clock.wallMs(), sending.signal);
    } catch (error) {
      // Events that another release wrote, and that no body can be made of.
      return { kind: 'refused', reason: `no message can be made of it (${String(error)})` };
    }
  }

  function record(one: Waiting, verdict: Verdict, nowMs: number): void {
    const { letter, position, attempts, queuedMs } = one;
    if (verdict.kind === 'delivered') {
      lastSuccessMs = nowMs;
      parts.settled(eventIds(letter));
      parts.counted('delivered');
      if (position === undefined) write([pendingRemoval(letter, nowMs)]);
      return;
    }
    const { reason } = verdict;
    lastFailure = { atMs: nowMs, reason };
    if (verdict.kind === 'dead') {
      bury(one, reason, nowMs);
      tellDead(1, reason);
      return;
    }
    const dueMs = verdict.kind === 'retry' ? verdict.atMs : nowMs;
    parts.settled(eventIds(letter));
    parts.counted(verdict.kind === 'gone' ? 'gone' : 'retried');
    write([pendingWrite(id, { letter, attempts, queuedMs, dueMs, reason }, nowMs)]);
    if (verdict.kind !== 'gone' || isEnded) return;
    isEnded = true;
    parts.gone(reason);
  }

  function bury({ letter, attempts, position }: Waiting, reason: string, nowMs: number): void {
    parts.settled(eventIds(letter));
    parts.counted('dead');
    const dead = parts.deadIds();
    const tooMany = dead.slice(0, Math.max(0, dead.length + 1 - webhookLimits.deadMax));
    write([
      deadWrite(id, { letter, attempts, atMs: nowMs, reason }),
      ...(position === undefined ? [pendingRemoval(letter, nowMs)] : []),
      ...tooMany.map((old) => removal(collections.dead, letterDocumentId(id, old), nowMs)),
    ]);
  }

  function tellDead(count: number, reason: string): void {
    const what = count === 1 ? 'a message' : `${count} messages`;
    told.warn(
      `${what} of the webhook ${name} given up: ${reason}; POST /webhooks/${id}/replay delivers again`,
    );
  }

  function pendingRemoval({ id: letterId }: Letter, nowMs: number): DocumentWrite {
    return removal(collections.pending, letterDocumentId(id, letterId), nowMs);
  }

  function tellBreaker(verdict: Verdict): void {
    if ('reason' in verdict) {
      told.warn(
        `the receiver of the webhook ${name} fails (${verdict.reason}): messages wait, and one is tried now and then; ` +
          `see GET /webhooks/${id}, and try with POST /webhooks/${id}/test`,
      );
    } else told.info(`the receiver of the webhook ${name} takes messages again`);
  }

  return {
    add(letters) {
      const nowMs = clock.wallMs();
      const added = letters.map((letter) => ({ ...letter, attempts: 0, queuedMs: nowMs, dueMs: nowMs }));
      queue = fold(enqueue(queue, added), rules);
      pump();
    },
    addKept(kept) {
      parts.settled(eventIds(kept.letter));
      queue = enqueue(queue, [{ ...kept, position: undefined }]);
      pump();
    },
    ids: () => new Set([...queue.waiting, ...queue.flying].map(({ letter }) => letter.id)),
    isFull: () => heldEvents(queue) >= deliveryLimits.waitingMax,
    isEmpty: () => queue.waiting.length + queue.flying.length === 0,
    safePosition: (readPosition) => safePosition(queue, readPosition),
    state: () => ({
      ...(lastSuccessMs !== undefined && { lastSuccessMs }),
      ...(lastFailure && { lastFailure }),
      waiting: queue.waiting.length + queue.flying.length,
      isBreakerOpen: isOpen(queue),
    }),
    pump,
    renew() {
      queue = renewed(queue, clock.wallMs(), random);
      pump();
    },
    async stop(graceMs) {
      isEnded = true;
      timer?.stop();
      const grace = clock.after(graceMs, () => sending.abort());
      if (graceMs === 0) sending.abort();
      await Promise.all(requests);
      grace.stop();
    },
  };
}

function eventIds({ events }: Letter): readonly string[] {
  return events.map((json) => readEvent(json).id);
}
