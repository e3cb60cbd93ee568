import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { may, type Principal } from '../access/tokens.ts';
import { presentRecord } from '../indicator/present.ts';
import { isTombstone, recordId } from '../indicator/record.ts';
import { parseReason } from '../indicator/statement.ts';
import type { IndicatorRecord } from '../indicator/types.ts';
import { everyRelation } from '../query/match.ts';
import { searchValues } from '../query/search.ts';
import type { IndicatorStore } from '../store/store.ts';
import { jsonAnswer, problemAnswers } from './answers.ts';
import type { Env } from './env.ts';
import type { FacadeParts } from './parts.ts';
import { Problem } from './problem.ts';
import { ackParameter, taken, wishFrom } from './saying.ts';
import { requireScope } from './scopes.ts';

/** A network or a domain can have any number; `GET /indicators?q=` pages through them. */
const relatedMax = 100;

const params = z.strictObject({
  id: z
    .string()
    .regex(/^[0-9a-f]{32}$/, { error: 'allowed are 32 hex digits in lower case: the `id` of a record' })
    .openapi({ example: 'c0ffee00c0ffee00c0ffee00c0ffee00' }),
});

const readRoute = createRoute({
  method: 'get',
  path: '/indicators/{id}',
  summary: 'A record with its evidence: what each provider says about the same value',
  security: [{ token: [] }],
  request: { params, query: z.strictObject({}) },
  responses: {
    200: jsonAnswer(
      'The record; `evidence` has it and those of other providers and groups, with the nodes that they entered at; `related` ' +
        'names records of other values: networks around it, its host, names, URLs and addresses below it',
    ),
    ...problemAnswers(400, 401, 403, 404),
  },
});

const deleteRoute = createRoute({
  method: 'delete',
  path: '/indicators/{id}',
  summary: 'Take a statement of your own back',
  description:
    'It leaves feeds everywhere at once and stays in answers, marked as retracted, until it expires or its provider says it ' +
    'again. Your own is what has the name of your token as its provider; a token with the scope admin may retract any.',
  security: [{ token: [] }],
  request: {
    params,
    query: z.strictObject({
      reason: z
        .string()
        .optional()
        .openapi({ description: 'Why, for those who read it', example: 'false positive' }),
      ack: ackParameter,
    }),
  },
  responses: {
    200: jsonAnswer('Retracted, and how far that is stored'),
    202: jsonAnswer('Retracted here, but not yet on as many other nodes as wished'),
    ...problemAnswers(400, 401, 403, 404, 503),
  },
});

export function addRecordRoutes(app: OpenAPIHono<Env>, { store, intake }: FacadeParts): void {
  app.openapi(readRoute, async (context) => {
    requireScope(context.get('principal'), 'read');
    const record = await found(context.req.valid('param').id);
    const statements = await store.byValue(record.itype, record.indicator);
    const evidence = statements.filter((each) => !isTombstone(each)).map(withStamp);
    return context.json({ ...presentRecord(record), evidence, ...(await relatedTo(store, record)) }, 200);
  });

  app.openapi(deleteRoute, async (context) => {
    const principal = context.get('principal');
    requireScope(principal, 'write');
    const { reason = 'retracted by its provider', ack } = context.req.valid('query');
    const wish = wishFrom(ack);
    const said = parseReason(reason);
    if (!said.ok || said.value === '') {
      const detail = said.ok ? 'it is empty; leave it out' : said.reason;
      throw new Problem(400, `reason: ${detail}`, { errors: [{ parameter: 'reason', detail }] });
    }
    const { id } = context.req.valid('param');
    const { itype, indicator, provider, group } = await found(id);
    refuseOthers(principal, provider);
    const body = { itype, indicator, provider, group, reason: said.value };
    const outcome = await taken(intake.say([{ kind: 'retract', body }], wish));
    const status = outcome.ack.reason === undefined ? 200 : 202;
    return context.json({ id, ...body, ...outcome }, status);
  });

  async function found(id: string): Promise<IndicatorRecord> {
    const record = await store.byId(id);
    if (record !== undefined && !isTombstone(record)) return record;
    throw new Problem(404, `this node has no record ${id}; it may have expired`);
  }
}

/** Records of other values: the networks around it, its host, what is below it; the closest first. */
async function relatedTo(store: IndicatorStore, { itype, indicator }: IndicatorRecord) {
  const asking = { related: everyRelation, filter: {}, limit: relatedMax };
  const [found] = await searchValues(store, [[{ itype, indicator }]], asking);
  const others = found?.answers.filter(({ match }) => match !== 'exact') ?? [];
  const related = others.map(({ record, match }) => ({
    match,
    id: recordId(record),
    indicator: record.indicator,
    itype: record.itype,
    provider: record.provider,
  }));
  return { related, ...(found?.more === true && { more_related: true }) };
}

function refuseOthers(principal: Principal, provider: string): void {
  if (principal.name === provider || may(principal, 'admin')) return;
  throw new Problem(
    403,
    `this is ${provider}'s statement, and the token is ${principal.name}'s: only its provider, or a token with the scope admin, can take it back`,
  );
}

/** With the node that said it last, and when. */
function withStamp(record: IndicatorRecord) {
  return { ...presentRecord(record), origin: record.stamp.origin };
}
