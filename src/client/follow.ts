import { united } from './any-node.ts';
import { chunksOf } from './body.ts';
import { sleep } from './clock.ts';
import { ClientError, mayPass, strangeAnswer } from './errors.ts';
import { ask, type ClientParts } from './http.ts';
import { clientLimits } from './limits.ts';
import { type ClientNode, takeTurns } from './nodes.ts';
import { type SseEvent, sseParser } from './sse.ts';

/**
 * What becomes of a stream's connection. `after` is the cursor after which it goes on; without one it is from now on.
 * `connected` comes once, `reconnected` at the same node and `moved` at another.
 */
export type StreamState =
  | { readonly kind: 'connected'; readonly node: string; readonly after: string | undefined }
  | { readonly kind: 'reconnected'; readonly node: string; readonly after: string | undefined }
  | {
      readonly kind: 'moved';
      readonly from: string;
      readonly node: string;
      readonly after: string | undefined;
    }
  /** It is connected anew in `waitMs`. */
  | {
      readonly kind: 'lost';
      readonly node: string;
      readonly reason: string;
      readonly after: string | undefined;
      readonly waitMs: number;
    }
  /** A node does not take it; the next one is asked. */
  | { readonly kind: 'failed'; readonly node: string; readonly reason: string }
  /** None of the nodes takes it; they are asked again in `waitMs`. */
  | { readonly kind: 'waiting'; readonly waitMs: number };

export type Following<T> = {
  readonly path: string;
  readonly query: URLSearchParams;
  /** Where to go on from now. */
  after(): string | undefined;
  /** What an event of a node is to the reader; undefined is nothing. Throws ClientError when it is none of a stream. */
  read(event: SseEvent, node: ClientNode): T | undefined;
  readonly onState: ((state: StreamState) => void) | undefined;
  /** Ends it without an error. */
  readonly signal: AbortSignal;
};

/**
 * The events of a stream for ever, over one connection after the other: after a loss the same node is asked first, then the
 * others; a node that fell silent or sent what is no stream is asked last. Throws ClientError when no node takes the first
 * connection, or when all refuse a later one.
 */
export async function* follow<T>(parts: ClientParts, following: Following<T>): AsyncGenerator<T, void> {
  const { signal, onState } = following;
  /** Waits since the last steady connection. */
  let waits = 0;
  let last: ClientNode | undefined;
  // Of its own: questions that go elsewhere meanwhile do not move it.
  const turn = takeTurns(parts.turn.order());
  for (;;) {
    const connection = await connect({ ...parts, turn }, following, last === undefined, wait);
    if (connection === undefined) return;
    const { node, response } = connection;
    const steady = parts.clock.after(clientLimits.steadyAfterMs, () => {
      waits = 0;
    });
    onState?.(stateOf(node, last, following.after()));
    last = node;
    let reason = 'it closed the stream';
    try {
      yield* itemsOf(parts, following, node, response);
    } catch (error) {
      if (!mayPass(error)) {
        if (signal.aborted) return;
        throw error;
      }
      reason = error.message;
      if (error.code === 'silent' || error.code === 'strange') turn.passOver(node);
    } finally {
      steady.stop();
    }
    if (signal.aborted) return;
    const waitMs = nextWaitMs();
    onState?.({ kind: 'lost', node: node.url, reason, after: following.after(), waitMs });
    await sleep(parts.clock, waitMs, signal);
  }

  async function wait(leastMs: number): Promise<void> {
    const waitMs = Math.max(nextWaitMs(), leastMs);
    onState?.({ kind: 'waiting', waitMs });
    await sleep(parts.clock, waitMs, signal);
  }

  function nextWaitMs(): number {
    const cap = Math.min(clientLimits.backoffMsFirst * 2 ** waits, clientLimits.backoffMsMax);
    waits++;
    return Math.round(parts.random() * cap);
  }
}

function stateOf(node: ClientNode, last: ClientNode | undefined, after: string | undefined): StreamState {
  if (last === undefined) return { kind: 'connected', node: node.url, after };
  if (last === node) return { kind: 'reconnected', node: node.url, after };
  return { kind: 'moved', from: last.url, node: node.url, after };
}

/** Asks round after round until a node takes it; undefined when the signal aborts first. */
async function connect<T>(
  parts: ClientParts,
  following: Following<T>,
  isFirst: boolean,
  wait: (leastMs: number) => Promise<void>,
): Promise<{ readonly node: ClientNode; readonly response: Response } | undefined> {
  const { signal, onState } = following;
  for (;;) {
    const failures: ClientError[] = [];
    let refusals = 0;
    for (const node of parts.turn.order()) {
      if (signal.aborted) return undefined;
      try {
        const response = await open(parts, following, node);
        parts.turn.prefer(node);
        return { node, response };
      } catch (error) {
        if (signal.aborted) return undefined;
        if (!(error instanceof ClientError)) throw error;
        // Of several nodes one may be another's by now, or not know the token yet.
        if (!mayPass(error) && !mayRenew(error, node)) refusals++;
        failures.push(error);
        onState?.({ kind: 'failed', node: node.url, reason: error.message });
      }
    }
    if (isFirst || refusals === failures.length) throw united(failures);
    // Of a busy fleet the one that is back first counts.
    const asked = failures.flatMap(({ retryAfterMs }) => retryAfterMs ?? []);
    await wait(asked.length === failures.length ? Math.min(...asked) : 0);
    if (signal.aborted) return undefined;
  }
}

/** A node that restarts may know another token by now, which is written down a moment later. */
function mayRenew({ status }: ClientError, { token }: ClientNode): boolean {
  return status === 401 && typeof token === 'function';
}

async function open<T>(parts: ClientParts, following: Following<T>, node: ClientNode): Promise<Response> {
  const { path, query, signal } = following;
  const cursor = following.after();
  const response = await ask(parts, node, path, {
    query,
    headers: { accept: 'text/event-stream', ...(cursor !== undefined && { 'last-event-id': cursor }) },
    withinMs: clientLimits.streamOpensWithinMs,
    signal,
  });
  if (response.headers.get('content-type')?.startsWith('text/event-stream')) return response;
  await response.body?.cancel();
  throw strangeAnswer(node.url, `has no stream at ${path}`);
}

async function* itemsOf<T>(
  { clock }: ClientParts,
  { read, signal }: Following<T>,
  node: ClientNode,
  response: Response,
): AsyncGenerator<T, void> {
  const parser = sseParser();
  const decoder = new TextDecoder();
  const silentAfterMs = clientLimits.streamSilentAfterMs;
  for await (const chunk of chunksOf(response, { node, clock, signal, silentAfterMs })) {
    const events = parser.feed(decoder.decode(chunk, { stream: true }));
    if (events === undefined) throw strangeAnswer(node.url, 'sent an event without an end');
    for (const event of events) {
      if (signal.aborted) return;
      const item = read(event, node);
      if (item !== undefined) yield item;
    }
  }
}
