import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { Env } from './env.ts';
import { type FacadeParts, progressOf } from './parts.ts';

const content = { 'application/json': { schema: z.record(z.string(), z.unknown()) } };

const liveRoute = createRoute({
  method: 'get',
  path: '/health/live',
  summary: 'Whether the process runs',
  responses: { 200: { description: 'It does', content } },
});
const readyRoute = createRoute({
  method: 'get',
  path: '/health/ready',
  summary: 'Whether this node has caught up with the mesh',
  responses: { 200: { description: 'It has', content }, 503: { description: 'Not yet', content } },
});

/** Health is for load balancers, which have no token. */
export function addHealthRoutes(app: OpenAPIHono<Env>, { mesh }: FacadeParts): void {
  app.openapi(liveRoute, (context) => context.json({ live: true }, 200));
  app.openapi(readyRoute, (context) => {
    const { ready, reason, missing, snapshot } = mesh.readiness();
    return ready
      ? context.json({ ready, reason }, 200)
      : context.json({ ready, reason, missing, ...progressOf(snapshot) }, 503);
  });
}
