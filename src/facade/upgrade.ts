import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import { webSocketLimits } from '../stream/web-socket.ts';
import { Problem, problemResponse } from './problem.ts';

/** The one path that a connection can become a WebSocket at. */
export const webSocketPath = '/stream/ws';

/** What is done with a connection once it is a WebSocket; `raw` lies under it. */
export type ServeWebSocket = (socket: WebSocket, raw: Duplex) => void;

/** By it a route takes the WebSocket that a request asks for; without it the request asks for none. */
export type OfferedWebSocket = { accept(serve: ServeWebSocket): void };

/** `closeTimeout` is newer than the types. */
const webSocketOptions: ServerOptions & { readonly closeTimeout: number } = {
  noServer: true,
  clientTracking: false,
  maxPayload: webSocketLimits.messageBytesMax,
  closeTimeout: webSocketLimits.closeMs,
};

/**
 * Answers requests to become a WebSocket: the app decides, as about every request, and what it refuses it refuses in HTTP.
 * What asks for anything else, or elsewhere, is a request like any other, as RFC 9110, section 7.8, has it: some clients ask
 * for HTTP/2 each time.
 */
export function handleUpgrades(
  server: Server,
  decide: (request: Request, offered: OfferedWebSocket) => Response | Promise<Response>,
): void {
  const webSockets = new WebSocketServer(webSocketOptions);
  webSockets.on('wsClientError', (error, socket) => {
    const problem = new Problem(400, `this is no request for a WebSocket: ${error.message}`);
    refuse(socket, problemResponse(problem, webSocketPath)).catch(() => socket.destroy());
  });

  async function upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    let serve: ServeWebSocket | undefined;
    const response = await decide(requestOf(incoming), {
      accept(wanted) {
        serve = wanted;
      },
    });
    const accepted = serve;
    if (accepted === undefined) await refuse(socket, response);
    else webSockets.handleUpgrade(incoming, socket, head, (webSocket) => accepted(webSocket, socket));
  }

  server.on('upgrade', (incoming, socket, head) => {
    if (!isForWebSocket(incoming)) {
      serveWithoutUpgrade(server, incoming, socket, head);
      return;
    }
    socket.on('error', () => socket.destroy());
    upgrade(incoming, socket, head).catch(() => socket.destroy());
  });
}

function isForWebSocket({ method, url = '', headers }: IncomingMessage): boolean {
  const path = url.split('?', 1)[0]?.replace(/\/$/, '');
  return (
    method === 'GET' &&
    path === webSocketPath &&
    /(?:^|[\s,])websocket(?:$|[\s,])/i.test(headers.upgrade ?? '')
  );
}

function requestOf({ url = '/', headers }: IncomingMessage): Request {
  const entries = Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
  );
  return new Request(new URL(url, 'http://node.invalid'), { headers: entries });
}

/** The connection is read anew, from the head on, which says no more that something else is wished for. */
function serveWithoutUpgrade(server: Server, incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
  const { method, url, httpVersion, rawHeaders } = incoming;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (/^(?:connection|upgrade|http2-settings)$/i.test(rawHeaders[i] ?? '')) continue;
    lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  server.emit('connection', socket);
}

/** An answer written by hand, as there is no more HTTP on the connection. */
async function refuse(socket: Duplex, response: Response): Promise<void> {
  const body = Buffer.from(await response.arrayBuffer());
  const headers = [...response.headers]
    .filter(([name]) => name !== 'connection' && name !== 'content-length')
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
  socket.end(
    `HTTP/1.1 ${response.status} ${STATUS_CODES[response.status] ?? ''}\r\n${headers}` +
      `content-length: ${body.length}\r\nconnection: close\r\n\r\n${body.toString()}`,
  );
}
