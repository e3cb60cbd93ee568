import { randomUUID } from 'node:crypto';
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { Principal } from '../access/tokens.ts';
import { rfc3339 } from '../indicator/times.ts';
import { ndjsonBody } from '../stream/ndjson.ts';
import { pollStream } from '../stream/poll.ts';
import { sseBody } from '../stream/sse.ts';
import { serveWebSocket } from '../stream/web-socket.ts';
import { problemAnswers } from './answers.ts';
import type { Env } from './env.ts';
import { eventStreamHeaders } from './event-stream-headers.ts';
import { flag, limitParameter, wholeNumber } from './parameters.ts';
import type { FacadeParts } from './parts.ts';
import { Problem } from './problem.ts';
import { requireScope } from './scopes.ts';
import { readingRequest, streamParameters } from './stream-parameters.ts';
import { webSocketPath } from './upgrade.ts';
import { readParameters } from './validation.ts';

const pollDefaults = { waitS: 25, limit: 1_000 } as const;
/** Under the time after which a silent connection is ended. */
const waitSMax = 50;
const linesMax = 10_000;
/** What a reader that finds no place waits, seconds. */
const retryAfterS = 30;

const security = [{ token: [] }];
const notices =
  'The stream speaks of itself as well: `connected` first, with the first and the last cursor that are held; `reset` when the ' +
  'cursor leads no further, with the path of a snapshot, and then goes on live; `gap` when changes can no longer be had, with ' +
  'the cursor to come back with, which is the end. docs/streaming.md has all of it.';

const sseRoute = createRoute({
  method: 'get',
  path: '/stream',
  summary: 'What happens, as it happens, as Server-Sent Events',
  description:
    'Each event is a CloudEvents 1.0 object; its id is the cursor, its name the kind. `Last-Event-ID` or `cursor` go on after ' +
    `it, on this node exactly, on another one at least once. ${notices}`,
  security,
  request: { query: z.strictObject(streamParameters) },
  responses: {
    200: { description: 'The stream', content: { 'text/event-stream': { schema: z.string() } } },
    ...problemAnswers(400, 401, 403, 503),
  },
});
const pollParameters = z.strictObject({
  ...streamParameters,
  wait: wholeNumber(0, waitSMax, `Seconds; default ${pollDefaults.waitS}`, '25').optional(),
  limit: limitParameter(linesMax, `Lines at most; default ${pollDefaults.limit}`),
  follow: flag('`1`: without end'),
});
const ndjsonRoute = createRoute({
  method: 'get',
  path: '/stream/ndjson',
  summary: 'The same as lines of JSON: a long poll, or for ever',
  description:
    'Answers as soon as there is something behind `cursor`, or after `wait` seconds with no line; `Tocsin-Cursor` says where to ' +
    `go on. With \`follow=1\` it goes on for ever, and says \`alive\` every 15 s. ${notices} A poll has neither \`connected\` nor \`alive\`.`,
  security,
  request: {
    query: pollParameters,
  },
  responses: {
    200: {
      description: 'CloudEvents, one a line',
      content: { 'application/x-ndjson': { schema: z.string() } },
    },
    ...problemAnswers(400, 401, 403, 503),
  },
});
const webSocketRoute = createRoute({
  method: 'get',
  path: webSocketPath,
  summary: 'The same as a WebSocket, one JSON text frame each',
  description:
    'The token goes in the Authorization header, or a ticket in `ticket`. No message of the client is needed. It is pinged ' +
    `every 15 s; who does not answer two pings is gone. At a stop the node closes with 1001. ${notices}`,
  security,
  request: { query: z.strictObject(streamParameters) },
  responses: {
    101: { description: 'Frames of CloudEvents' },
    ...problemAnswers(400, 401, 403, 426, 503),
  },
});
const ticketRoute = createRoute({
  method: 'post',
  path: '/stream/ticket',
  summary: 'A ticket for a stream, for clients that cannot send a header',
  description:
    "A browser's EventSource and WebSocket cannot. The ticket is good once, for a minute, on this node, as `?ticket=` of " +
    '`/stream`, `/stream/ws` and `/stream/ndjson`.',
  security,
  request: { query: z.strictObject({}) },
  responses: {
    201: {
      description: 'The ticket',
      content: {
        'application/json': { schema: z.object({ ticket: z.string(), expires: z.iso.datetime() }) },
      },
    },
    ...problemAnswers(400, 401, 403, 503),
  },
});

export function addStreamRoutes(app: OpenAPIHono<Env>, parts: FacadeParts): void {
  const { streamLog: log, readers, clock, tickets, onError } = parts;
  const bodyParts = { log, readers, clock, failed: (error: unknown) => onError(error, randomUUID()) };

  function admit(principal: Principal): void {
    requireScope(principal, 'stream');
    if (!readers.isFull()) return;
    throw notNow('this node has as many readers as it takes: go to another one, or come back');
  }

  app.openapi(sseRoute, (context) => {
    admit(context.get('principal'));
    const values = context.req.valid('query');
    const request = readingRequest(values, context.req.raw, context.env?.stopping);
    return new Response(sseBody(bodyParts, request), { headers: eventStreamHeaders });
  });

  app.openAPIRegistry.registerPath(ndjsonRoute);
  app.get(ndjsonRoute.path, async (context) => {
    admit(context.get('principal'));
    const values = readParameters(pollParameters, context.req.queries());
    const { wait = pollDefaults.waitS, limit = pollDefaults.limit, follow, ...rest } = values;
    const request = readingRequest(rest, context.req.raw, context.env?.stopping);
    const headers = {
      'content-type': 'application/x-ndjson',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    };
    if (follow === '1') return new Response(ndjsonBody(bodyParts, request), { headers });
    const polled = pollStream(bodyParts, {
      ...request,
      waitMs: wait * 1_000,
      linesMax: limit,
      gone: context.req.raw.signal,
    });
    const { lines, cursor } = await polled;
    return new Response(lines, { headers: { ...headers, 'tocsin-cursor': cursor } });
  });

  app.openapi(webSocketRoute, (context) => {
    const { webSocket, stopping } = context.env ?? {};
    admit(context.get('principal'));
    const request = readingRequest(context.req.valid('query'), context.req.raw, stopping);
    if (webSocket === undefined) {
      const detail =
        'this path is a WebSocket: connect to it with ws:// or wss://; /stream is the same as Server-Sent Events';
      throw new Problem(426, detail, {}, { upgrade: 'websocket', connection: 'upgrade' });
    }
    webSocket.accept((socket, raw) => serveWebSocket(socket, raw, bodyParts, request));
    // Not sent: what follows on the connection is the WebSocket's.
    return new Response(null);
  });

  app.openapi(ticketRoute, (context) => {
    const principal = context.get('principal');
    requireScope(principal, 'stream');
    const issued = tickets.issue(principal);
    if (issued === undefined) throw notNow('too many tickets wait to be used');
    const { ticket, expiresMs } = issued;
    return context.json({ ticket, expires: rfc3339(expiresMs) }, 201, { 'cache-control': 'no-store' });
  });
}

function notNow(detail: string): Problem {
  return new Problem(503, detail, {}, { 'retry-after': String(retryAfterS) });
}
