import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { isSearch, type Search } from '../event/document.ts';
import { rfc3339 } from '../indicator/times.ts';
import { readAsked } from '../query/asked.ts';
import { writeCursor } from '../query/cursor.ts';
import { type Choice, isChosen } from '../query/filter.ts';
import { type Watch, watchKeyOf, watchOf } from '../query/watch.ts';
import { type StoredDocument, searchCollection, searchMadeBy } from '../store/document.ts';
import type { IndicatorStore } from '../store/store.ts';
import { problemAnswers } from './answers.ts';
import type { Env } from './env.ts';
import { negotiate } from './negotiation.ts';
import { renderJson } from './page.ts';
import { choice, daysMax, limitParameter, number, read } from './parameters.ts';
import type { FacadeParts } from './parts.ts';
import { Problem } from './problem.ts';
import { cursorOf } from './question.ts';
import { codingFor, respond } from './rendering.ts';
import { requireScope } from './scopes.ts';
import { parseStart } from './span.ts';
import { readParameters } from './validation.ts';

const searchesLimits = {
  limitDefault: 100,
  limitMax: 1_000,
  /** Searches that one page looks at, and reads at once. */
  scannedMax: 20_000,
  readMax: 500,
} as const;

const dayMs = 24 * 60 * 60 * 1_000;

const parameters = z.strictObject({
  q: z
    .string()
    .optional()
    .openapi({
      description:
        'Searches for this value, for what covers it or lies in it, as `q` of `GET /indicators` understands it; of a pattern the ' +
        'names that fit, and searches for the same pattern',
      example: '192.0.2.0/24',
    }),
  by: choice('Who asked, by the name of the token', 'alice').optional(),
  since: read(parseStart)
    .optional()
    .openapi({ description: 'Not older: RFC 3339, or a day', example: '2026-01-01' }),
  days: number(0, daysMax, 'Not older, in days', '7').optional(),
  limit: limitParameter(
    searchesLimits.limitMax,
    `Default ${searchesLimits.limitDefault}, at most ${searchesLimits.limitMax}`,
  ),
  cursor: z.string().max(1_000).optional().openapi({
    description: '`meta.next` of the page before, with the same question; any node of the mesh takes it',
  }),
});

const row = z.object({
  id: z.string().openapi({ description: 'The id of the event, as in the stream' }),
  time: z.string(),
  q: z.string().openapi({ description: 'What was asked for, as it was understood' }),
  itype: z.string().optional().openapi({ description: 'Absent for a pattern' }),
  by: z.string().openapi({ description: 'The name of the token' }),
  node: z.string().openapi({ description: 'The id of the node that was asked' }),
});

const route = createRoute({
  method: 'get',
  path: '/searches',
  summary: 'What people searched for, at any node of the mesh, newest first',
  description:
    'Each question with `q` that was not marked `nolog=1`, for 30 days. Feeds are never in it, and it is in no feed. JSON, or ' +
    'NDJSON by Accept, whose header `Tocsin-Next` is the cursor.',
  security: [{ token: [] }],
  request: { query: parameters },
  responses: {
    200: {
      description: 'Searches',
      content: {
        'application/json': {
          schema: z.object({ meta: z.record(z.string(), z.unknown()), data: z.array(row) }),
        },
        'application/x-ndjson': { schema: z.string() },
      },
    },
    ...problemAnswers(400, 401, 403, 406),
  },
});

type Wanted = {
  readonly watch: Watch | undefined;
  readonly patterns: readonly string[];
  readonly by: Choice | undefined;
  readonly sinceMs: number;
  readonly nowMs: number;
};

export function addSearchesRoute(app: OpenAPIHono<Env>, { store, clock }: FacadeParts): void {
  app.openAPIRegistry.registerPath(route);
  app.get(route.path, async (context) => {
    requireScope(context.get('principal'), 'read');
    const format = negotiate(context.req.header('accept'));
    if (format === 'csv') {
      throw new Problem(406, 'allowed are application/json, application/x-ndjson, application/ndjson');
    }
    const {
      cursor,
      limit = searchesLimits.limitDefault,
      ...question
    } = readParameters(parameters, context.req.queries());
    const { q, by, since, days } = question;
    const asked = q === undefined ? undefined : readAsked(q, undefined);
    if (asked?.ok === false) {
      const detail = asked.reason;
      throw new Problem(400, `q: ${detail}`, { errors: [{ parameter: 'q', detail }] });
    }
    const nowMs = clock.wallMs();
    const wanted = {
      watch: asked && watchOf(asked.value),
      patterns: (asked?.value ?? []).flatMap((one) => ('pattern' in one ? [one.pattern] : [])),
      by,
      sinceMs: Math.max(since ?? 0, days === undefined ? 0 : nowMs - days * dayMs),
      nowMs,
    };
    const after = cursor === undefined ? undefined : cursorOf(cursor, question);
    const { rows, next } = await searchesOf(store, wanted, after, limit);
    const nextCursor = next === undefined ? undefined : writeCursor(next, question);
    const meta = { count: rows.length, ...(nextCursor !== undefined && { next: nextCursor }) };
    const headers = nextCursor === undefined ? {} : { 'tocsin-next': nextCursor };
    return respond(renderJson(meta, rows, format, headers), codingFor(context.req.raw));
  });
}

type Row = Search & { readonly id: string; readonly time: string; readonly node: string };

async function searchesOf(
  store: IndicatorStore,
  wanted: Wanted,
  after: string | undefined,
  limit: number,
): Promise<{ readonly rows: readonly Row[]; readonly next?: string }> {
  const rows: Row[] = [];
  let last = after;
  for (let scanned = 0; scanned < searchesLimits.scannedMax; ) {
    const documents = await store.documents(searchCollection, last, searchesLimits.readMax);
    for (const document of documents) {
      const found = rowOf(document);
      // They come newest first.
      if (found !== undefined && found.ms < wanted.sinceMs) return { rows };
      if (found !== undefined && isWanted(wanted, found.row, document)) {
        if (rows.length === limit) return last === undefined ? { rows } : { rows, next: last };
        rows.push(found.row);
      }
      last = document.id;
    }
    scanned += documents.length;
    if (documents.length < searchesLimits.readMax) return { rows };
  }
  return last === undefined ? { rows } : { rows, next: last };
}

/** Undefined for what a peer out of its mind wrote. */
function rowOf(document: StoredDocument): { readonly row: Row; readonly ms: number } | undefined {
  const { q, itype, by } = JSON.parse(document.body ?? '{}') as { readonly [name in keyof Search]: unknown };
  const search = { q, itype, by };
  const made = searchMadeBy(document);
  if (!isSearch(search) || made === undefined) return undefined;
  const { id, node, ms } = made;
  const row = {
    id,
    time: rfc3339(ms),
    q: search.q,
    ...(search.itype && { itype: search.itype }),
    by: search.by,
    node,
  };
  return { row, ms };
}

function isWanted(
  { watch, patterns, by, nowMs }: Wanted,
  { q, itype, by: who }: Row,
  { expiresMs }: StoredDocument,
): boolean {
  if ((expiresMs !== undefined && expiresMs <= nowMs) || !isChosen(by, [who])) return false;
  if (watch === undefined) return true;
  if (itype === undefined) return patterns.includes(q);
  const watched = { itype, indicator: q };
  return watch(watched, watchKeyOf(watched));
}
