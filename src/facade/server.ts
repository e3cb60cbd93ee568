import { once, setMaxListeners } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import type { Clock } from '../clock.ts';
import { Problem, problemResponse, problemText } from './problem.ts';
import { handleUpgrades, type OfferedWebSocket } from './upgrade.ts';

/**
 * What an app is told beside the request; `stopping` aborts when streams are to end. Who asks for a WebSocket has no answer to
 * write to.
 */
export type ServerBindings = Partial<HttpBindings> & {
  readonly stopping: AbortSignal;
  readonly webSocket?: OfferedWebSocket;
};

/** An app as a server sees it. */
type Fetch = (request: Request, bindings: ServerBindings) => Response | Promise<Response>;

export type HttpServer = { readonly url: string; stop(): Promise<void> };

/** The port was taken; the next one may be free. */
export class AddressInUse extends Error {
  readonly code = 'ADDRESS_IN_USE';
}

export const serverLimits = {
  headersMsMax: 10_000,
  /** A body of the largest size over a slow line. */
  requestMsMax: 120_000,
  /** How often Node looks for requests that took longer than the two above; its default is 30 s. */
  slowCheckEveryMs: 5_000,
  /** A client that takes nothing of what there is for it is let go. Above the heartbeat. */
  idleMsMax: 60_000,
  connectionsMax: 10_000,
  /** What requests under way are given when the server stops. */
  stopMsMax: 5_000,
} as const;

type ServerLimits = { readonly [Name in keyof typeof serverLimits]: number };

/** Serves the app. Rejects with AddressInUse, or with what the system says. */
export async function startServer(
  fetch: Fetch,
  host: string,
  port: number,
  clock: Clock,
  limits: ServerLimits = serverLimits,
): Promise<HttpServer> {
  const stopping = new AbortController();
  // Each open stream listens: there is no number that is too many.
  setMaxListeners(0, stopping.signal);
  const server = createServer(
    {
      headersTimeout: limits.headersMsMax,
      requestTimeout: limits.requestMsMax,
      connectionsCheckingInterval: limits.slowCheckEveryMs,
    },
    getRequestListener(
      (request, bindings) => fetch(request, { ...(bindings as HttpBindings), stopping: stopping.signal }),
      { errorHandler: (error) => problemResponse(unreadable(error)) },
    ),
  );
  handleUpgrades(server, (request, webSocket) => fetch(request, { webSocket, stopping: stopping.signal }));
  server.setTimeout(limits.idleMsMax, (socket) => {
    // Who waits for a long answer takes nothing either, as there is nothing to take.
    if (socket.writableLength > 0) socket.destroy();
  });
  server.maxConnections = limits.connectionsMax;
  /** By connection, the answer that was begun last. */
  const answers = new WeakMap<Duplex, ServerResponse>();
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const answer = answers.get(socket);
    if (answer?.headersSent !== true || answer.writableEnded) refuseBytes(error, socket);
    // A request that is answered while it is still read may take as long as it likes: Node asks once for each. Whatever else
    // is wrong with it, its answer has begun, and another one would end up in the middle of that.
    else if (error.code !== 'ERR_HTTP_REQUEST_TIMEOUT') socket.destroy();
  });
  server.on('request', (incoming, outgoing) => {
    answers.set(incoming.socket, outgoing);
    outgoing.once('close', () => {
      // A connection whose last answer ended while we stop would idle until its client lets go.
      if (stopping.signal.aborted) server.closeIdleConnections();
    });
  });
  await listen(server, host, port);
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;

  async function stopAll(): Promise<void> {
    const closed = once(server, 'close');
    server.close();
    stopping.abort();
    server.closeIdleConnections();
    const timer = clock.after(limits.stopMsMax, () => server.closeAllConnections());
    await closed;
    timer.stop();
  }

  let stopped: Promise<void> | undefined;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    stop() {
      stopped ??= stopAll();
      return stopped;
    },
  };
}

/** A request whose head could not be made a Request: its Host or its path is none. */
function unreadable(error: unknown): Problem {
  return new Problem(
    400,
    `the request cannot be read: ${error instanceof Error ? error.message : 'it is no HTTP'}`,
  );
}

/** Bytes that Node's parser gave up on; there is no request to answer, so the answer is written by hand. */
function refuseBytes(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const problem = problemOfBytes(error.code);
  const body = problemText(problem);
  socket.end(
    `HTTP/1.1 ${problem.status} ${problem.title}\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

function problemOfBytes(code: string | undefined): Problem {
  if (code === 'HPE_HEADER_OVERFLOW')
    return new Problem(
      431,
      'the headers, with the path and its parameters, are larger than 16 KiB; POST /indicators/search takes long and many ' +
        'values in its body',
    );
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new Problem(408, 'the request did not arrive in time');
  return new Problem(400, 'this is no HTTP request');
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EADDRINUSE') {
      throw new AddressInUse(
        `port ${port} of ${host} is taken: stop what uses it, or name another with --http-port`,
        { cause },
      );
    }
    throw cause;
  }
}
