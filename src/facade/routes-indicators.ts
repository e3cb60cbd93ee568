import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { type AckWish, ackAllowed, ackDefault, parseAckWish } from '../event/ack.ts';
import { feedRowFields } from '../feed/aggregate.ts';
import { type CsvRow, csvHeader, csvLine } from '../feed/csv.ts';
import { feedDefaults, feedLimitMax } from '../feed/defaults.ts';
import { makeFeed } from '../feed/feed.ts';
import { canonicalise } from '../indicator/canonical.ts';
import { type ObservationDefaults, parseDefaults } from '../indicator/observation.ts';
import { presentRecord, publicRecordFields } from '../indicator/present.ts';
import type { Itype } from '../indicator/types.ts';
import { IntakeError } from '../intake/intake.ts';
import { intakeLimits } from '../intake/limits.ts';
import { readRows, rowTypes } from '../intake/rows.ts';
import { accept } from '../parsed.ts';
import { readCursor, writeCursor } from '../query/cursor.ts';
import { runQuery } from '../query/query.ts';
import { problemAnswers } from './answers.ts';
import { readBody } from './body.ts';
import type { Env } from './env.ts';
import { filterFrom, filterParameters, limitParameter, windowParameters } from './parameters.ts';
import type { FacadeParts } from './parts.ts';
import { Problem, type ProblemDetail } from './problem.ts';
import { chunked, negotiate } from './rendering.ts';
import { requireScope } from './scopes.ts';

const queryDefaults = { limit: 500, limitMax: 10_000 } as const;
const questionCharactersMax = 24_576;

const query = z.strictObject({
  q: z.string().min(1).max(questionCharactersMax).optional().openapi({
    description: 'An indicator, defanged or not: switches to query mode',
    example: 'example.com',
  }),
  nofeed: z
    .enum(['0', '1'], { error: 'allowed are 0 and 1' })
    .optional()
    .openapi({ description: '`1`: query mode without q, newest first' }),
  ...filterParameters,
  ...windowParameters,
  limit: limitParameter(
    feedLimitMax,
    `Feed: default ${feedDefaults.limit}. Query: default ${queryDefaults.limit}, at most ${queryDefaults.limitMax}.`,
  ),
  cursor: z.string().max(20_000).optional().openapi({ description: '`meta.next` of the page before' }),
});

const readRoute = createRoute({
  method: 'get',
  path: '/indicators',
  summary: 'A feed that is safe to block; with q or nofeed=1 the records themselves',
  description:
    `Feed mode: aggregated over providers, confidence ${feedDefaults.confidence} or more, observed within ` +
    `${feedDefaults.daysOfAddresses} days (addresses) or ${feedDefaults.days} days (the rest), without special-purpose ` +
    'addresses and without what has expired. The answer says which defaults it applied.',
  security: [{ token: [] }],
  request: { query },
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

type Page = {
  readonly mode: 'feed' | 'query';
  readonly defaults: Readonly<Record<string, unknown>>;
  readonly fields: readonly string[];
  readonly rows: readonly CsvRow[];
  readonly next: string | undefined;
  readonly allowlisted: number;
};

export function addIndicatorRoutes(app: OpenAPIHono<Env>, parts: FacadeParts): void {
  app.openapi(readRoute, async (context) => {
    const format = negotiate(context.req.header('accept'));
    const values = context.req.valid('query');
    const isQuery = values.q !== undefined || values.nofeed === '1';
    requireScope(context.get('principal'), ...(isQuery ? (['read'] as const) : (['feed', 'read'] as const)));
    const page = await (isQuery ? queryPage(values, parts) : feedPage(values, parts));
    return render(page, format);
  });

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

type Values = z.output<typeof query>;

async function queryPage(values: Values, { store, clock }: FacadeParts): Promise<Page> {
  const { cursor, limit: asked, ...question } = values;
  const limit = asked ?? queryDefaults.limit;
  if (limit > queryDefaults.limitMax) {
    const detail = `allowed is a whole number from 1 to ${queryDefaults.limitMax} in query mode`;
    throw new Problem(400, `limit: ${detail}`, { errors: [{ parameter: 'limit', detail }] });
  }
  const after = cursor === undefined ? undefined : cursorOf(cursor, question);
  let value: { readonly itype: Itype; readonly indicator: string } | undefined;
  if (values.q !== undefined) {
    // A number alone is an ASN when the question says so; everything else is detected.
    const stated = values.itype?.length === 1 ? values.itype[0] : undefined;
    const canonical = canonicalise(values.q, stated);
    if (!canonical.ok)
      throw new Problem(400, canonical.reason, { errors: [{ parameter: 'q', detail: canonical.reason }] });
    value = canonical.value;
  }
  const filter = filterFrom(values, 'reported', clock.wallMs());
  const { records, next } = await runQuery(store, {
    filter,
    limit,
    ...(value && { value }),
    ...(after !== undefined && { after }),
  });
  return {
    mode: 'query',
    defaults: asked === undefined ? { limit } : {},
    fields: publicRecordFields,
    rows: records.map(presentRecord),
    next: next === undefined ? undefined : writeCursor(next, question),
    allowlisted: 0,
  };
}

async function feedPage(values: Values, { store, clock }: FacadeParts): Promise<Page> {
  const { cursor, limit: asked, ...question } = values;
  const limit = asked ?? feedDefaults.limit;
  const after = cursor === undefined ? undefined : cursorOf(cursor, question);
  const nowMs = clock.wallMs();
  const filter = filterFrom(values, 'observed', nowMs);
  const confidence = { min: feedDefaults.confidence, max: 10 };
  const { rows, allowlisted, next } = await makeFeed(
    store,
    { filter: { confidence, ...filter }, limit, ...(after !== undefined && { after }) },
    nowMs,
  );
  const days = { addresses: feedDefaults.daysOfAddresses, others: feedDefaults.days };
  return {
    mode: 'feed',
    defaults: {
      ...(values.confidence === undefined && { confidence: feedDefaults.confidence }),
      ...(filter.since === undefined && { days }),
      ...(asked === undefined && { limit }),
    },
    fields: feedRowFields,
    rows,
    next: next === undefined ? undefined : writeCursor(next, question),
    allowlisted,
  };
}

function cursorOf(cursor: string, question: unknown): string {
  const key = readCursor(cursor, question);
  if (key !== undefined) return key;
  const detail = 'it belongs to another question, or is no cursor; leave it out to start from the beginning';
  throw new Problem(400, `cursor: ${detail}`, { errors: [{ parameter: 'cursor', detail }] });
}

function render(
  { mode, defaults, fields, rows, next, allowlisted }: Page,
  format: 'json' | 'csv' | 'ndjson',
): Response {
  const headers = {
    'tocsin-mode': mode,
    'tocsin-defaults': JSON.stringify(defaults),
    'tocsin-allowlisted': String(allowlisted),
    ...(next !== undefined && { 'tocsin-next': next }),
  };
  if (format === 'csv') {
    return chunked(
      'text/csv; charset=utf-8',
      headers,
      rows,
      (row) => csvLine(row, fields),
      csvHeader(fields),
    );
  }
  if (format === 'ndjson')
    return chunked('application/x-ndjson', headers, rows, (row) => `${JSON.stringify(row)}\n`);
  const meta = { mode, defaults, count: rows.length, ...(next !== undefined && { next }), allowlisted };
  return chunked(
    'application/json',
    headers,
    rows,
    (row, i) => (i === 0 ? '' : ',') + JSON.stringify(row),
    `{"meta":${JSON.stringify(meta)},"data":[`,
    ']}\n',
  );
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
