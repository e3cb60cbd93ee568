import { setImmediate as nextTurn } from 'node:timers/promises';
import type { NodeId } from '../event/types.ts';
import { cursorOf, foreignMarginMs, readCursor } from '../stream/cursor.ts';
import type { StreamMessage } from '../stream/envelope.ts';
import type { StreamFilter } from '../stream/stream-filter.ts';
import type { Start, StreamLog } from '../stream/stream-log.ts';
import { madeMs } from '../stream/subject.ts';

const nobody = '0'.repeat(32) as NodeId;

/** A cursor of no node, which stands for its time on every node. */
export function cursorAtTime(ms: number): string {
  return cursorOf(nobody, 0, ms);
}

export type SubscriptionParts = {
  readonly log: StreamLog;
  readonly wanted: StreamFilter;
  /** Where the owner before was, or a time. */
  readonly cursor: string;
  /** What was made before is not wanted, Unix ms. */
  readonly sinceMs: number;
  /** Resolves when there is room for more; `looked` is how far it was read, whether something was wanted or not. */
  readonly take: (messages: readonly StreamMessage[], looked: number) => Promise<void>;
  /** Changes that can no longer be had. */
  readonly missed: (count: number) => void;
  /** The log does not reach back to the cursor: what came between may be missed. */
  readonly cut: () => void;
  readonly signal: AbortSignal;
};

/** Reads the stream for one webhook until the signal aborts or the log stops. Rejects with StoreError. */
export async function subscribe(parts: SubscriptionParts): Promise<void> {
  const { log, cursor, sinceMs, take, missed, cut, signal } = parts;
  let start = await log.startAt(cursor);
  if (start === undefined) {
    cut();
    start = await oldestStart(log, cursor);
  }
  let { position } = start;
  const wanted: StreamFilter = { ...parts.wanted, ...(start.since && { since: start.since }) };
  await take([], position);
  while (!signal.aborted && !log.stopped) {
    const step = await log.next(position, wanted, signal);
    position = step.position;
    if (step.missed > 0) missed(step.missed);
    await take(
      step.messages.filter(({ change }) => madeMs(change) >= sinceMs),
      position,
    );
    // A long backlog must not keep the node from its peers.
    await nextTurn();
  }
}

/** The oldest that there is of what was made since the cursor's time. */
async function oldestStart(log: StreamLog, cursor: string): Promise<Start> {
  const ms = (readCursor(cursor)?.settledMs ?? 0) - foreignMarginMs;
  const upTo = log.lastPosition();
  return { position: readCursor(await log.firstCursor())?.position ?? upTo, since: { ms, upTo } };
}
