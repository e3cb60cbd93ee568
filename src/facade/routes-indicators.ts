import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { feedDefaults } from '../feed/defaults.ts';
import { problemAnswers } from './answers.ts';
import type { Env } from './env.ts';
import { feedPage } from './feed-page.ts';
import { render } from './page.ts';
import type { FacadeParts } from './parts.ts';
import { queryPage } from './query-page.ts';
import { isQuery, question } from './question.ts';
import { negotiate } from './rendering.ts';
import { requireScope } from './scopes.ts';

const readRoute = createRoute({
  method: 'get',
  path: '/indicators',
  summary: 'A feed that is safe to block; with q or nofeed=1 the records themselves',
  description:
    `Feed mode: aggregated over providers, confidence ${feedDefaults.confidence} or more, observed within ` +
    `${feedDefaults.daysOfAddresses} days (addresses) or ${feedDefaults.days} days (the rest), without special-purpose ` +
    'addresses and without what has expired. Query mode: what every provider states, unfiltered, expired and retracted ' +
    'records too; nothing found is an empty list. The answer says which defaults it applied.',
  security: [{ token: [] }],
  request: { query: question },
  responses: {
    200: {
      description: 'The feed or the records, by Accept',
      content: {
        'application/json': {
          schema: z.object({
            data: z.array(z.record(z.string(), z.unknown())),
            meta: z.record(z.string(), z.unknown()),
          }),
        },
        'text/csv': { schema: z.string() },
        'application/x-ndjson': { schema: z.string() },
      },
    },
    ...problemAnswers(400, 401, 403, 406),
  },
});

export function addIndicatorRoutes(app: OpenAPIHono<Env>, parts: FacadeParts): void {
  app.openapi(readRoute, async (context) => {
    const format = negotiate(context.req.header('accept'));
    const values = context.req.valid('query');
    const query = isQuery(values);
    requireScope(context.get('principal'), ...(query ? (['read'] as const) : (['feed', 'read'] as const)));
    const page = await (query ? queryPage(values, parts) : feedPage(values, parts));
    return render(page, format);
  });
}
