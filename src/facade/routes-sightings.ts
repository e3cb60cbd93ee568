import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { readName } from '../indicator/fields.ts';
import { sightingFields } from '../indicator/statement.ts';
import { rowTypes } from '../intake/rows.ts';
import type { Env } from './env.ts';
import type { FacadeParts } from './parts.ts';
import { Problem } from './problem.ts';
import { ackParameter, answerOutcome, onceEach, outcomeAnswers, rowsOf, taken, wishFrom } from './saying.ts';
import { requireScope } from './scopes.ts';

const route = createRoute({
  method: 'post',
  path: '/sightings',
  summary: 'A sensor has seen indicators: one, an array, NDJSON, CSV, or plain text with one per line',
  description:
    `Fields: ${sightingFields.join(', ')}. Without a time it was now, without a count once. They are kept under the ` +
    "sensor's own name, add up over all nodes, are summed in feeds, and need no indicator that is known already.",
  security: [{ token: [] }],
  request: {
    query: z.object({
      provider: z.string().optional().openapi({ description: 'Default: the name of the token' }),
      group: z.string().optional(),
      ack: ackParameter,
    }),
    body: { content: Object.fromEntries(rowTypes.map((type) => [type, { schema: z.unknown() }])) },
  },
  responses: outcomeAnswers,
});

export function addSightingsRoute(app: OpenAPIHono<Env>, { intake }: FacadeParts): void {
  app.openAPIRegistry.registerPath(route);
  app.post('/sightings', async ({ req, get }) => {
    const principal = get('principal');
    requireScope(principal, 'write');
    const { ack, provider = principal.name, group = 'everyone', ...more } = onceEach(req.queries());
    for (const name of Object.keys(more)) refuse(name, 'no such parameter; allowed are provider, group, ack');
    const defaults = { provider: nameFrom('provider', provider), group: nameFrom('group', group) };
    const wish = wishFrom(ack);
    const rows = await rowsOf(req.raw, sightingFields);
    return answerOutcome(await taken(intake.sight(rows, defaults, wish)));
  });
}

function nameFrom(parameter: string, text: string): string {
  const name = readName(text);
  return name.ok ? name.value : refuse(parameter, name.reason);
}

function refuse(parameter: string, detail: string): never {
  throw new Problem(400, `${parameter}: ${detail}`, { errors: [{ parameter, detail }] });
}
