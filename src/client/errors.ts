/**
 * What went wrong, closed: `usage` the call itself; `unreachable` no connection, nothing was sent; `broken-off` the node
 * stopped before or in the middle of its answer; `silent` it said nothing for too long; `busy` it cannot now (503, 429);
 * `not-allowed` the token (401, 403); `not-found` 404; `refused` what was asked for is wrong (other 4xx, redirects);
 * `failed` a fault of the node (5xx); `strange` an answer that no node gives; `aborted` the signal.
 */
export type ClientErrorCode =
  | 'usage'
  | 'unreachable'
  | 'broken-off'
  | 'silent'
  | 'busy'
  | 'not-allowed'
  | 'not-found'
  | 'refused'
  | 'failed'
  | 'strange'
  | 'aborted';

/** The problem document of a node (RFC 9457), as it came. */
export type NodeProblem = Readonly<Record<string, unknown>>;

export type ClientErrorFacts = {
  /** The node's URL. */
  readonly node?: string;
  readonly status?: number;
  readonly problem?: NodeProblem;
  /** Asked for by Retry-After. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
};

/** Every error of this client. The message is for a person, and says what to do. */
export class ClientError extends Error {
  readonly code: ClientErrorCode;
  readonly node: string | undefined;
  readonly status: number | undefined;
  readonly problem: NodeProblem | undefined;
  readonly retryAfterMs: number | undefined;
  constructor(code: ClientErrorCode, message: string, facts: ClientErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = 'ClientError';
    this.code = code;
    this.node = facts.node;
    this.status = facts.status;
    this.problem = facts.problem;
    this.retryAfterMs = facts.retryAfterMs;
  }
}

/** Whether another node, or the same one later, may well give an answer. */
export function mayPass(error: unknown): error is ClientError {
  if (!(error instanceof ClientError)) return false;
  return ['unreachable', 'broken-off', 'silent', 'busy', 'failed', 'strange'].includes(error.code);
}

/** Whether the node has not even begun with it: asking another one does nothing twice. */
export function wasNotTaken(error: unknown): error is ClientError {
  return error instanceof ClientError && (error.code === 'unreachable' || error.code === 'busy');
}

/** `url` is the node's, and `what` goes on with it: `... answered without records`. */
export function strangeAnswer(url: string, what: string, cause?: unknown): ClientError {
  return new ClientError('strange', `${url} ${what}: is it the address of a Tocsin node of this release?`, {
    node: url,
    cause,
  });
}

export function aborted(cause?: unknown): ClientError {
  return new ClientError('aborted', 'The signal aborted this.', { cause });
}
