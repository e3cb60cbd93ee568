import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { HonoRequest } from 'hono';
import type { AckWish } from '../event/ack.ts';
import { type ObservationDefaults, parseDefaults } from '../indicator/observation.ts';
import { intakeLimits } from '../intake/limits.ts';
import { isNdjson, rowTypes } from '../intake/rows.ts';
import type { Env } from './env.ts';
import type { FacadeParts } from './parts.ts';
import { Problem, type ProblemDetail } from './problem.ts';
import { ackParameter, answerOutcome, onceEach, outcomeAnswers, rowsOf, taken, wishFrom } from './saying.ts';
import { requireScope } from './scopes.ts';
import { answerStream } from './submit-stream.ts';

const writeRoute = createRoute({
  method: 'post',
  path: '/indicators',
  summary: 'Submit indicators: one, an array, NDJSON, CSV with a header, or plain text with one per line',
  description:
    `Up to ${intakeLimits.rowsMax} rows and ${intakeLimits.bodyBytesMax} bytes. Query parameters stand for what rows do not state.\n\n` +
    'With both `Content-Type` and `Accept: application/x-ndjson` the body is a stream without a limit, and may be open for ever. The ' +
    'status is 200, sent at once. While rows still come, each group of rows that the node took together is answered by a line of its ' +
    'own, in the order of the rows: what a POST answers, and `rows: {first, last}`. Lines are counted from 1 over the whole stream, ' +
    'here and in `refused`; blank ones are counted and not answered. What ends the stream early is the last line, `{"error": problem}`: rows that no line ' +
    'has answered may be sent again, elsewhere. A busy node is waited for; a client that does not read its answers is not read either.',
  security: [{ token: [] }],
  request: {
    query: z.object({
      provider: z.string().optional().openapi({ description: 'Default: the name of the token' }),
      group: z.string().optional(),
      tlp: z.string().optional(),
      tags: z.string().optional(),
      confidence: z.string().optional(),
      itype: z.string().optional(),
      ack: ackParameter,
    }),
    body: { content: Object.fromEntries(rowTypes.map((type) => [type, { schema: z.unknown() }])) },
  },
  responses: {
    ...outcomeAnswers,
    200: {
      description: 'There were no rows; or a stream: a line for each group of rows, or why it ended',
      content: { 'application/x-ndjson': { schema: z.string() } },
    },
  },
});

export function addSubmitRoute(app: OpenAPIHono<Env>, parts: FacadeParts): void {
  app.openAPIRegistry.registerPath(writeRoute);
  app.post('/indicators', async (context) => {
    const principal = context.get('principal');
    requireScope(principal, 'write');
    const { defaults, wish } = submitParameters(context.req.queries(), principal.name);
    const { incoming, outgoing, stopping } = context.env ?? {};
    if (incoming && outgoing && stopping && wantsStream(context.req)) {
      await answerStream({ incoming, outgoing, stopping }, parts, defaults, wish);
      return RESPONSE_ALREADY_SENT;
    }
    const rows = await rowsOf(context.req.raw);
    return answerOutcome(await taken(parts.intake.submit(rows, defaults, wish)));
  });
}

/** NDJSON both ways: each group of rows is answered while the next ones come. */
function wantsStream(request: HonoRequest): boolean {
  const accepted = request.header('accept')?.split(',') ?? [];
  return isNdjson(request.header('content-type') ?? '') && accepted.some(isNdjson);
}

/** What stands for the fields that rows do not state, checked as a row's fields are; and where it must be on disk. */
function submitParameters(
  parameters: Record<string, string[]>,
  provider: string,
): { readonly defaults: ObservationDefaults; readonly wish: AckWish } {
  const { ack, ...fields } = onceEach(parameters);
  const wish = wishFrom(ack);
  const defaults = parseDefaults(fields, provider);
  if (defaults.ok) return { defaults: defaults.value, wish };
  // One at a time as well: each that is wrong is named.
  const errors = Object.entries(fields).flatMap(([parameter, value]): ProblemDetail[] => {
    const parsed = parseDefaults({ [parameter]: value }, provider);
    return parsed.ok ? [] : [{ parameter, detail: parsed.reason }];
  });
  throw new Problem(400, defaults.reason, { errors });
}
