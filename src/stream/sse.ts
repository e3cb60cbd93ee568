import type { Clock } from '../clock.ts';
import type { Filter } from '../query/filter.ts';
import { heartbeatEveryMs, pulledBody } from './pulled-body.ts';
import type { StreamLog } from './stream-log.ts';

export type SseParts = {
  readonly log: StreamLog;
  readonly clock: Clock;
  /** Told of a fault of ours; the stream ends, and the client comes back with its cursor. */
  readonly failed: (error: unknown) => void;
};

export type SseRequest = {
  readonly filter: Filter;
  /** Undefined is from now on. */
  readonly cursor: string | undefined;
  /** Ends the stream in good order. */
  readonly signal: AbortSignal | undefined;
};

/**
 * The stream as Server-Sent Events (WHATWG HTML, section 9.2): the cursor as `id`, the topic as `event`. It opens with
 * `connected`, and with `reset` when `cursor` is not one of this node's: then it goes on live. `gap` says that changes can
 * no longer be had, and ends it. Every event has an id to come back with. The reader's pace is the pace, and a body that
 * is not read holds nothing.
 */
export function sseBody({ log, clock, failed }: SseParts, request: SseRequest): ReadableStream<Uint8Array> {
  const { filter, cursor, signal } = request;
  const stop = new AbortController();
  const stopNow = (): void => stop.abort();
  let position: number | undefined;
  let gone = false;

  async function opening(): Promise<string> {
    signal?.addEventListener('abort', stopNow);
    if (signal?.aborted) stopNow();
    const resumed = cursor === undefined ? log.lastPosition() : log.resume(cursor);
    position = resumed ?? log.lastPosition();
    const at = log.cursorAt(position);
    const connected = event(at, 'connected', { first: await log.firstCursor(), last: log.lastCursor() });
    if (resumed !== undefined) return connected;
    const detail = 'the cursor is not of this node: what came before is in GET /indicators';
    return connected + event(at, 'reset', { cursor: at, detail });
  }

  /** What to send next; empty at the end. */
  async function following(from: number): Promise<string> {
    const pulse = new AbortController();
    const beat = (): void => pulse.abort();
    const timer = clock.after(heartbeatEveryMs, beat);
    stop.signal.addEventListener('abort', beat);
    try {
      for (let at = from; !gone && !stop.signal.aborted && !log.stopped; ) {
        const step = await log.next(at, filter, pulse.signal);
        at = step.position;
        position = at;
        if (step.missed > 0) {
          gone = true;
          return event(log.cursorAt(at), 'gap', { cursor: log.cursorAt(at), missed: step.missed });
        }
        if (step.messages.length > 0) {
          return step.messages
            .map(({ cursor: id, topic, json }) => `id: ${id}\nevent: ${topic}\ndata: ${json}\n\n`)
            .join('');
        }
        // The id fires no event; by it a client whose filter matches little comes back near the end all the same.
        if (pulse.signal.aborted && !stop.signal.aborted) return `: alive\nid: ${log.cursorAt(at)}\n\n`;
      }
      return '';
    } finally {
      timer.stop();
      stop.signal.removeEventListener('abort', beat);
    }
  }

  function finish(): void {
    signal?.removeEventListener('abort', stopNow);
    stopNow();
  }

  return pulledBody({
    next: () => (position === undefined ? opening() : following(position)),
    ended: finish,
    failed,
  });
}

function event(id: string, name: string, data: unknown): string {
  return `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
