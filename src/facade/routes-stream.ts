import { randomUUID } from 'node:crypto';
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { sseBody } from '../stream/sse.ts';
import { problemAnswers } from './answers.ts';
import type { Env } from './env.ts';
import { eventStreamHeaders } from './event-stream-headers.ts';
import { filterFrom, filterParameters } from './parameters.ts';
import type { FacadeParts } from './parts.ts';
import { requireScope } from './scopes.ts';

const route = createRoute({
  method: 'get',
  path: '/stream',
  summary: 'Indicators as they arrive, as Server-Sent Events',
  description:
    'Each event `indicator` is a CloudEvents 1.0 object; its id is the cursor. Last-Event-ID or `cursor` resume after it ' +
    'on the same node; on another node the stream says `reset` and goes on live. It opens with `connected`; `gap` tells what ' +
    'can no longer be had, with the cursor to come back with, and ends it.',
  security: [{ token: [] }],
  request: {
    query: z.strictObject({
      ...filterParameters,
      cursor: z.string().max(100).optional().openapi({ description: 'Resume after this cursor' }),
    }),
  },
  responses: {
    200: { description: 'The stream', content: { 'text/event-stream': { schema: z.string() } } },
    ...problemAnswers(400, 401, 403),
  },
});

export function addStreamRoutes(
  app: OpenAPIHono<Env>,
  { streamLog, readers, clock, onError }: FacadeParts,
): void {
  app.openapi(route, (context) => {
    requireScope(context.get('principal'), 'stream');
    const values = context.req.valid('query');
    const cursor = context.req.header('last-event-id') ?? values.cursor;
    const body = sseBody(
      { log: streamLog, readers, failed: (error) => onError(error, randomUUID()) },
      {
        filter: { filter: filterFrom(values, 'reported', clock.wallMs()) },
        cursor,
        snapshot: '/indicators?nofeed=1',
        signal: context.env?.stopping,
      },
    );
    return new Response(body, { headers: eventStreamHeaders });
  });
}
