import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';

/** An app as a server sees it. */
type Fetch = (request: Request) => Response | Promise<Response>;

export type HttpServer = { readonly url: string; stop(): Promise<void> };

/** The port was taken; the next one may be free. */
export class AddressInUse extends Error {}

const headersTimeoutMs = 10_000;
/** A body of the largest size over a slow line. */
const requestTimeoutMs = 120_000;

/** Serves the app. Rejects with AddressInUse, or with what the system says. */
export async function startServer(fetch: Fetch, host: string, port: number): Promise<HttpServer> {
  const server = createServer(
    { headersTimeout: headersTimeoutMs, requestTimeout: requestTimeoutMs },
    getRequestListener(fetch),
  );
  await listen(server, host, port);
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  let stopped = false;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    async stop() {
      if (stopped) return;
      stopped = true;
      const closed = once(server, 'close');
      server.close();
      // Streams never end by themselves.
      server.closeAllConnections();
      await closed;
    },
  };
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EADDRINUSE') {
      throw new AddressInUse(`port ${port} of ${host} is taken`, { cause });
    }
    throw cause;
  }
}
