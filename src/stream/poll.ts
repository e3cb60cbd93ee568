import type { Clock } from '../clock.ts';
import { linesOf } from './lines.ts';
import { createReading, type ReadingParts, type ReadingRequest } from './reading.ts';

export type PollRequest = ReadingRequest & {
  /** How long it waits for the first line. */
  readonly waitMs: number;
  readonly linesMax: number;
  /** Aborts when nobody waits for the answer any more. */
  readonly gone: AbortSignal;
};

/** Lines, each with its end, and the cursor behind them. */
export type Polled = { readonly lines: string; readonly cursor: string };

/** Beyond it an answer is sent, although it has room for more lines: what it takes in memory. */
const charactersMax = 4 * 1024 * 1024;

/**
 * One answer of a long poll: what there is behind the cursor, as soon as there is something; nothing after `waitMs`. The
 * notices `reset` and `gap` are lines, and end the answer. Rejects with StoreError.
 */
export async function pollStream(
  parts: ReadingParts & { readonly clock: Clock },
  { waitMs, linesMax, gone, ...request }: PollRequest,
): Promise<Polled> {
  const { log, clock } = parts;
  const over = new AbortController();
  const end = (): void => over.abort();
  const timer = waitMs > 0 ? clock.after(waitMs, end) : undefined;
  const enders = request.signal === undefined ? [gone] : [gone, request.signal];
  for (const signal of enders) {
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  }
  const reading = createReading(parts, 'ndjson', { ...request, signal: over.signal });
  try {
    const [, reset] = await reading.next();
    if (reset?.kind === 'reset')
      return { lines: `${linesOf(reset, log.nodeId, clock).join('\n')}\n`, cursor: reset.cursor };
    let lines = '';
    let count = 0;
    while (count < linesMax && lines.length < charactersMax) {
      // Nothing is waited for when there is something to send, or no time.
      if ((count > 0 || waitMs === 0) && reading.isAtEnd()) break;
      const [part] = await reading.next();
      if (part === undefined) break;
      if (part.kind === 'messages') {
        const some = part.messages.slice(0, linesMax - count);
        for (const { json } of some) lines += `${json}\n`;
        count += some.length;
        const last = some.at(-1);
        if (some.length < part.messages.length && last !== undefined) return { lines, cursor: last.cursor };
      } else if (part.kind === 'gap') {
        lines += `${linesOf(part, log.nodeId, clock).join('\n')}\n`;
        break;
      } else if (waitMs === 0) break;
    }
    return { lines, cursor: reading.cursor() };
  } finally {
    timer?.stop();
    for (const signal of enders) signal.removeEventListener('abort', end);
    reading.stop();
  }
}
