import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { parseJson } from '../intake/json-rows.ts';
import type { Granted } from '../webhook/desk.ts';
import { webhookLimits } from '../webhook/limits.ts';
import { problemAnswers } from './answers.ts';
import { readBody } from './body.ts';
import type { Env } from './env.ts';
import { limitParameter } from './parameters.ts';
import type { FacadeParts } from './parts.ts';
import { Problem } from './problem.ts';
import { taken } from './saying.ts';
import { requireScope } from './scopes.ts';
import {
  deadRow,
  deadSchema,
  testRow,
  testSchema,
  webhookRow,
  webhookSchema,
  wishSchema,
} from './webhook-rows.ts';

const security = [{ token: [] }];
const query = z.strictObject({});
const params = z.strictObject({
  id: z.string().max(100).openapi({ example: 'wh_0123456789abcdef01234567' }),
});
const of = { params, query };
const wish = { body: { content: { 'application/json': { schema: wishSchema } } } };
const secret = z.string().openapi({ description: '`whsec_...`, told here and never again' });
const deadDefault = 100;
/** Ids of all dead letters that are kept, digests among them. */
const replayBytesMax = 256 * 1024;
const replaySchema = z.strictObject({ ids: z.array(z.string()).max(webhookLimits.deadMax).optional() });

const listRoute = createRoute({
  method: 'get',
  path: '/webhooks',
  summary: 'All webhooks, and how they do',
  security,
  request: { query },
  responses: {
    200: { description: 'Webhooks, by id', content: json(z.array(webhookSchema)) },
    ...problemAnswers(400, 401, 403),
  },
});
const createWebhookRoute = createRoute({
  method: 'post',
  path: '/webhooks',
  summary: 'Have what the stream says posted to a URL',
  description:
    'Takes `name` and `url`; `kinds` (default: `search` only), `filter`, `format` and `enabled` as they stand in the answer. The URL ' +
    'must lead to a public address, unless the setting `webhook_allow` names its host. One node of the mesh delivers, at least once, what ' +
    'is made from now on; see docs/webhooks.md.',
  security,
  request: { query, ...wish },
  responses: {
    201: { description: 'The webhook, and its secret', content: json(webhookSchema.extend({ secret })) },
    ...problemAnswers(400, 401, 403, 409, 413, 503),
  },
});
const readRoute = createRoute({
  method: 'get',
  path: '/webhooks/{id}',
  summary: 'A webhook, and how it does',
  security,
  request: of,
  responses: {
    200: { description: 'The webhook', content: json(webhookSchema) },
    ...problemAnswers(400, 401, 403, 404),
  },
});
const changeRoute = createRoute({
  method: 'patch',
  path: '/webhooks/{id}',
  summary: 'Change some of its fields, or turn it off or on',
  description:
    'Turned on again it delivers what is made from then on, and what still waited. What failed is tried again at once.',
  security,
  request: { ...of, ...wish },
  responses: {
    200: { description: 'The webhook', content: json(webhookSchema) },
    ...problemAnswers(400, 401, 403, 404, 409, 413, 503),
  },
});
const removeRoute = createRoute({
  method: 'delete',
  path: '/webhooks/{id}',
  summary: 'Delete it, with all that waits for it',
  security,
  request: of,
  responses: { 204: { description: 'It is gone' }, ...problemAnswers(400, 401, 403, 404, 503) },
});
const rotateRoute = createRoute({
  method: 'post',
  path: '/webhooks/{id}/rotate',
  summary: 'A new secret beside the old one; `finish=1` ends that',
  description:
    'Both sign until the rotation is finished: give the new one to the receiver, then call again with `finish=1`, and only the ' +
    'new one signs.',
  security,
  request: {
    params,
    query: z.strictObject({
      finish: z
        .literal('1', { error: 'allowed is 1' })
        .optional()
        .openapi({ description: 'The old one signs no more' }),
    }),
  },
  responses: {
    200: {
      description: 'The new secret; or the webhook, when finished',
      content: json(z.union([z.strictObject({ secret }), webhookSchema])),
    },
    ...problemAnswers(400, 401, 403, 404, 409, 503),
  },
});
const testRoute = createRoute({
  method: 'post',
  path: '/webhooks/{id}/test',
  summary: 'Send a ping from this node now, and tell what the receiver said',
  security,
  request: of,
  responses: {
    200: { description: 'Whether it was taken', content: json(testSchema) },
    ...problemAnswers(400, 401, 403, 404),
  },
});
const deadRoute = createRoute({
  method: 'get',
  path: '/webhooks/{id}/dead',
  summary: 'Messages that were given up',
  description: `Kept for 30 days, the newest ${webhookLimits.deadMax} of a webhook.`,
  security,
  request: {
    params,
    query: z.strictObject({ limit: limitParameter(webhookLimits.deadMax, `Default ${deadDefault}`) }),
  },
  responses: {
    200: { description: 'Dead letters, by id', content: json(z.array(deadSchema)) },
    ...problemAnswers(400, 401, 403, 404),
  },
});
const replayRoute = createRoute({
  method: 'post',
  path: '/webhooks/{id}/replay',
  summary: 'Deliver dead letters again: all of them, or those of `ids`',
  security,
  request: {
    ...of,
    body: {
      required: false,
      content: json(replaySchema),
    },
  },
  responses: {
    202: {
      description: 'How many wait for delivery now',
      content: json(z.strictObject({ replayed: z.number().int() })),
    },
    ...problemAnswers(400, 401, 403, 404, 413, 503),
  },
});

