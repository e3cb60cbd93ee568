import { CliError, exitCodes } from './exit.ts';
import { type ConnectionOptions, findNode } from './find-node.ts';
import type { Io } from './io.ts';
import { printable } from './printable.ts';

export type NodeRequest = {
  readonly method?: 'GET' | 'POST';
  readonly query?: URLSearchParams;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
};

/** HTTP to one node. */
export type NodeClient = {
  readonly url: string;
  /** The answer, whatever its status. Throws a CliError when there is none, an AbortError when the signal aborts. */
  send(path: string, request?: NodeRequest): Promise<Response>;
};

export async function connect(options: ConnectionOptions, io: Io): Promise<NodeClient> {
  const { url, token } = await findNode(options, io);
  return {
    url,
    async send(path, request = {}) {
      const query = request.query?.toString() ?? '';
      try {
        return await fetch(`${url}${path}${query === '' ? '' : `?${query}`}`, {
          method: request.method ?? 'GET',
          headers: {
            ...request.headers,
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          },
          // A POST that is redirected becomes a GET and loses its rows; the person should name the right URL.
          redirect: 'manual',
          ...(request.body === undefined ? {} : { body: request.body }),
          ...(request.signal === undefined ? {} : { signal: request.signal }),
        });
      } catch (error) {
        if (request.signal?.aborted) throw error;
        throw noAnswer(url, error);
      }
    },
  };
}

function noAnswer(url: string, error: unknown): CliError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
  return new CliError(
    exitCodes.unreachable,
    `No node answers at ${url} (${code}). Start one with \`tocsin start\`, or name another with --url.`,
    { cause: error },
  );
}

/** An answer that broke off in its middle, which fetch tells as a TypeError with a cause; undefined for other faults. */
export function lostConnection(error: unknown): CliError | undefined {
  if (!(error instanceof TypeError) || !(error.cause instanceof Error)) return undefined;
  return new CliError(
    exitCodes.unreachable,
    `The node stopped in the middle of its answer (${error.cause.message}). \`tocsin status\` says whether it runs.`,
    { cause: error },
  );
}

/** The answer, when the node said yes. Throws a CliError with the node's own explanation otherwise. */
export async function expectOk(response: Response): Promise<Response> {
  if (response.ok) return response;
  throw await refusalOf(response);
}

/** A request whose answer is JSON. The caller checks the parts that it uses. */
export async function getJson(client: NodeClient, path: string, query?: URLSearchParams): Promise<unknown> {
  const headers = { accept: 'application/json' };
  const response = await expectOk(
    await client.send(path, query === undefined ? { headers } : { headers, query }),
  );
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    throw strangeAnswer(client.url, path);
  }
}

export function strangeAnswer(url: string, path: string): CliError {
  return new CliError(
    exitCodes.failed,
    `${url}${path} answered in a way that this version of tocsin does not know. Does --url name a Tocsin node?`,
  );
}

/** Turns a refusal (RFC 9457 problem, or any other body) into the end of the command. */
export async function refusalOf(response: Response): Promise<CliError> {
  const { status } = response;
  const location = response.headers.get('location');
  if (location !== null) {
    return new CliError(exitCodes.usage, `The node is elsewhere: use --url with ${printable(location)}.`);
  }
  const words = problemWords(await response.text().catch(() => ''));
  const message = words ?? `The node answered ${status} ${printable(response.statusText)}`.trimEnd();
  if (status === 401) {
    return new CliError(exitCodes.notAllowed, `${message}\nGive a token with --token or TOCSIN_TOKEN.`);
  }
  if (status === 403) return new CliError(exitCodes.notAllowed, message);
  if (status === 503) return new CliError(exitCodes.unreachable, message);
  const blame = status >= 400 && status < 500 && status !== 404 ? exitCodes.usage : exitCodes.failed;
  return new CliError(blame, message);
}

function problemWords(body: string): string | undefined {
  let problem: unknown;
  try {
    problem = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (typeof problem !== 'object' || problem === null) return undefined;
  const { title, detail, errors } = problem as Record<string, unknown>;
  const lines = [detail ?? title].filter((text) => typeof text === 'string').map(printable);
  for (const error of Array.isArray(errors) ? errors : []) {
    if (typeof error?.parameter !== 'string' || typeof error.detail !== 'string') continue;
    // A problem with one wrong parameter explains it in its detail already.
    if (!lines.some((line) => line.includes(printable(error.detail)))) {
      lines.push(`  ${printable(error.parameter)}: ${printable(error.detail)}`);
    }
  }
  return lines.length === 0 ? undefined : lines.join('\n');
}
