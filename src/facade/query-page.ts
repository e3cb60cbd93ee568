import type { Principal } from '../access/tokens.ts';
import { presentRecord, publicRecordFields } from '../indicator/present.ts';
import type { Answer } from '../query/answer.ts';
import { type Asked, readAsked } from '../query/asked.ts';
import { writeCursor } from '../query/cursor.ts';
import { queryLimits } from '../query/limits.ts';
import { everyRelation } from '../query/match.ts';
import { runQuery } from '../query/query.ts';
import { feedQuestionOf, orUnavailable } from './feed-page.ts';
import type { Page } from './page.ts';
import { filterFrom } from './parameters.ts';
import type { FacadeParts } from './parts.ts';
import { Problem } from './problem.ts';
import { badCursor, cursorOf, type Question } from './question.ts';
import { saySearches } from './searches.ts';

/** Query mode. `streamCursor` was taken before. Throws Problem 400. */
export async function queryPage(
  values: Question,
  by: Principal,
  parts: FacadeParts,
  streamCursor: string,
): Promise<Page> {
  const { store, clock, feeds } = parts;
  const { cursor, limit: askedLimit, nolog, explain: isExplained, related: askedRelations, ...rest } = values;
  const { q, itype, sort } = rest;
  const limit = askedLimit ?? queryLimits.limitDefault;
  const related = askedRelations ?? everyRelation;
  const question = { ...rest, related: [...related] };
  const asked = q === undefined ? undefined : readAsked(q, itype?.length === 1 ? itype[0] : undefined);
  if (asked?.ok === false) throw refusal('q', asked.reason);
  const nowMs = clock.wallMs();
  const answer = await runQuery(store, {
    related,
    filter: filterFrom(values, 'reported', nowMs),
    limit,
    ...(asked && { asked: asked.value }),
    ...(sort && { sort }),
    ...(cursor !== undefined && { after: cursorOf(cursor, question) }),
  });
  if (!answer.ok) throw answer.code === 'bad-position' ? badCursor() : refusal('sort', answer.reason);
  const { answers, next } = answer.value;
  if (asked !== undefined && cursor === undefined) saySearches(parts, asked.value, by, nolog);
  const explain = isExplained === '1' ? await explained(asked?.value ?? [], values, feeds, nowMs) : undefined;
  return {
    defaults: {
      ...(askedLimit === undefined && { limit }),
      ...(q !== undefined && askedRelations === undefined && { related: 'all' }),
      ...(q === undefined && sort === undefined && { sort: '-reporttime' }),
    },
    fields: q === undefined ? publicRecordFields : [...publicRecordFields, 'match'],
    rows: answers.map(presentAnswer),
    next: next === undefined ? undefined : writeCursor(next, question),
    streamCursor,
    ...(explain && { explain }),
  };
}

/** Why each value that was asked for is in the feed or is not; of patterns nothing. */
function explained(
  asked: readonly Asked[],
  values: Question,
  feeds: FacadeParts['feeds'],
  nowMs: number,
): Promise<readonly unknown[]> {
  const question = feedQuestionOf(values, nowMs);
  const each = asked.flatMap((one) => ('itype' in one ? [one] : []));
  return orUnavailable(() =>
    Promise.all(each.map(({ itype, indicator }) => feeds.explain(itype, indicator, question))),
  );
}

/** A record, and why it is in the answer when a value was asked about. */
export function presentAnswer({ record, match }: Answer) {
  return match === undefined ? presentRecord(record) : Object.assign(presentRecord(record), { match });
}

function refusal(parameter: string, detail: string): Problem {
  return new Problem(400, `${parameter}: ${detail}`, { errors: [{ parameter, detail }] });
}