export function addWebhookRoutes(app: OpenAPIHono<Env>, { webhooks }: FacadeParts): void {
  for (const path of ['/webhooks', '/webhooks/*'] as const) {
    app.use(path, async (context, next) => {
      requireScope(context.get('principal'), 'admin');
      await next();
    });
  }
  app.openapi(listRoute, (context) => context.json(webhooks.list().map(webhookRow), 200));
  app.openAPIRegistry.registerPath(createWebhookRoute);
  app.post('/webhooks', async (context) => {
    const { secret: made, ...view } = granted(
      '',
      await taken(webhooks.create(await jsonOf(context.req.raw, webhookLimits.bodyBytesMax))),
    );
    return context.json({ ...webhookRow(view), secret: made }, 201);
  });
  app.openapi(readRoute, (context) => {
    const { id } = context.req.valid('param');
    const view = webhooks.get(id);
    if (view === undefined) throw noWebhook(id);
    return context.json(webhookRow(view), 200);
  });
  app.openAPIRegistry.registerPath(changeRoute);
  app.patch('/webhooks/:id', async (context) => {
    const id = context.req.param('id');
    const changed = await taken(
      webhooks.change(id, await jsonOf(context.req.raw, webhookLimits.bodyBytesMax)),
    );
    return context.json(webhookRow(granted(id, changed)), 200);
  });
  app.openapi(removeRoute, async (context) => {
    const { id } = context.req.valid('param');
    granted(id, await taken(webhooks.remove(id)));
    return context.body(null, 204);
  });
  app.openapi(rotateRoute, async (context) => {
    const { id } = context.req.valid('param');
    if (context.req.valid('query').finish === '1')
      return context.json(webhookRow(granted(id, await taken(webhooks.finishRotation(id)))), 200);
    return context.json(granted(id, await taken(webhooks.rotate(id))), 200);
  });
  app.openapi(testRoute, async (context) => {
    const { id } = context.req.valid('param');
    const { posted, ms } = granted(id, await webhooks.test(id));
    return context.json(testRow(posted, ms), 200);
  });
  app.openapi(deadRoute, async (context) => {
    const { id } = context.req.valid('param');
    if (webhooks.get(id) === undefined) throw noWebhook(id);
    const { limit = deadDefault } = context.req.valid('query');
    const letters = await webhooks.deadLetters(id, limit);
    return context.json(
      letters.map((letter) => deadRow(id, letter)),
      200,
    );
  });
  app.openAPIRegistry.registerPath(replayRoute);
  app.post('/webhooks/:id/replay', async (context) => {
    const id = context.req.param('id');
    const ids = replayIds(await jsonOf(context.req.raw, replayBytesMax, {}));
    return context.json({ replayed: granted(id, await taken(webhooks.replay(id, ids))) }, 202);
  });
}

/** What was asked for; else the Problem that says why not. */
function granted<T>(id: string, of: Granted<T>): T {
  switch (of.kind) {
    case 'granted':
      return of.value;
    case 'unknown':
      throw noWebhook(id);
    case 'conflict':
      throw new Problem(409, of.reason);
    case 'wrong':
      throw new Problem(400, of.problems.map(({ field, reason }) => `${field}: ${reason}`).join('; '), {
        errors: of.problems.map(({ field, reason }) => ({ parameter: field, detail: reason })),
      });
    default:
      return of satisfies never;
  }
}

function noWebhook(id: string): Problem {
  return new Problem(404, `there is no webhook ${id}; GET /webhooks lists them`);
}

/** Throws Problem 400 and 413. An empty body is `empty`, where that is allowed. */
async function jsonOf(request: Request, bytesMax: number, empty?: unknown): Promise<unknown> {
  const body = await readBody(request, bytesMax);
  if (body.byteLength === 0 && empty !== undefined) return empty;
  const parsed = parseJson(new TextDecoder().decode(body));
  if (parsed.ok) return parsed.value;
  throw new Problem(400, `the body is ${parsed.reason}`, { code: parsed.code });
}

/** Undefined is all. Throws Problem 400. */
function replayIds(body: unknown): readonly string[] | undefined {
  const parsed = replaySchema.safeParse(body);
  if (parsed.success) return parsed.data.ids;
  throw new Problem(
    400,
    'allowed is { "ids": ["..."] } with ids of GET /webhooks/{id}/dead, or no body for all',
  );
}

function json<Schema extends z.ZodType>(schema: Schema) {
  return { 'application/json': { schema } };
}
