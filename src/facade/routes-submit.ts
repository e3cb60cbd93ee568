import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { type AckWish, ackAllowed, ackDefault, parseAckWish } from '../event/ack.ts';
import { type ObservationDefaults, parseDefaults } from '../indicator/observation.ts';
import { IntakeError } from '../intake/intake.ts';
import { intakeLimits } from '../intake/limits.ts';
import { readRows, rowTypes } from '../intake/rows.ts';
import { accept } from '../parsed.ts';
import { problemAnswers } from './answers.ts';
import { readBody } from './body.ts';
import type { Env } from './env.ts';
import type { FacadeParts } from './parts.ts';
import { Problem, type ProblemDetail } from './problem.ts';
import { requireScope } from './scopes.ts';

const writeRoute = createRoute({
  method: 'post',
  path: '/indicators',
  summary: 'Submit indicators: one, an array, NDJSON, CSV with a header, or plain text with one per line',
  description: `Up to ${intakeLimits.rowsMax} rows and ${intakeLimits.bodyBytesMax} bytes. Query parameters stand for what rows do not state.`,
  security: [{ token: [] }],
  request: {
    query: z.object({
      provider: z.string().optional().openapi({ description: 'Default: the name of the token' }),
      group: z.string().optional(),
      tlp: z.string().optional(),
      tags: z.string().optional(),
      confidence: z.string().optional(),
      itype: z.string().optional(),
      ack: z
        .string()
        .optional()
        .openapi({
          description: `Where it must be on disk before the answer: ${ackAllowed}. Default ${ackDefault}: one other node, if there is one.`,
        }),
    }),
    body: { content: Object.fromEntries(rowTypes.map((type) => [type, { schema: z.unknown() }])) },
  },
  responses: {
    200: { description: 'There were no rows' },
    201: {
      description: 'What became of each row',
      content: { 'application/json': { schema: z.record(z.string(), z.unknown()) } },
    },
    202: {
      description: 'Stored here, but not yet on as many other nodes as wished; `ack.reason` says why',
      content: { 'application/json': { schema: z.record(z.string(), z.unknown()) } },
    },
    ...problemAnswers(400, 401, 403, 413, 415, 422, 503),
  },
});

export function addSubmitRoute(app: OpenAPIHono<Env>, parts: FacadeParts): void {
  app.openAPIRegistry.registerPath(writeRoute);
  app.post('/indicators', async (context) => {
    const principal = context.get('principal');
    requireScope(principal, 'write');
    const { defaults, wish } = submitParameters(context.req.queries(), principal.name);
    const body = await readBody(context.req.raw, intakeLimits.bodyBytesMax);
    const rows = readRows(body, context.req.header('content-type') ?? '');
    if (!rows.ok)
      throw new Problem(rows.code === 'unknown-type' ? 415 : 400, rows.reason, { code: rows.code });
    try {
      const outcome = await parts.intake.submit(rows.value, defaults, wish);
      if (outcome.accepted > 0) return context.json(outcome, outcome.ack.reason === undefined ? 201 : 202);
      if (outcome.refused.length === 0) return context.json(outcome, 200);
      throw new Problem(422, `none of ${outcome.refused.length} rows was accepted; each says why`, {
        ...outcome,
      });
    } catch (error) {
      if (!(error instanceof IntakeError)) throw error;
      // A broken store needs a person; asking again would not help.
      const again = error.code === 'BROKEN' ? {} : { 'retry-after': '2' };
      throw new Problem(503, error.message, { code: error.code }, again);
    }
  });
}

/** What stands for the fields that rows do not state, checked as a row's fields are; and where it must be on disk. */
function submitParameters(
  parameters: Record<string, string[]>,
  provider: string,
): { readonly defaults: ObservationDefaults; readonly wish: AckWish } {
  const { ack, ...fields } = Object.fromEntries(
    Object.entries(parameters).map(([name, [value, ...more]]) => {
      if (more.length === 0) return [name, value ?? ''];
      throw new Problem(400, `${name} is given ${more.length + 1} times; once is allowed`, {
        errors: [{ parameter: name, detail: 'allowed once' }],
      });
    }),
  );
  const wish = ack === undefined ? accept(ackDefault) : parseAckWish(ack);
  if (!wish.ok) {
    throw new Problem(400, `ack: ${wish.reason}`, { errors: [{ parameter: 'ack', detail: wish.reason }] });
  }
  const defaults = parseDefaults(fields, provider);
  if (defaults.ok) return { defaults: defaults.value, wish: wish.value };
  // One at a time as well: each that is wrong is named.
  const errors = Object.entries(fields).flatMap(([parameter, value]): ProblemDetail[] => {
    const parsed = parseDefaults({ [parameter]: value }, provider);
    return parsed.ok ? [] : [{ parameter, detail: parsed.reason }];
  });
  throw new Problem(400, defaults.reason, { errors });
}
