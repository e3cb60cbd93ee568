import { setImmediate as eventLoopTurn } from 'node:timers/promises';
import { type Coding, coded, codings } from './coding.ts';
import { negotiateCoding } from './negotiation.ts';

/** Small chunks cost four times the CPU of large ones. */
const rowsPerChunk = 500;

/** An answer but for its coding. */
export type Rendered = {
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Made while they are taken. */
  readonly bytes: Iterable<Uint8Array>;
};

/** The coding that a request asks for. Throws Problem 406. */
export function codingFor(request: Request): Coding | 'identity' {
  return negotiateCoding(request.headers.get('accept-encoding') ?? undefined, codings);
}

/** An answer whose bytes are made as the client takes them, so that a large one neither blocks the node nor fills its memory. */
export function respond({ contentType, headers, bytes }: Rendered, coding: Coding | 'identity'): Response {
  const body = streamOf(coding === 'identity' ? bytes : coded(bytes, coding));
  return new Response(body, {
    headers: {
      'content-type': contentType,
      vary: 'accept, accept-encoding',
      ...(coding !== 'identity' && { 'content-encoding': coding }),
      ...headers,
    },
  });
}

/** Rows in chunks of text. */
export function* rendered<T>(
  rows: readonly T[],
  line: (row: T, i: number) => string,
  before = '',
  after = '',
): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  for (let at = 0; at === 0 || at < rows.length; at += rowsPerChunk) {
    const lines = rows.slice(at, at + rowsPerChunk).map((row, i) => line(row, at + i));
    if (at === 0) lines.unshift(before);
    if (at + rowsPerChunk >= rows.length) lines.push(after);
    yield encoder.encode(lines.join(''));
  }
}

/** Nothing is made before it is asked for: an answer to HEAD is never read. */
function streamOf(bytes: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = Symbol.asyncIterator in bytes ? bytes[Symbol.asyncIterator]() : bytes[Symbol.iterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        // A socket that takes all at once would have all of it made in one go.
        await eventLoopTurn();
        const { done, value } = await iterator.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}
