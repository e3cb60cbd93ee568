import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Received = {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
};

/** Answers one request; `n` counts them from 1. */
export type Answer = (response: ServerResponse, received: Received, n: number) => void;

export const answering =
  (status: number, headers: Record<string, string> = {}): Answer =>
  (response) =>
    void response.writeHead(status, headers).end('seen');

/** A receiver of webhooks: a real HTTP server that keeps what came. */
export async function startReceiver(answer: Answer, port = 0, host = '127.0.0.1') {
  const received: Received[] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  let current = answer;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      const one = { method, path, headers, body: Buffer.concat(chunks).toString() };
      received.push(one);
      current(response, one, received.length);
      for (const { count, resolve } of waiting) if (received.length >= count) resolve();
    });
  });
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  const bound = server.address() as AddressInfo;
  return {
    port: bound.port,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound.port}/hook`,
    received,
    /** From now on. */
    answer(next: Answer) {
      current = next;
    },
    /** Resolves once so many requests have come in all. */
    async count(count: number, deadlineMs = 10_000): Promise<void> {
      if (received.length >= count) return;
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([
        new Promise<void>((resolve) => waiting.push({ count, resolve })),
        new Promise((_, reject) => {
          timer = setTimeout(
            () => reject(new Error(`${received.length} of ${count} requests within ${deadlineMs} ms`)),
            deadlineMs,
          );
        }),
      ]);
      clearTimeout(timer);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
