import { type Closable, closable } from './closable.ts';
import { type ClientError, strangeAnswer } from './errors.ts';
import { type Choice, type Filters, queryOf } from './filters.ts';
import { type Following, follow, type StreamState } from './follow.ts';
import type { ClientParts } from './http.ts';
import { type EventMessage, readMessage, type StreamMessage } from './messages.ts';
import type { ClientNode } from './nodes.ts';
import { createSeen, type SeenMessage } from './seen.ts';
import type { SseEvent } from './sse.ts';
import { countOf, type JsonObject, parseObject, textOf } from './values.ts';

export type StreamOptions = Filters & {
  /** `indicator`, `sighting`, `retract`, `expire`, `search`; all unless stated. */
  readonly kind?: Choice | undefined;
  /** An address, network, domain or pattern to watch. */
  readonly q?: string | undefined;
  /** Go on after this message; without it the stream is what comes from now on. */
  readonly cursor?: string | undefined;
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal | undefined;
  /** Told whenever the connection changes. */
  readonly onState?: ((state: StreamState) => void) | undefined;
};

/** Messages as they come. It never ends by itself; leaving the loop closes the connection. */
export type Stream = Closable<StreamMessage> & {
  /** Where to go on after the message that was handed out last; it moves also while nothing matches. */
  readonly cursor: string | undefined;
};

/** The stream of `createClient(...).stream`. */
export function openStream(parts: ClientParts, options: StreamOptions): Stream {
  const { cursor: from, signal: until, onState, ...filters } = options;
  const see = createSeen();
  // An empty one is none: so a shell has it before the first message.
  let cursor = from || undefined;

  /** Undefined is nothing to tell: a heartbeat, or what was told already. */
  function read(event: SseEvent, { url }: ClientNode): StreamMessage | undefined {
    if (event.data === undefined) {
      cursor = event.id ?? cursor;
      return undefined;
    }
    switch (event.event) {
      case 'connected':
        // Only of a stream from now on: of another the node may still say `reset`.
        cursor ??= event.id ?? textOf(control(event.data, url)['last']);
        return undefined;
      case 'gap': {
        const { cursor: to, missed } = control(event.data, url);
        cursor = textOf(to) ?? event.id ?? cursor;
        if (countOf(missed) === 0) return undefined;
        return reset(url, `this reader was too slow: ${countOf(missed)} changes can no longer be had`);
      }
      case 'reset': {
        const { cursor: to, detail } = control(event.data, url);
        cursor = textOf(to) ?? event.id ?? cursor;
        return reset(url, textOf(detail) ?? 'the node cannot go on after this cursor');
      }
      default: {
        const message = readMessage(event.data);
        const timeMs = Date.parse(message?.time ?? '');
        if (message === undefined || Number.isNaN(timeMs)) throw noMessage(url);
        cursor = event.id ?? message.cursor;
        const sighted = see({ ...message, timeMs, record: recordOf(message) } satisfies SeenMessage);
        if (sighted === 'seen') return undefined;
        return sighted === 'new' ? message : { ...message, repeated: true };
      }
    }
  }

  function reset(url: string, detail: string): StreamMessage {
    if (cursor === undefined) throw noMessage(url);
    return { kind: 'reset', cursor, detail };
  }

  const stream = closable<StreamMessage>((signal) => {
    const following: Following<StreamMessage> = {
      path: '/stream',
      query: queryOf(filters),
      after: () => cursor,
      read,
      onState,
      signal,
    };
    return follow(parts, following);
  }, until);
  return {
    ...stream,
    get cursor() {
      return cursor;
    },
  };
}

function recordOf({ kind, data }: EventMessage): string | undefined {
  return kind === 'search' || kind === 'other' ? undefined : data.id;
}

function control(data: string, url: string): JsonObject {
  const object = parseObject(data);
  if (object === undefined) throw noMessage(url);
  return object;
}

function noMessage(url: string): ClientError {
  return strangeAnswer(url, 'sent what is no message of a stream');
}
