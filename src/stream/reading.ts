import type { StreamMessage } from './envelope.ts';
import type { Readers, Transport } from './readers.ts';
import type { StreamFilter } from './stream-filter.ts';
import type { StreamLog } from './stream-log.ts';

/** Proxies and clients take a silent connection for a dead one. */
export const heartbeatEveryMs = 15_000;

/** So many steps without anything that is wanted take seconds. */
const stepsUnheardMax = 200;

export type ReadingParts = {
  readonly log: StreamLog;
  readonly readers: Readers;
};

/** What a reader asked for. */
export type ReadingRequest = {
  readonly filter: StreamFilter;
  /** Undefined is from now on. */
  readonly cursor: string | undefined;
  /** Where all that the filter lets through can be read as it is now. */
  readonly snapshot: string;
  /** Ends the stream in good order. */
  readonly signal: AbortSignal | undefined;
};

/** What the stream says of itself, whatever the transport. */
export type Notice =
  | { readonly kind: 'connected'; readonly cursor: string; readonly data: { first: string; last: string } }
  | {
      readonly kind: 'reset';
      readonly cursor: string;
      readonly data: { cursor: string; detail: string; snapshot: string };
    }
  | { readonly kind: 'gap'; readonly cursor: string; readonly data: { cursor: string; missed: number } }
  | { readonly kind: 'alive'; readonly cursor: string; readonly data: { cursor: string } };

export type Part = Notice | { readonly kind: 'messages'; readonly messages: readonly StreamMessage[] };

/** One reader's way through the stream, under every transport. */
export interface Reading {
  /**
   * What to send next, once what came before is sent; empty at the end. The first answer opens the stream. Rejects with
   * StoreError.
   */
  next(): Promise<readonly Part[]>;
  /** The cursor behind all that `next` has answered. */
  cursor(): string;
  /** Whether there is nothing behind it yet. */
  isAtEnd(): boolean;
  /** Ends it; what waits in `next` comes back. Stopping twice is safe. */
  stop(): void;
}

/**
 * Opens with `connected`, and with `reset` when the cursor is of no use here; then it goes on live. `gap` says that changes can
 * no longer be had, and is the end. In silence `alive` moves the cursor past what was not wanted. Until the first `next` it
 * holds nothing.
 */
export function createReading(
  { log, readers }: ReadingParts,
  transport: Transport,
  { filter, cursor, snapshot, signal }: ReadingRequest,
): Reading {
  const stop = new AbortController();
  let wanted = filter;
  let position: number | undefined;
  let gone = false;
  let leave = (): void => undefined;

  function end(): void {
    signal?.removeEventListener('abort', end);
    leave();
    stop.abort();
  }

  async function opening(): Promise<readonly Part[]> {
    leave = readers.enter(transport);
    signal?.addEventListener('abort', end);
    if (signal?.aborted) end();
    const start = cursor === undefined ? { position: log.lastPosition() } : await log.startAt(cursor);
    if (start?.since !== undefined) wanted = { ...filter, since: start.since };
    const at = start?.position ?? log.lastPosition();
    const here = log.cursorAt(at);
    const first = await log.firstCursor();
    position = at;
    const connected = { kind: 'connected', cursor: here, data: { first, last: log.lastCursor() } } as const;
    if (start !== undefined) return [connected];
    readers.count('reset');
    const detail = `this cursor leads no further here: read ${snapshot}, and take what comes here as newer`;
    return [connected, { kind: 'reset', cursor: here, data: { cursor: here, detail, snapshot } }];
  }

  async function following(from: number): Promise<readonly Part[]> {
    let at = from;
    for (let steps = 1; !gone && !stop.signal.aborted && !log.stopped; steps++) {
      const step = await log.next(at, wanted, stop.signal, heartbeatEveryMs);
      at = step.position;
      position = at;
      if (step.missed > 0) {
        gone = true;
        readers.count('gap');
        const here = log.cursorAt(at);
        return [{ kind: 'gap', cursor: here, data: { cursor: here, missed: step.missed } }];
      }
      if (step.messages.length > 0) return [{ kind: 'messages', messages: step.messages }];
      // At the end nothing came for long, or a long way back held nothing that is wanted.
      const isQuiet = at >= log.lastPosition() || steps >= stepsUnheardMax;
      if (isQuiet && !stop.signal.aborted && !log.stopped) {
        const here = log.cursorAt(at);
        return [{ kind: 'alive', cursor: here, data: { cursor: here } }];
      }
    }
    return [];
  }

  return {
    next: () => (position === undefined ? opening() : following(position)),
    cursor: () => log.cursorAt(position ?? log.lastPosition()),
    isAtEnd: () => (position ?? Number.NEGATIVE_INFINITY) >= log.lastPosition(),
    stop: end,
  };
}
