/** One parameter, field or row that is wrong, and what is allowed. */
export type ProblemDetail = { readonly parameter: string; readonly detail: string };

/** An error for a person: RFC 9457. The status says what kind it is, the detail what to do. */
export class Problem extends Error {
  readonly status: number;
  readonly title: string;
  readonly members: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  constructor(
    status: number,
    detail: string,
    members: Readonly<Record<string, unknown>> = {},
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail);
    this.name = 'Problem';
    this.status = status;
    this.title = titles[status] ?? 'Error';
    this.members = members;
    this.headers = headers;
  }
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'No valid token',
  403: 'Not allowed',
  404: 'Not found',
  405: 'Method not allowed',
  406: 'Not acceptable',
  408: 'Too slow',
  409: 'Conflict',
  413: 'Too large',
  415: 'Unsupported media type',
  422: 'Nothing accepted',
  426: 'Upgrade required',
  431: 'Headers too large',
  500: 'Internal error',
  503: 'Not now',
};

/** Its body. Without `instance` when the request could not be read as far as its path. */
export function problemText({ status, title, message, members }: Problem, instance?: string): string {
  return JSON.stringify({ type: 'about:blank', title, status, detail: message, instance, ...members });
}

export function problemResponse(problem: Problem, instance?: string): Response {
  const { status, headers } = problem;
  return new Response(problemText(problem, instance), {
    status,
    headers: { 'content-type': 'application/problem+json', ...headers },
  });
}
