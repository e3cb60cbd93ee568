import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { feedDefaults, ruleOf } from '../feed/defaults.ts';
import { itypes } from '../indicator/types.ts';
import { problemAnswers } from './answers.ts';
import type { Env } from './env.ts';
import { createFeedAnswer } from './feed-page.ts';
import { negotiate } from './negotiation.ts';
import { renderPage } from './page.ts';
import type { FacadeParts } from './parts.ts';
import { queryPage } from './query-page.ts';
import { isQuery, question } from './question.ts';
import { codingFor, respond } from './rendering.ts';
import { requireScope } from './scopes.ts';

const readRoute = createRoute({
  method: 'get',
  path: '/indicators',
  summary: 'A feed that is safe to block; with q or nofeed=1 the records themselves',
  description:
    'Feed mode: what all providers say of one value in one row, without what was taken back, has expired, is too old or is ' +
    `under the confidence asked for (default ${feedDefaults.confidence}); then without all that the allowlist names. ` +
    `Defaults by itype: ${itypes.map(ruleText).join('; ')}. docs/feeds.md explains the steps; \`explain=1\` explains one ` +
    'value. Query mode: what every provider states, unfiltered, expired and retracted records too; nothing found is an ' +
    'empty list. The answer says which defaults it applied. In both, `meta.stream_cursor` and `Tocsin-Stream-Cursor` are where the ' +
    'stream goes on from the moment before the answer was read; of several pages that of the first.',
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
    304: { description: 'The client has it already, by If-None-Match or If-Modified-Since (feed mode)' },
    ...problemAnswers(400, 401, 403, 406, 503),
  },
});

function ruleText(itype: (typeof itypes)[number]): string {
  const { days, holdsDays, halfLifeDays, prefixMin } = ruleOf(itype);
  const largest = prefixMin === undefined ? '' : `, no network larger than /${prefixMin}`;
  return `${itype} ${days} days, confidence holds ${holdsDays} days and halves every ${halfLifeDays}${largest}`;
}

export function addIndicatorRoutes(app: OpenAPIHono<Env>, parts: FacadeParts): void {
  const feedAnswer = createFeedAnswer(parts);
  app.openapi(readRoute, async (context) => {
    const format = negotiate(context.req.header('accept'));
    const values = context.req.valid('query');
    const query = isQuery(values);
    requireScope(context.get('principal'), ...(query ? (['read'] as const) : (['feed', 'read'] as const)));
    const request = context.req.raw;
    // Before anything is read: what is behind it in the stream may be in the answer, and what is before it is.
    const streamCursor = parts.streamLog.lastCursor();
    if (!query) return feedAnswer(values, request, format, streamCursor);
    const coding = codingFor(request);
    const page = await queryPage(values, context.get('principal'), parts, streamCursor);
    return respond(renderPage(page, format), coding);
  });
}
