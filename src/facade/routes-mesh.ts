import { randomUUID } from 'node:crypto';
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { Vector } from '../event/types.ts';
import { problemAnswers } from './answers.ts';
import type { Env } from './env.ts';
import { eventStreamHeaders } from './event-stream-headers.ts';
import { meshEventsBody } from './mesh-events.ts';
import { digestSchema, meshEventSchema, nodeSchema, peerSchema, pingSchema } from './mesh-rows.ts';
import { type FacadeParts, progressOf } from './parts.ts';
import { Problem } from './problem.ts';
import { requireScope } from './scopes.ts';

/** Each reader costs a queue; a fleet's console and some people at terminals are few. */
const readersMax = 32;

const security = [{ token: [] }];
/** None: a parameter that nobody reads is a mistake to be told. */
const request = { query: z.strictObject({}) };

const meshRoute = createRoute({
  method: 'get',
  path: '/mesh',
  summary: 'This node: who it is, where it listens, what it holds',
  security,
  request,
  responses: {
    200: { description: 'This node', content: json(nodeSchema) },
    ...problemAnswers(400, 401, 403),
  },
});
const peersRoute = createRoute({
  method: 'get',
  path: '/mesh/peers',
  summary: 'The nodes that this one is connected to',
  security,
  request,
  responses: {
    200: { description: 'Peers', content: json(z.array(peerSchema)) },
    ...problemAnswers(400, 401, 403),
  },
});
const digestRoute = createRoute({
  method: 'get',
  path: '/mesh/digest',
  summary: 'SHA-256 of all records, and the vector: equal on nodes that agree',
  security,
  request,
  responses: {
    200: { description: 'The digest', content: json(digestSchema) },
    ...problemAnswers(400, 401, 403),
  },
});
const eventsRoute = createRoute({
  method: 'get',
  path: '/mesh/events',
  summary: 'Who enters, exits, joins and leaves, as Server-Sent Events',
  description:
    'Begins with the peers that are here, as if they had just entered. `event` is the kind; there are no ids: a reader that ' +
    'comes back is told who is here. A reader that is too slow is told `inbox-full` in place of notices; who enters and exits ' +
    `is not dropped. Of readers there are ${readersMax} at most.`,
  security,
  request,
  responses: {
    200: {
      description: 'Events; the schema is that of `data`',
      content: { 'text/event-stream': { schema: meshEventSchema } },
    },
    ...problemAnswers(400, 401, 403, 503),
  },
});
const pingRoute = createRoute({
  method: 'get',
  path: '/ping',
  summary: 'Whether the token is good',
  security,
  request,
  responses: { 200: { description: 'It is', content: json(pingSchema) }, ...problemAnswers(400, 401) },
});

export function addMeshRoutes(app: OpenAPIHono<Env>, parts: FacadeParts): void {
  const { mesh, store, clock, onError } = parts;
  let readers = 0;
  for (const path of ['/mesh', '/mesh/*'] as const) {
    app.use(path, async (context, next) => {
      requireScope(context.get('principal'), 'read');
      await next();
    });
  }
  app.openapi(meshRoute, (context) => {
    const { ready, reason, peers, missing, clockOffsetMs, snapshot } = mesh.readiness();
    return context.json(
      {
        ...mesh.self(),
        ready,
        reason,
        peers,
        missing,
        ...progressOf(snapshot),
        // Undefined while no peer has told its time.
        clock_offset_ms: clockOffsetMs ?? null,
        records: store.count(),
        log_bytes: store.logBytes(),
        vector: vectorView(store.vector()),
      },
      200,
    );
  });
  app.openapi(peersRoute, (context) =>
    context.json(
      mesh.peers().map((peer) => ({ ...peer })),
      200,
    ),
  );
  app.openapi(digestRoute, async (context) => {
    const { sha256, records, vector } = await store.digest();
    return context.json({ sha256, records, vector: vectorView(vector) }, 200);
  });
  app.openapi(eventsRoute, (context) => {
    if (readers >= readersMax) {
      throw new Problem(
        503,
        `${readers} readers follow the mesh already; come back when one has gone`,
        {},
        { 'retry-after': '30' },
      );
    }
    const body = meshEventsBody({
      events: (signal) => mesh.events(signal),
      clock,
      stopping: context.env?.stopping,
      opened: () => readers++,
      closed: () => readers--,
      failed: (error) => onError(error, randomUUID()),
    });
    return new Response(body, { headers: eventStreamHeaders });
  });
  app.openapi(pingRoute, (context) => {
    return context.json(
      { time: new Date(clock.wallMs()).toISOString(), name: context.get('principal').name },
      200,
    );
  });
}

function json<Schema extends z.ZodType>(schema: Schema) {
  return { 'application/json': { schema } };
}

function vectorView(vector: Vector): z.infer<typeof nodeSchema>['vector'] {
  return Object.fromEntries(
    [...vector]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([origin, { upTo, above }]) => [
        origin,
        { up_to: upTo, above: above.map(({ from, to }): [number, number] => [from, to]) },
      ]),
  );
}
