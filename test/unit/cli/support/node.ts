import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';

export type Seen = {
  readonly method: string;
  readonly path: string;
  readonly query: Record<string, string>;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
};

export type Answer = (seen: Seen, response: ServerResponse) => void;

export type TestNode = AsyncDisposable & { readonly url: string; readonly seen: Seen[] };

/** A real HTTP server that answers as the test says, and remembers what it was asked. */
export async function testNode(answer: Answer): Promise<TestNode> {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://node.test');
    const one = {
      method: request.method ?? '',
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: request.headers,
      body: await text(request),
    };
    seen.push(one);
    answer(one, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export function json(response: ServerResponse, status: number, body: unknown): void {
  const problem = status >= 400 ? 'application/problem+json' : 'application/json';
  response.writeHead(status, { 'content-type': problem }).end(JSON.stringify(body));
}

/** The rows of a submitted body. */
export function rowsOf(seen: Seen): readonly Record<string, unknown>[] {
  return seen.body
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** Answers a submission as a node does: whatever contains `bad` is refused, all else is new. */
export const takesRows: Answer = (seen, response) => {
  const refused = rowsOf(seen).flatMap(({ indicator }, index) =>
    typeof indicator === 'string' && indicator.includes('bad')
      ? [{ row: index + 1, code: 'not-an-indicator', reason: `${indicator} is no indicator` }]
      : [],
  );
  const accepted = rowsOf(seen).length - refused.length;
  const outcome = {
    accepted,
    created: accepted,
    updated: 0,
    refused,
    ack: { wanted: 'local', reached: 'local' },
  };
  if (accepted === 0) json(response, 422, { title: 'Nothing accepted', status: 422, refused });
  else json(response, 201, { ...outcome, events: { first: 'aa-1', last: `aa-${accepted}` } });
};
