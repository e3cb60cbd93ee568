import { type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import type { Clock } from '../clock.ts';
import { type Allowed, literalHost, parseTarget, usableAddresses } from './guard.ts';
import { postLimits as limits } from './limits.ts';

/** What became of one request. */
export type Posted =
  /** The receiver said something. `text` is the beginning of it. */
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly retryAfter: string | undefined;
      readonly text: string;
    }
  /** It was not made, or not made again after a redirect: it led to where webhooks do not go. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** There was no answer. */
  | { readonly kind: 'failed'; readonly reason: string };

export type Posting = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Ends the request; it has then failed. */
  readonly signal?: AbortSignal;
};

/** All addresses of a host name; rejects when it has none. */
export type Resolve = (name: string) => Promise<readonly string[]>;

export interface Poster {
  post(posting: Posting): Promise<Posted>;
  /** Why nothing would be sent to a URL now: what it is, or where its host is. Undefined when it would. */
  refusal(url: string): Promise<string | undefined>;
}

export type PosterParts = {
  readonly allowed: Allowed;
  readonly resolve: Resolve;
  readonly clock: Clock;
};

/** A hop ends in an answer, or leads to the next one. */
type Hop = Posted | { readonly kind: 'moved'; readonly to: URL };

/**
 * Sends POST requests to public addresses only. Each hop's URL is read, its host resolved, each address checked, and the
 * connection made to an address that was checked: what DNS says a moment later changes nothing. Redirects are followed by
 * hand, as POST, for 307 and 308 (RFC 9110, section 15.4), and never from https to http.
 */
export function createPoster({ allowed, resolve, clock }: PosterParts): Poster {
  async function post({ url, headers, body, signal }: Posting): Promise<Posted> {
    const stop = new AbortController();
    const end = (): void => stop.abort();
    const timer = clock.after(limits.timeoutMs, end);
    signal?.addEventListener('abort', end);
    if (signal?.aborted) end();
    try {
      const posted = await follow(url, { headers, body, signal: stop.signal });
      if (posted.kind !== 'failed' || !stop.signal.aborted) return posted;
      const seconds = limits.timeoutMs / 1_000;
      return { kind: 'failed', reason: signal?.aborted ? 'stopped' : `no answer within ${seconds} s` };
    } finally {
      timer.stop();
      signal?.removeEventListener('abort', end);
      // What is left of the exchange, such as a body that does not end.
      stop.abort();
    }
  }

  async function follow(url: string, what: Sending): Promise<Posted> {
    let at = parseTarget(url);
    for (let hops = 0; ; hops++) {
      if (!at.ok) return { kind: 'refused', reason: at.reason };
      if (hops > limits.redirectsMax)
        return { kind: 'failed', reason: `more than ${limits.redirectsMax} redirects` };
      const hop = await hopTo(at.value, what);
      if (hop.kind !== 'moved') return hop;
      if (at.value.protocol === 'https:' && hop.to.protocol !== 'https:')
        return { kind: 'refused', reason: `a redirect leads from https to ${hop.to.origin}` };
      at = parseTarget(hop.to.href);
    }
  }

  async function hopTo(url: URL, what: Sending): Promise<Hop> {
    const addresses = await addressesOf(url, what.signal);
    if (!addresses.ok) return { kind: addresses.code, reason: addresses.reason };
    return send(url, addresses.value, what);
  }

  type Addresses =
    | { readonly ok: true; readonly value: readonly string[] }
    | { readonly ok: false; readonly code: 'refused' | 'failed'; readonly reason: string };

  async function addressesOf(url: URL, signal?: AbortSignal): Promise<Addresses> {
    const literal = literalHost(url);
    let found: readonly string[];
    try {
      found = literal === undefined ? await unlessEnded(resolve(url.hostname), signal) : [literal];
    } catch (error) {
      return { ok: false, code: 'failed', reason: `${url.hostname} does not resolve (${messageOf(error)})` };
    }
    const usable = usableAddresses(url, found, allowed);
    if (!usable.ok) return { ok: false, code: 'refused', reason: usable.reason };
    return { ok: true, value: usable.value.slice(0, limits.addressesMax) };
  }

  return {
    post,
    async refusal(text) {
      const url = parseTarget(text);
      if (!url.ok) return url.reason;
      const addresses = await addressesOf(url.value);
      return addresses.ok ? undefined : addresses.reason;
    },
  };
}

type Sending = {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
};

function send(url: URL, addresses: readonly string[], { headers, body, signal }: Sending): Promise<Hop> {
  return new Promise((done) => {
    const fail = (error: unknown): void => done({ kind: 'failed', reason: messageOf(error) });
    const options: RequestOptions = {
      method: 'POST',
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
      // No socket of an earlier request, and none that somebody else's setting made.
      agent: false,
      signal,
      lookup: (_, { all }, answer) => {
        const pinned = addresses.map((address) => ({ address, family: isIP(address) }));
        const [first] = pinned;
        if (all === true) answer(null, pinned);
        else answer(null, first?.address ?? '', first?.family);
      },
    };
    const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, options, (response) => {
      // From here on the status is what counts; ending the request then is a fault of the body only.
      request.off('error', fail).on('error', () => undefined);
      readAnswer(response, url).then(done, fail);
    });
    request.on('error', fail);
    request.end(body);
  });
}

async function readAnswer(response: IncomingMessage, url: URL): Promise<Hop> {
  const status = response.statusCode ?? 0;
  const { location } = response.headers;
  if ([301, 302, 303, 307, 308].includes(status) && location !== undefined) {
    response.destroy();
    if (status !== 307 && status !== 308)
      return {
        kind: 'failed',
        reason: `it answers ${status}, which would make a GET of a POST; 307 and 308 are followed`,
      };
    return URL.canParse(location, url.href)
      ? { kind: 'moved', to: new URL(location, url) }
      : { kind: 'failed', reason: `it answers ${status} with no URL in Location` };
  }
  return {
    kind: 'answered',
    status,
    retryAfter: response.headers['retry-after'],
    text: await beginningOf(response),
  };
}

/** The status has come by now: a body that breaks off or never ends changes nothing of it. */
async function beginningOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response) {
      chunks.push(chunk as Buffer);
      bytes += (chunk as Buffer).length;
      if (bytes > limits.answerBytesMax) break;
    }
  } catch {}
  return Buffer.concat(chunks).toString('utf8').slice(0, limits.answerCharactersMax);
}

/** A resolver cannot be told to stop; it is left behind. */
function unlessEnded<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return new Promise((done, fail) => {
    const end = (): void => fail(new Error('stopped'));
    signal?.addEventListener('abort', end);
    if (signal?.aborted) end();
    work.then(done, fail).finally(() => signal?.removeEventListener('abort', end));
  });
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return messageOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}
