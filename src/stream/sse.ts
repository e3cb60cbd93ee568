import { pulledBody } from './pulled-body.ts';
import { createReading, type Part, type ReadingParts, type ReadingRequest } from './reading.ts';

export type BodyParts = ReadingParts & {
  /** Told of a fault of ours; the stream ends, and the client comes back with its cursor. */
  readonly failed: (error: unknown) => void;
};

/**
 * The stream as Server-Sent Events (WHATWG HTML, section 9.2): the cursor as `id`, the topic as `event`. Every event has an id
 * to come back with. The reader's pace is the pace, and a body that is not read holds nothing.
 */
export function sseBody(parts: BodyParts, request: ReadingRequest): ReadableStream<Uint8Array> {
  const reading = createReading(parts, 'sse', request);
  return pulledBody({
    next: async () => (await reading.next()).map(textOf).join(''),
    ended: reading.stop,
    failed: parts.failed,
  });
}

function textOf(part: Part): string {
  switch (part.kind) {
    case 'messages': {
      let text = '';
      for (const { cursor, topic, json } of part.messages)
        text += `id: ${cursor}\nevent: ${topic}\ndata: ${json}\n\n`;
      return text;
    }
    case 'alive':
      // The id fires no event; by it a client whose filter matches little comes back near the end all the same.
      return `: alive\nid: ${part.cursor}\n\n`;
    case 'connected':
    case 'reset':
    case 'gap':
      return `id: ${part.cursor}\nevent: ${part.kind}\ndata: ${JSON.stringify(part.data)}\n\n`;
    default:
      return part satisfies never;
  }
}
