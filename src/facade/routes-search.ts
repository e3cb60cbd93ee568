import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { quote } from '../indicator/quote.ts';
import type { Itype } from '../indicator/types.ts';
import { refuse } from '../parsed.ts';
import { readValue } from '../query/asked.ts';
import { searchLimits } from '../query/limits.ts';
import { noRelation } from '../query/match.ts';
import { parsePattern } from '../query/pattern.ts';
import { type SearchAnswer, searchValues } from '../query/search.ts';
import { problemAnswers } from './answers.ts';
import { readBody } from './body.ts';
import type { Env } from './env.ts';
import { negotiate } from './negotiation.ts';
import { renderJson } from './page.ts';
import { filterFrom, filterParameters, limitParameter, windowParameters } from './parameters.ts';
import type { FacadeParts } from './parts.ts';
import { Problem } from './problem.ts';
import { presentAnswer } from './query-page.ts';
import { relatedParameter } from './question.ts';
import { codingFor, respond } from './rendering.ts';
import { requireScope } from './scopes.ts';
import { readSearch, type Sent, type searchTypes } from './search-body.ts';
import { saySearches } from './searches.ts';
import { readParameters } from './validation.ts';

const parameters = z.strictObject({
  related: relatedParameter.optional().openapi({
    description:
      'Which records answer beside those of the value itself, as for `GET /indicators`: `covers`, `inside`, `subdomain`, ' +
      '`url`, `email`, `host`, `all`, or `none` (the default)',
    example: 'covers,host',
  }),
  ...filterParameters,
  ...windowParameters,
  limit: limitParameter(
    searchLimits.limitMax,
    `Records of one value: default ${searchLimits.limitDefault}, at most ${searchLimits.limitMax}`,
  ),
});

const examples = ['192.0.2.1', 'example.com', 'hxxp://example[.]net/login'];
const text = { schema: z.string() };
const ndjson = { ...text, example: examples.map((value) => `${JSON.stringify(value)}\n`).join('') };
const bodies: Readonly<Record<(typeof searchTypes)[number], object>> = {
  'application/json': {
    schema: z.object({ indicators: z.array(z.string()) }),
    example: { indicators: examples },
  },
  'application/x-ndjson': ndjson,
  'application/ndjson': ndjson,
  'text/plain': { ...text, example: `${examples.join('\n')}\n` },
};

const row = z.object({
  row: z
    .number()
    .int()
    .openapi({ description: 'Which of the values, from 1; with NDJSON and text its line' }),
  value: z.string().optional().openapi({ description: 'As it was sent' }),
  indicator: z.string().optional().openapi({ description: 'Its canonical form' }),
  itype: z.string().optional(),
  records: z.array(z.record(z.string(), z.unknown())).optional().openapi({
    description: 'What is stated about it, each with `match`; empty when nothing is known',
  }),
  more: z
    .literal(true)
    .optional()
    .openapi({ description: 'There are further records: `GET /indicators?q=` has all' }),
  refused: z
    .object({ code: z.string(), reason: z.string() })
    .optional()
    .openapi({ description: 'Why it is no indicator' }),
});

const route = createRoute({
  method: 'post',
  path: '/indicators/search',
  summary: `What is known about up to ${searchLimits.valuesMax} values, in one round trip`,
  description:
    'One row for each value, in the order in which they were sent: its canonical form and the records, or why it is no ' +
    'indicator, which costs no other. A value that nobody states anything about has an empty list. All values together are ' +
    `given up to ${searchLimits.recordsMax} records. JSON, or NDJSON by Accept.`,
  security: [{ token: [] }],
  request: {
    query: parameters,
    body: { content: bodies },
  },
  responses: {
    200: {
      description: 'A row for each value',
      content: {
        'application/json': {
          schema: z.object({ meta: z.record(z.string(), z.unknown()), data: z.array(row) }),
        },
        'application/x-ndjson': { schema: z.string() },
      },
    },
    ...problemAnswers(400, 401, 403, 406, 413, 415),
  },
});

export function addSearchRoute(app: OpenAPIHono<Env>, parts: FacadeParts): void {
  const { store, clock } = parts;
  app.openAPIRegistry.registerPath(route);
  app.post(route.path, async (context) => {
    requireScope(context.get('principal'), 'read');
    const format = negotiate(context.req.header('accept'));
    if (format === 'csv') {
      throw new Problem(406, 'allowed are application/json, application/x-ndjson, application/ndjson');
    }
    const values = readParameters(parameters, context.req.queries());
    const body = await readBody(context.req.raw, searchLimits.bodyBytesMax);
    const sent = readSearch(body, context.req.header('content-type') ?? '');
    if (!sent.ok) {
      const status = sent.code === 'unknown-type' ? 415 : 400;
      throw new Problem(status, sent.reason, {
        code: sent.code,
        ...(status === 400 && { errors: [{ parameter: 'indicators', detail: sent.reason }] }),
      });
    }
    const { itype, limit = searchLimits.limitDefault, related = noRelation } = values;
    const stated = itype?.length === 1 ? itype[0] : undefined;
    const read = sent.value.map(({ value }) => (value === undefined ? notText : readSent(value, stated)));
    const answers = await searchValues(
      store,
      read.map((kinds) => (kinds.ok ? kinds.value : [])),
      { related, filter: filterFrom(values, 'reported', clock.wallMs()), limit },
    );
    saySearches(
      parts,
      read.flatMap((kinds) => (kinds.ok ? kinds.value : [])),
      context.get('principal'),
      values.nolog,
    );
    const rows = sent.value.map((one, i) => presentRow(one, read[i], answers[i]));
    const coding = codingFor(context.req.raw);
    const meta = {
      mode: 'search',
      defaults: {
        ...(values.limit === undefined && { limit }),
        ...(values.related === undefined && { related: 'none' }),
      },
      count: rows.length,
      found: answers.filter(({ answers: { length } }) => length > 0).length,
      refused: read.filter(({ ok }) => !ok).length,
    };
    return respond(renderJson(meta, rows, format), coding);
  });
}

const notText = refuse('wrong-type', 'allowed is text, or an object with an indicator that is text');

/** A pattern is told from what is no indicator: it has its place elsewhere. */
function readSent(value: string, stated: Itype | undefined) {
  const read = readValue(value, stated);
  if (read.ok || !value.includes('*') || !parsePattern(value).ok) return read;
  return refuse(
    'pattern',
    `${quote(value)} is a pattern, which GET /indicators takes as q; allowed are values`,
  );
}

type Read = ReturnType<typeof readSent> | typeof notText;

function presentRow({ row, value }: Sent, read: Read | undefined, answer: SearchAnswer | undefined) {
  const shown = { row, ...(value !== undefined && { value }) };
  if (read?.ok !== true) return { ...shown, refused: { code: read?.code, reason: read?.reason } };
  const [first] = read.value;
  return {
    ...shown,
    indicator: first?.indicator,
    itype: first?.itype,
    records: (answer?.answers ?? []).map(presentAnswer),
    ...(answer?.more && { more: true }),
  };
}
