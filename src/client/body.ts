import type { Clock } from '../clock.ts';
import { aborted, ClientError, strangeAnswer } from './errors.ts';
import { clientLimits } from './limits.ts';
import type { ClientNode } from './nodes.ts';
import { type JsonObject, objectOf } from './values.ts';

export type ReadParts = {
  readonly node: ClientNode;
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
  /** A minute unless stated. */
  readonly silentAfterMs?: number;
  /** 256 MiB unless stated. */
  readonly bytesMax?: number;
};

/**
 * The bytes of a body as they come. Leaving it closes the connection. Rejects with ClientError: `aborted`, `silent` when nothing
 * comes for too long, `broken-off`.
 */
export async function* chunksOf(response: Response, parts: ReadParts): AsyncGenerator<Uint8Array> {
  const { node, clock, signal, silentAfterMs = clientLimits.bodySilentAfterMs } = parts;
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  let ending: ClientError | undefined;
  function end(error: ClientError): void {
    ending ??= error;
    void reader?.cancel().catch(() => undefined);
  }
  const abort = (): void => end(aborted(signal?.reason));
  const fallSilent = (): void =>
    end(
      new ClientError('silent', `${node.url} was silent for ${silentAfterMs / 1_000} s.`, { node: node.url }),
    );
  signal?.addEventListener('abort', abort);
  if (signal?.aborted) abort();
  try {
    for (;;) {
      const timer = clock.after(silentAfterMs, fallSilent);
      const { done, value } = await reader
        .read()
        .catch((cause: unknown) => {
          throw ending ?? brokenOff(node, cause);
        })
        .finally(() => timer.stop());
      if (ending !== undefined) throw ending;
      if (done) return;
      yield value;
    }
  } finally {
    signal?.removeEventListener('abort', abort);
    await reader.cancel().catch(() => undefined);
  }
}

function brokenOff(node: ClientNode, error: unknown): ClientError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ClientError(
    'broken-off',
    `${node.url} stopped in the middle of its answer (${why}). Is it still running?`,
    {
      node: node.url,
      cause: error,
    },
  );
}

/** All of a body as text. Rejects with ClientError, `strange` when it is larger than is taken. */
export async function readText(response: Response, parts: ReadParts): Promise<string> {
  const { node, bytesMax = clientLimits.answerBytesMax } = parts;
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of chunksOf(response, parts)) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw strangeAnswer(node.url, `answered with more than ${bytesMax} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** A body that is JSON. Rejects with ClientError. */
export async function readJson(response: Response, parts: ReadParts): Promise<unknown> {
  const text = await readText(response, parts);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw strangeAnswer(parts.node.url, 'answered without JSON', cause);
  }
}

/** A body that is an object of JSON. Rejects with ClientError. */
export async function readObject(response: Response, parts: ReadParts): Promise<JsonObject> {
  const object = objectOf(await readJson(response, parts));
  if (object === undefined) throw strangeAnswer(parts.node.url, 'answered with another thing than an object');
  return object;
}

/** The lines of a body, each without its end. Rejects with ClientError. */
export async function* linesOf(response: Response, parts: ReadParts): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunksOf(response, parts)) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > clientLimits.lineCharactersMax)
      throw strangeAnswer(parts.node.url, 'sent a line without an end');
    yield* lines;
  }
  rest += decoder.decode();
  if (rest !== '') yield rest;
}
