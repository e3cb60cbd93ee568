import { sseEvents } from '../../support/sse-reader.ts';
import type { Follow, StreamEvent } from './follow.ts';

export const followSse: Follow = async ({ url, headers, cursor, hear, placed, signal }) => {
  const response = await fetch(`${url}/stream`, {
    headers: { ...headers, ...(cursor !== undefined && { 'last-event-id': cursor }) },
    signal,
  });
  for await (const { event, id = '', data } of sseEvents(response)) {
    if (event === 'connected') placed(cursor ?? id);
    else if (event === 'reset' || event === 'gap')
      hear({ id: '', type: `tocsin.stream.${event}`, cursor: id, data });
    else hear(data as StreamEvent);
  }
};
