import { feedRowFields } from '../feed/aggregate.ts';
import { feedDefaults } from '../feed/defaults.ts';
import { makeFeed } from '../feed/feed.ts';
import { writeCursor } from '../query/cursor.ts';
import type { Page } from './page.ts';
import { filterFrom } from './parameters.ts';
import type { FacadeParts } from './parts.ts';
import { cursorOf, type Question } from './question.ts';

/** Feed mode. Throws Problem 400. */
export async function feedPage(values: Question, { store, clock }: FacadeParts): Promise<Page> {
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
