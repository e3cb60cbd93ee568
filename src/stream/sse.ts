import type { Filter } from '../query/filter.ts';
import type { StreamLog } from './stream-log.ts';

/** Proxies and clients take a silent connection for a dead one. */
const heartbeatEveryMs = 15_000;

/**
 * The stream as Server-Sent Events (WHATWG HTML, section 9.2): the cursor as `id`, the topic as `event`. It opens with
 * `connected`, and with `reset` when `cursor` is not one of this node's: then it goes on live. The reader's pace is the pace.
 */
export function sseBody(
  log: StreamLog,
  filter: Filter,
  cursor: string | undefined,
): ReadableStream<Uint8Array> {
  const stopped = new AbortController();
  const encoder = new TextEncoder();
  const resumed = cursor === undefined ? log.lastPosition() : log.resume(cursor);
  let position = resumed ?? log.lastPosition();

  return new ReadableStream(
    {
      start(controller) {
        const opening = [event('connected', { last: log.lastCursor() })];
        if (resumed === undefined) {
          const detail = 'the cursor is not of this node: what came before is in GET /indicators';
          opening.push(event('reset', { detail, last: log.lastCursor() }));
        }
        controller.enqueue(encoder.encode(opening.join('')));
      },
      async pull(controller) {
        const step = await log.next(position, filter, heartbeatEveryMs, stopped.signal);
        if (stopped.signal.aborted) return;
        if (log.stopped) {
          controller.close();
          return;
        }
        position = step.position;
        const text = step.messages.map(
          ({ cursor: id, topic, json }) => `id: ${id}\nevent: ${topic}\ndata: ${json}\n\n`,
        );
        // Silence, or nothing that matched: a comment says that we are here.
        controller.enqueue(encoder.encode(text.length === 0 ? ': alive\n\n' : text.join('')));
      },
      cancel() {
        stopped.abort();
      },
    },
    { highWaterMark: 1 },
  );
}

function event(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
