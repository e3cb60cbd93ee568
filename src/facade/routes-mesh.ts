import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { Vector } from '../event/types.ts';
import { problemAnswers } from './answers.ts';
import type { Env } from './env.ts';
import { type FacadeParts, progressOf } from './parts.ts';
import { requireScope } from './scopes.ts';

const content = { 'application/json': { schema: z.looseObject({}) } };
const security = [{ token: [] }];
/** None: a parameter that nobody reads is a mistake to be told. */
const request = { query: z.strictObject({}) };

const meshRoute = createRoute({
  method: 'get',
  path: '/mesh',
  summary: 'This node: who it is, where it listens, what it holds',
  security,
  request,
  responses: { 200: { description: 'This node', content }, ...problemAnswers(400, 401, 403) },
});
const peersRoute = createRoute({
  method: 'get',
  path: '/mesh/peers',
  summary: 'The nodes that this one is connected to',
  security,
  request,
  responses: {
    200: { description: 'Peers', content: { 'application/json': { schema: z.array(z.unknown()) } } },
    ...problemAnswers(400, 401, 403),
  },
});
const digestRoute = createRoute({
  method: 'get',
  path: '/mesh/digest',
  summary: 'SHA-256 of all records, and the vector: equal on nodes that agree',
  security,
  request,
  responses: { 200: { description: 'The digest', content }, ...problemAnswers(400, 401, 403) },
});
const pingRoute = createRoute({
  method: 'get',
  path: '/ping',
  summary: 'Whether the token is good',
  security,
  request,
  responses: { 200: { description: 'It is', content }, ...problemAnswers(400, 401) },
});

export function addMeshRoutes(app: OpenAPIHono<Env>, { mesh, store, clock }: FacadeParts): void {
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
  app.openapi(pingRoute, (context) => {
    return context.json(
      { time: new Date(clock.wallMs()).toISOString(), name: context.get('principal').name },
      200,
    );
  });
}

function vectorView(vector: Vector): Record<string, unknown> {
  return Object.fromEntries(
    [...vector]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([origin, { upTo, above }]) => [
        origin,
        { up_to: upTo, above: above.map(({ from, to }) => [from, to]) },
      ]),
  );
}
