import { clientLimits } from './limits.ts';

/**
 * One block of Server-Sent Events. Without `data` it is no event, and its `id` all the same is where to go on: by it a node
 * tells a subscriber whose filter matches little how far the stream is.
 */
export type SseEvent = {
  readonly id: string | undefined;
  /** Empty when the block names none. */
  readonly event: string;
  readonly data: string | undefined;
};

export type SseParser = {
  /** The blocks that end in this piece of text; undefined once one is longer than is taken. */
  feed(text: string): readonly SseEvent[] | undefined;
};

/** Server-Sent Events (WHATWG HTML, section 9.2.6) out of pieces of text. A block without its end is no event. */
export function sseParser(): SseParser {
  let rest = '';
  let id: string | undefined;
  let event = '';
  let data: string | undefined;

  function line(text: string, events: SseEvent[]): void {
    if (text === '') {
      if (data !== undefined || id !== undefined) events.push({ id, event, data });
      id = undefined;
      event = '';
      data = undefined;
      return;
    }
    const colon = text.indexOf(':');
    // A line that begins with a colon is a comment.
    if (colon === 0) return;
    const field = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? '' : text.slice(text.charAt(colon + 1) === ' ' ? colon + 2 : colon + 1);
    if (field === 'data') data = data === undefined ? value : `${data}\n${value}`;
    else if (field === 'event') event = value;
    else if (field === 'id' && !value.includes('\0')) id = value;
  }

  return {
    feed(text) {
      const events: SseEvent[] = [];
      // A CR at the end may be the first half of CRLF, which is one line end.
      const all = rest + text;
      const isHalf = all.endsWith('\r');
      const lines = (isHalf ? all.slice(0, -1) : all).split(/\r\n|\n|\r/);
      rest = (lines.pop() ?? '') + (isHalf ? '\r' : '');
      for (const each of lines) line(each, events);
      return rest.length + (data?.length ?? 0) > clientLimits.lineCharactersMax ? undefined : events;
    },
  };
}
