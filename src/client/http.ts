import type { Clock } from '../clock.ts';
import { readText } from './body.ts';
import { aborted, ClientError } from './errors.ts';
import { clientLimits } from './limits.ts';
import type { ClientNode, Turn } from './nodes.ts';
import { retryAfterMs } from './retry-after.ts';
import { objectOf, parseObject, textOf } from './values.ts';

/** What all calls of one client share. */
export type ClientParts = {
  readonly turn: Turn;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly random: () => number;
};

export type NodeRequest = {
  readonly method?: 'GET' | 'POST' | 'DELETE' | undefined;
  readonly query?: URLSearchParams | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | undefined;
  /** Of the answer's begin: 30 s unless stated. */
  readonly withinMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** A path at one node, for people. */
export function addressOf(node: ClientNode, path: string, query?: URLSearchParams): string {
  const text = query?.toString() ?? '';
  return `${node.url}${path}${text === '' ? '' : `?${text}`}`;
}

/** One request to one node; the answer is a 2xx. Rejects with ClientError, which has the node's own explanation. */
export async function ask(
  { fetch, clock }: ClientParts,
  node: ClientNode,
  path: string,
  request: NodeRequest = {},
): Promise<Response> {
  const { method = 'GET', query, headers, body, signal, withinMs = clientLimits.answerWithinMs } = request;
  if (signal?.aborted) throw aborted(signal.reason);
  const token = typeof node.token === 'function' ? await node.token() : node.token;
  const stop = new AbortController();
  const stopNow = (): void => stop.abort();
  signal?.addEventListener('abort', stopNow);
  let isLate = false;
  const timer = clock.after(withinMs, () => {
    isLate = true;
    stop.abort();
  });
  let response: Response;
  try {
    response = await fetch(addressOf(node, path, query), {
      method,
      headers: { ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) },
      // A POST that is redirected becomes a GET and loses its rows; the person should name the right URL.
      redirect: 'manual',
      signal: stop.signal,
      ...(body !== undefined && { body }),
    });
  } catch (cause) {
    if (signal?.aborted) throw aborted(cause);
    if (isLate) {
      const seconds = withinMs / 1_000;
      throw new ClientError(
        'silent',
        `${node.url} took the request and said nothing for ${seconds} s. Is it overloaded?`,
        {
          node: node.url,
          cause,
        },
      );
    }
    throw noAnswer(node, cause);
  } finally {
    timer.stop();
    signal?.removeEventListener('abort', stopNow);
  }
  if (response.ok) return response;
  throw await refusalOf(response, node, clock, signal);
}

/** Codes of undici and of the system for connections that never were: nothing can have been sent. */
const neverSent: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

function noAnswer(node: ClientNode, error: unknown): ClientError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
  const facts = { node: node.url, cause: error };
  if (code !== undefined && neverSent.has(code)) {
    return new ClientError(
      'unreachable',
      `No node answers at ${node.url} (${code}). Is it running, and is this its address?`,
      facts,
    );
  }
  const why = code ?? (cause instanceof Error ? cause.message : String(cause));
  return new ClientError(
    'broken-off',
    `${node.url} broke off before it answered (${why}). Is it still running?`,
    facts,
  );
}

/** A refusal (RFC 9457 problem, or any other body) as an error. */
async function refusalOf(
  response: Response,
  node: ClientNode,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<ClientError> {
  const { status } = response;
  const location = response.headers.get('location');
  const bytesMax = clientLimits.problemBytesMax;
  const text = await readText(response, { node, clock, signal, bytesMax }).catch(() => '');
  const problem = parseObject(text);
  const facts = { node: node.url, status, ...(problem && { problem }) };
  // A browser hides where a redirect goes, and even that it was one.
  if (location !== null || response.type === 'opaqueredirect') {
    const to = location === null ? 'the address that it redirects to' : location;
    return new ClientError('refused', `The node is elsewhere: use ${to} in place of ${node.url}.`, facts);
  }
  const message =
    explained(problem) ?? `${node.url} answered ${`${status} ${response.statusText}`.trimEnd()}.`;
  if (status === 503 || status === 429) {
    const waitMs = retryAfterMs(response.headers.get('retry-after'), clock.wallMs());
    return new ClientError('busy', message, { ...facts, retryAfterMs: waitMs });
  }
  if (status === 401 || status === 403) return new ClientError('not-allowed', message, facts);
  if (status === 404) return new ClientError('not-found', message, facts);
  return new ClientError(status >= 500 ? 'failed' : 'refused', message, facts);
}

/** The words of a problem: its detail, and a line for each parameter that the detail does not explain. */
function explained(problem: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const words = textOf(problem?.['detail']) ?? textOf(problem?.['title']);
  const lines = words === undefined ? [] : [words];
  const errors = problem?.['errors'];
  for (const error of Array.isArray(errors) ? errors : []) {
    const { parameter, detail } = objectOf(error) ?? {};
    if (typeof parameter !== 'string' || typeof detail !== 'string') continue;
    if (!lines.some((line) => line.includes(detail))) lines.push(`  ${parameter}: ${detail}`);
  }
  return lines.length === 0 ? undefined : lines.join('\n');
}
