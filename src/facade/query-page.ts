import { canonicalise } from '../indicator/canonical.ts';
import { presentRecord, publicRecordFields } from '../indicator/present.ts';
import type { Itype } from '../indicator/types.ts';
import { writeCursor } from '../query/cursor.ts';
import { runQuery } from '../query/query.ts';
import type { Page } from './page.ts';
import { filterFrom } from './parameters.ts';
import type { FacadeParts } from './parts.ts';
import { Problem } from './problem.ts';
import { cursorOf, type Question, queryDefaults } from './question.ts';

/** Query mode. Throws Problem 400. */
export async function queryPage(values: Question, { store, clock }: FacadeParts): Promise<Page> {
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
