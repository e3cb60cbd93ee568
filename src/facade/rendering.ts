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
  const body = coding === 'identity' ? plainBody(bytes) : streamOf(coded(bytes, coding));
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

/** What is one chunk is sent as it is: a stream of one costs several turns and writes, which is most of a small answer. */
function plainBody(bytes: Iterable<Uint8Array>): Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> {
  const iterator = bytes[Symbol.iterator]();
  const first = iterator.next();
  const second = first.done ? first : iterator.next();
  if (second.done) return new Uint8Array(first.done ? [] : first.value);
  return streamOf(chained([first.value, second.value], iterator));
}

function* chained(
  taken: readonly Uint8Array[],
  rest: Iterator<Uint8Array>,
): Generator<Uint8Array, void, undefined> {
  yield* taken;
  for (let next = rest.next(); !next.done; next = rest.next()) yield next.value;
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
