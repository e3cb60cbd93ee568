import type { DocumentWrite } from '../event/document.ts';
import type { IndicatorStore } from '../store/store.ts';
import { readCursor } from '../stream/cursor.ts';
import type { StreamMessage } from '../stream/envelope.ts';
import type { StreamFilter } from '../stream/stream-filter.ts';
import type { StreamLog } from '../stream/stream-log.ts';
import {
  collections,
  letterDocumentId,
  letterDocuments,
  type Progress,
  progressWrite,
  readPending,
  type State,
} from './documents.ts';
import { createJournal } from './journal.ts';
import { letterOf } from './letter.ts';
import { ownerLimits } from './limits.ts';
import { createOutgoing, type OutgoingParts } from './outgoing.ts';
import { forgetSettled, readSettled, type Settled, settleEvents, writeSettled } from './settled.ts';
import { cursorAtTime, subscribe } from './subscription.ts';

export type DelivererParts = Omit<OutgoingParts, 'before' | 'write' | 'settled' | 'drained'> & {
  readonly store: Pick<IndicatorStore, 'documents' | 'document'>;
  readonly log: StreamLog;
  readonly say: (writes: readonly DocumentWrite[]) => Promise<unknown>;
  readonly wanted: StreamFilter;
  /** What the owner before has written. */
  readonly progress: Progress | undefined;
};

/** Delivers what one webhook subscribes to, as long as this node is its owner. */
export interface Deliverer {
  state(): State;
  /** There may be a slot to send again. */
  pump(): void;
  /** A document keeps a letter now, which somebody else may have written. */
  adopt(letterId: string): Promise<void>;
  /** The webhook's settings are other ones: what failed may go well now. */
  renew(): void;
  /** Sends nothing more, and writes down how far it is, unless there is no such webhook any more. */
  stop(isDeleted: boolean): Promise<void>;
}

export function startDeliverer(parts: DelivererParts): Deliverer {
  const { store, log, clock, told, progress: before } = parts;
  const { id, name, sinceMs } = parts.webhook();
  const isResumed = before?.sinceMs === sinceMs;
  const startCursor = isResumed ? before.cursor : cursorAtTime(sinceMs);
  const reading = new AbortController();
  let settled: Settled = isResumed ? readSettled(before.settled, clock.wallMs()) : new Map();
  let readPosition: number | undefined;
  let hasMorePending = false;
  let roomMade: () => void = () => undefined;

  const journal = createJournal({
    clock,
    say: parts.say,
    progress: () => progressWrite(id, progressNow()),
    failed: (err) =>
      told.warn(`what became of messages of the webhook ${name} cannot be written down; it is tried again`, {
        err,
      }),
  });
  const outgoing = createOutgoing({
    ...parts,
    before: before?.state,
    write: journal.write,
    settled(eventIds) {
      settled = settleEvents(settled, eventIds, clock.wallMs());
      journal.touch();
    },
    drained() {
      if (!outgoing.isFull()) roomMade();
      if (hasMorePending && outgoing.isEmpty()) loadPending().catch(failed);
    },
  });

  function state(): State {
    return { owner: log.nodeId, ...outgoing.state() };
  }

  function progressNow(): Progress {
    const cursor =
      readPosition === undefined ? startCursor : log.cursorAt(outgoing.safePosition(readPosition));
    settled = forgetSettled(settled, readCursor(cursor)?.settledMs ?? 0);
    return { cursor, sinceMs, settled: writeSettled(settled), state: state() };
  }

  async function run(): Promise<void> {
    await loadPending();
    if (!isResumed) outgoing.renew();
    // So that everybody sees who delivers.
    journal.touch();
    await subscribe({
      log,
      wanted: parts.wanted,
      cursor: startCursor,
      sinceMs,
      take: takeMessages,
      missed: (count) =>
        told.warn(
          `the webhook ${name} misses ${count} changes, as the event log reaches back no further: ` +
            'a larger event_log_mib or event_log_days keeps more',
        ),
      cut: () =>
        told.warn(
          `the webhook ${name} goes on at this node, whose event log does not reach back to where it was: what came between may be missed`,
        ),
      signal: reading.signal,
    });
  }

  async function takeMessages(messages: readonly StreamMessage[], looked: number): Promise<void> {
    const known = outgoing.ids();
    const fresh = messages.filter((message) => !settled.has(message.id) && !known.has(message.id));
    readPosition = looked;
    if (fresh.length > 0)
      outgoing.add(
        fresh.map((message) => ({ letter: letterOf(message.id, message.json), position: message.position })),
      );
    const isIdleFor = clock.wallMs() - journal.writtenMs;
    if (fresh.length > 0 || isIdleFor > ownerLimits.idleProgressEveryMs) journal.touch();
    // What does not fit stays in the stream.
    while (!reading.signal.aborted && outgoing.isFull()) {
      await new Promise<void>((resolve) => {
        roomMade = resolve;
      });
    }
  }

  /** What documents keep, up to what fits; the others follow when these are gone. */
  async function loadPending(): Promise<void> {
    hasMorePending = false;
    for await (const { id: documentId, body } of letterDocuments(
      store,
      collections.pending,
      id,
      clock.wallMs(),
    )) {
      if (outgoing.isFull()) {
        hasMorePending = true;
        return;
      }
      const kept = readPending(documentId, body);
      if (kept !== undefined && !outgoing.ids().has(kept.letter.id)) outgoing.addKept(kept);
    }
  }

  function failed(err: unknown): void {
    if (!reading.signal.aborted && !log.stopped)
      told.warn(`the webhook ${name} cannot read the stream; restart the node`, { err });
  }

  const running = run().catch(failed);
  let stopping: Promise<void> | undefined;

  async function stopAll(isDeleted: boolean): Promise<void> {
    reading.abort();
    roomMade();
    if (isDeleted) journal.stop();
    await outgoing.stop(isDeleted ? 0 : ownerLimits.graceMs);
    await running;
    await journal.flush();
    journal.stop();
  }

  return {
    state,
    pump: outgoing.pump,
    async adopt(letterId) {
      const documentId = letterDocumentId(id, letterId);
      const found = await store.document(collections.pending, documentId);
      const kept = found?.body === undefined ? undefined : readPending(documentId, found.body);
      // What this owner wrote by itself after a try is in its queue, or has left it.
      if (kept === undefined || (found?.stamp.origin === log.nodeId && kept.attempts > 0)) return;
      if (!outgoing.ids().has(kept.letter.id)) outgoing.addKept(kept);
    },
    renew: outgoing.renew,
    stop(isDeleted) {
      stopping ??= stopAll(isDeleted);
      return stopping;
    },
  };
}
