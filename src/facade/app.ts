import { randomUUID } from 'node:crypto';
import { OpenAPIHono } from '@hono/zod-openapi';
import type { HonoRequest } from 'hono';
import { authenticate, type Principal } from '../access/tokens.ts';
import { addDocs } from './docs.ts';
import type { Env } from './env.ts';
import type { FacadeParts } from './parts.ts';
import { Problem, problemResponse } from './problem.ts';
import { addFaqRoutes } from './routes-faq.ts';
import { addHealthRoutes } from './routes-health.ts';
import { addIndicatorRoutes } from './routes-indicators.ts';
import { addMeshRoutes } from './routes-mesh.ts';
import { addMetricsRoute } from './routes-metrics.ts';
import { addRecordRoutes } from './routes-record.ts';
import { addSearchRoute } from './routes-search.ts';
import { addSearchesRoute } from './routes-searches.ts';
import { addSightingsRoute } from './routes-sightings.ts';
import { addStreamRoutes } from './routes-stream.ts';
import { addSubmitRoute } from './routes-submit.ts';
import { addWebhookRoutes } from './routes-webhooks.ts';
import { parameterProblem } from './validation.ts';
import { withoutWords } from './without-words.ts';

/** What answers without a token. */
const openPaths = /^\/(?:health\/(?:live|ready)|docs(?:\/.*)?|(?:openapi|asyncapi)\.json)$/;

/** What a ticket opens. */
const streamPaths = /^\/stream(?:\/(?:ws|ndjson))?\/?$/;

/** The HTTP interface over what it is handed; it has no socket, so a test can ask it directly. */
export function createApp(parts: FacadeParts): OpenAPIHono<Env> {
  const app = new OpenAPIHono<Env>({
    // CIF's clients end their paths with a slash.
    strict: false,
    defaultHook(result) {
      if (!result.success) throw parameterProblem(result.error);
    },
  });

  app.onError((error, context) => {
    if (error instanceof Problem) return problemResponse(error, context.req.path);
    const requestId = randomUUID();
    parts.onError(context.req.query('nolog') === '1' ? withoutWords(error) : error, requestId);
    return problemResponse(
      new Problem(500, `something went wrong here; the log has it under ${requestId}`, {
        request_id: requestId,
      }),
      context.req.path,
    );
  });
  app.notFound((context) =>
    problemResponse(
      new Problem(404, `there is no ${context.req.method} ${context.req.path}; /docs lists what there is`),
      context.req.path,
    ),
  );

  app.use(async (context, next) => {
    await next();
    context.res.headers.set('x-content-type-options', 'nosniff');
  });
  app.use(async (context, next) => {
    if (openPaths.test(context.req.path)) return next();
    const principal = principalOf(context.req);
    if (principal === undefined) {
      throw new Problem(
        401,
        'send `Authorization: Bearer <token>`: the admin token was printed at the first start, and TOCSIN_TOKENS sets others',
        {},
        { 'www-authenticate': 'Bearer' },
      );
    }
    context.set('principal', principal);
    return next();
  });

  /** By the token; where a stream is read, by a ticket when no token is sent. */
  function principalOf(request: HonoRequest): Principal | undefined {
    const header = request.header('authorization');
    const ticket = request.query('ticket');
    if (header !== undefined || ticket === undefined || !streamPaths.test(request.path))
      return authenticate(parts.access, header);
    const principal = parts.tickets.redeem(ticket);
    if (principal !== undefined) return principal;
    throw new Problem(
      401,
      'this ticket was used, is older than a minute, or is of another node: POST /stream/ticket with a token gives one',
      {},
      { 'www-authenticate': 'Bearer' },
    );
  }

  addHealthRoutes(app, parts);
  addIndicatorRoutes(app, parts);
  addRecordRoutes(app, parts);
  addFaqRoutes(app, parts);
  addSubmitRoute(app, parts);
  addSightingsRoute(app, parts);
  addSearchRoute(app, parts);
  addSearchesRoute(app, parts);
  addStreamRoutes(app, parts);
  addWebhookRoutes(app, parts);
  addMeshRoutes(app, parts);
  addMetricsRoute(app, parts);
  addDocs(app, parts);
  refuseOtherMethods(app);
  return app;
}

/** RFC 9110, section 15.5.6: a path that exists answers 405 to a method that it does not have, and says which it has. */
function refuseOtherMethods(app: OpenAPIHono<Env>): void {
  const methods = new Map<string, Set<string>>();
  for (const { method, path } of app.routes) {
    if (method === 'ALL') continue;
    const known = methods.get(path) ?? new Set();
    methods.set(path, known.add(method));
    if (method === 'GET') known.add('HEAD');
  }
  for (const [path, known] of methods) {
    const allow = [...known].join(', ');
    app.all(path, ({ req }) => {
      throw new Problem(405, `${req.path} has no ${req.method}; allowed are ${allow}`, {}, { allow });
    });
  }
}
