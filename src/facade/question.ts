import { z } from '@hono/zod-openapi';
import { feedDefaults, feedLimitMax } from '../feed/defaults.ts';
import { accept, refuse } from '../parsed.ts';
import { readCursor } from '../query/cursor.ts';
import { queryLimits } from '../query/limits.ts';
import { everyRelation, noRelation, type Related, relations } from '../query/match.ts';
import { type Sort, sortNames } from '../query/sort.ts';
import { chosenFrom } from './choice.ts';
import { filterParameters, flag, limitParameter, read, windowParameters } from './parameters.ts';
import { Problem } from './problem.ts';

const questionCharactersMax = 24_576;
const cursorCharactersMax = 20_000;

export const relatedParameter = read((text) => {
  const word = text.trim().toLowerCase();
  if (word === 'all') return accept<Related>(everyRelation);
  if (word === 'none') return accept<Related>(noRelation);
  const chosen = chosenFrom(text, relations);
  if (!chosen.ok) return refuse('bad-related', `${chosen.reason}; or all, or none`);
  return accept<Related>(new Set(chosen.value));
});

const sortParameter = read((text) => {
  const descending = text.startsWith('-');
  const by = sortNames.find((name) => name === text.slice(descending ? 1 : 0));
  if (by !== undefined) return accept<Sort>({ by, descending });
  return refuse('bad-sort', `allowed are ${sortNames.join(', ')}; with - before it the greatest come first`);
});

/** The parameters of `GET /indicators`, in both modes. */
export const question = z
  .strictObject({
    q: z
      .string()
      .min(1, 'allowed is an indicator')
      .max(questionCharactersMax, `allowed are ${questionCharactersMax} characters`)
      .optional()
      .openapi({
        description:
          'Switches to query mode. An indicator, defanged or not; a pattern of names (`*.example.com`, `*login*`) or the first ' +
          `digits of a hash (\`d41d8cd98f*\`); or up to ${queryLimits.valuesMax} of them between commas`,
        examples: ['example.com', '192.0.2.0/24', 'hxxp://example[.]com/login', '*.example.com'],
      }),
    nofeed: flag('`1`: query mode without q, newest first'),
    explain: flag('`1` with q: `meta.explain` says why each value is in the feed or is not'),
    related: relatedParameter.optional().openapi({
      description:
        'Query mode with q: which records answer beside those of the value itself. `covers`: networks that an address or ' +
        'network lies in. `inside`: what lies in a network. `subdomain`: names below a domain. `url`, `email`: those at a ' +
        'domain, and below it together with `subdomain`. `host`: of a URL or an e-mail address. Or `all` (the default), ' +
        '`none`, or all but some: `!url,!email`. Each record says in `match` why it is there.',
      example: 'covers,host',
    }),
    sort: sortParameter.optional().openapi({
      description:
        'Query mode: `reporttime`, `lasttime`, `confidence` or `indicator` (the order of values); `-reporttime` is the newest ' +
        'first. Default with q: the closest first, then by value. Without q only `-reporttime` (the default) and `indicator`. ' +
        `Any other order is for up to ${queryLimits.sortedMax} answers.`,
      example: '-lasttime',
    }),
    ...filterParameters,
    ...windowParameters,
    limit: limitParameter(
      feedLimitMax,
      `Feed: default ${feedDefaults.limit}. Query: default ${queryLimits.limitDefault}, at most ${queryLimits.limitMax}.`,
    ),
    cursor: z
      .string()
      .max(cursorCharactersMax, 'it is no cursor; leave it out to start from the beginning')
      .optional()
      .openapi({
        description:
          '`meta.next` of the page before, with the same question. Any node of the mesh takes it; `limit` may change.',
      }),
  })
  .superRefine((values, context) => {
    for (const { parameter, detail } of contradictions(values)) {
      context.addIssue({ code: 'custom', path: [parameter], message: detail });
    }
  });

export type Question = z.output<typeof question>;

export function isQuery({ q, nofeed }: Pick<Question, 'q' | 'nofeed'>): boolean {
  return q !== undefined || nofeed === '1';
}

type Refused = { readonly parameter: string; readonly detail: string };

/** Parameters that are in order each for itself, but not together. */
function* contradictions(
  values: Pick<
    Question,
    'q' | 'nofeed' | 'explain' | 'related' | 'sort' | 'limit' | 'days' | 'hours' | 'observed' | 'reported'
  >,
): Generator<Refused> {
  const { q, nofeed, explain, related, sort, limit } = values;
  const query = isQuery(values);
  if (q !== undefined && nofeed === '0')
    yield { parameter: 'nofeed', detail: 'allowed with q is 1, as q is no question to a feed; leave it out' };
  if (q === undefined && explain === '1')
    yield { parameter: 'explain', detail: 'it needs q, the value to explain' };
  if (q === undefined && related !== undefined) yield { parameter: 'related', detail: 'allowed with q only' };
  if (!query && sort !== undefined)
    yield {
      parameter: 'sort',
      detail: 'allowed with q or nofeed=1 only: a feed has one order, that of its values',
    };
  if (query && limit !== undefined && limit > queryLimits.limitMax)
    yield {
      parameter: 'limit',
      detail: `allowed is a whole number from 1 to ${queryLimits.limitMax} in query mode`,
    };
  const window = query ? 'reported' : 'observed';
  for (const parameter of ['days', 'hours'] as const) {
    if (values[parameter] !== undefined && values[window] !== undefined)
      yield { parameter, detail: `allowed is either this or ${window}: both set the same window` };
  }
}

/** The place that a cursor stands for. Throws Problem 400. */
export function cursorOf(cursor: string, question: unknown): string {
  const key = readCursor(cursor, question);
  if (key !== undefined) return key;
  throw badCursor();
}

export function badCursor(): Problem {
  const detail = 'it belongs to another question, or is no cursor; leave it out to start from the beginning';
  return new Problem(400, `cursor: ${detail}`, { errors: [{ parameter: 'cursor', detail }] });
}
