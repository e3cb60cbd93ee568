import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { feedDefaults, ruleOf } from '../feed/defaults.ts';
import { confidenceScale } from '../indicator/confidence.ts';
import { timeToLiveDays } from '../indicator/expiry.ts';
import { type Itype, itypes } from '../indicator/types.ts';
import type { CountedField, FieldCount } from '../store/counts.ts';
import type { IndicatorStore } from '../store/store.ts';
import { jsonAnswer, problemAnswers } from './answers.ts';
import type { Env } from './env.ts';
import { limitParameter } from './parameters.ts';
import type { FacadeParts } from './parts.ts';
import { requireScope } from './scopes.ts';

/** What there is to ask for, with how many records say so: those whose statement holds, as of now. */

const namesMax = 10_000;
const namesDefault = 100;
/** Names that are looked at to find the most frequent: a stranger can make up any number of tags. */
const scannedMax = 100_000;

const answers = (description: string) => ({
  200: jsonAnswer(description),
  ...problemAnswers(400, 401, 403),
});

function namesRoute(path: string, what: string) {
  return createRoute({
    method: 'get',
    path,
    summary: `${what}, the most frequent first, with the number of records`,
    security: [{ token: [] }],
    request: {
      query: z.strictObject({ limit: limitParameter(namesMax, `Default ${namesDefault}`) }),
    },
    responses: answers(
      `\`data\`: name and records; \`meta.total\`: how many ${what.toLowerCase()} there are`,
    ),
  });
}

function plainRoute(path: string, summary: string, description: string) {
  return createRoute({
    method: 'get',
    path,
    summary,
    security: [{ token: [] }],
    request: { query: z.strictObject({}) },
    responses: answers(description),
  });
}

const tagsRoute = namesRoute('/tags', 'Tags');
const providersRoute = namesRoute('/providers', 'Providers');
const itypesRoute = plainRoute(
  '/itypes',
  'The kinds of indicator, with the number of records and what feeds and expiry make of them',
  'By itype: records, what a feed takes by default (docs/feeds.md), days until it expires',
);
const confidenceRoute = plainRoute(
  '/confidence',
  'What each step of confidence means, with the number of records',
  'From 10, certain, to 0, unknown; records between two steps count to the lower one',
);
const statsRoute = plainRoute(
  '/stats',
  'This node’s records in numbers',
  'Totals, and the most frequent of each',
);

const statsNames = 10;

export function addFaqRoutes(app: OpenAPIHono<Env>, { store }: FacadeParts): void {
  for (const [route, field] of [
    [tagsRoute, 'tag'],
    [providersRoute, 'provider'],
  ] as const) {
    app.openapi(route, async (context) => {
      requireScope(context.get('principal'), 'read', 'feed');
      const limit = context.req.valid('query').limit ?? namesDefault;
      const all = await mostFrequent(store, field);
      return context.json({ meta: { total: all.length }, data: all.slice(0, limit) }, 200);
    });
  }

  app.openapi(itypesRoute, async (context) => {
    requireScope(context.get('principal'), 'read', 'feed');
    const counted = await byName(store, 'itype');
    const data = itypes.map((name) => ({
      name,
      records: counted.get(name) ?? 0,
      ...feedRule(name),
      expires_after_days: timeToLiveDays[name],
    }));
    return context.json({ data }, 200);
  });

  app.openapi(confidenceRoute, async (context) => {
    requireScope(context.get('principal'), 'read', 'feed');
    const counted = await byName(store, 'confidence');
    const data = confidenceScale.map(({ value, meaning }) => ({
      value,
      meaning,
      records: counted.get(String(value)) ?? 0,
    }));
    return context.json({ meta: { feeds_start_at: feedDefaults.confidence }, data }, 200);
  });

  app.openapi(statsRoute, async (context) => {
    requireScope(context.get('principal'), 'read', 'feed');
    const [kinds, tags, providers] = await Promise.all([
      mostFrequent(store, 'itype'),
      mostFrequent(store, 'tag'),
      mostFrequent(store, 'provider'),
    ]);
    const most = (all: readonly FieldCount[]) => ({ total: all.length, data: all.slice(0, statsNames) });
    const answer = { records: store.count(), itypes: kinds, tags: most(tags), providers: most(providers) };
    return context.json(answer, 200);
  });
}

async function mostFrequent(store: IndicatorStore, field: CountedField): Promise<readonly FieldCount[]> {
  const counted = [...(await store.counts(field, undefined, scannedMax))];
  return counted.sort((a, b) => b.records - a.records || (a.name < b.name ? -1 : 1));
}

async function byName(store: IndicatorStore, field: CountedField): Promise<ReadonlyMap<string, number>> {
  const counted = await store.counts(field, undefined, scannedMax);
  return new Map(counted.map(({ name, records }) => [name, records]));
}

function feedRule(itype: Itype) {
  const { days, holdsDays, halfLifeDays, prefixMin } = ruleOf(itype);
  return {
    feed_days: days,
    confidence_holds_days: holdsDays,
    confidence_half_life_days: halfLifeDays,
    ...(prefixMin !== undefined && { feed_largest_prefix: prefixMin }),
  };
}
