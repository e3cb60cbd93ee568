import type { Clock } from '../clock.ts';
import { linesOf } from './lines.ts';
import { pulledBody } from './pulled-body.ts';
import { createReading, type ReadingRequest } from './reading.ts';
import type { BodyParts } from './sse.ts';

/** The stream as lines of JSON, for ever: the notices of the stream are lines as well. */
export function ndjsonBody(
  parts: BodyParts & { readonly clock: Clock },
  request: ReadingRequest,
): ReadableStream<Uint8Array> {
  const reading = createReading(parts, 'ndjson', request);
  return pulledBody({
    async next() {
      let text = '';
      for (const part of await reading.next())
        for (const line of linesOf(part, parts.log.nodeId, parts.clock)) text += `${line}\n`;
      return text;
    },
    ended: reading.stop,
    failed: parts.failed,
  });
}
