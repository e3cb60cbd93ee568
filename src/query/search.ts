import type { Canonical } from '../indicator/canonical.ts';
import type { IndicatorStore } from '../store/store.ts';
import type { Answer } from './answer.ts';
import { type Filter, isAnswer } from './filter.ts';
import { searchLimits } from './limits.ts';
import type { Related } from './match.ts';
import { partsOf } from './parts.ts';

/** What was found about one value; `more` when there are further records, which a query pages through. */
export type SearchAnswer = { readonly answers: readonly Answer[]; readonly more: boolean };

/** So many values are looked up in one go, so that other work gets its turn: their ranges are sorted without a pause. */
const valuesAtOnce = 100;

type Asking = { readonly related: Related; readonly filter: Filter; readonly limit: number };

/**
 * Looks many values up, a hundred in one pass over the store. Each value is given as the kinds that it can be of; `limit` is
 * for one value.
 */
export async function searchValues(
  store: IndicatorStore,
  values: readonly (readonly Canonical[])[],
  asking: Asking,
): Promise<readonly SearchAnswer[]> {
  const found: SearchAnswer[] = [];
  let left: number = searchLimits.recordsMax;
  for (let start = 0; start < values.length; start += valuesAtOnce) {
    const some = await searchSome(store, values.slice(start, start + valuesAtOnce), asking, left);
    for (const { answers } of some) left -= answers.length;
    found.push(...some);
  }
  return found;
}

async function searchSome(
  store: IndicatorStore,
  values: readonly (readonly Canonical[])[],
  { related, filter, limit }: Asking,
  recordsMax: number,
): Promise<readonly SearchAnswer[]> {
  const parts = values.map((kinds) =>
    kinds
      .flatMap((kind) => partsOf(kind, related))
      .filter(({ itype }) => filter.itypes?.includes(itype) ?? true),
  );
  const ranges = parts.flatMap((of) => of.flatMap((part) => part.ranges));
  const found = await store.ofEachRange(ranges, limit, recordsMax);
  let at = 0;
  let left = recordsMax;
  return parts.map((of) => {
    const answers: Answer[] = [];
    let more = false;
    for (const part of of) {
      for (const { records, more: isCut } of found.slice(at, at + part.ranges.length)) {
        more ||= isCut;
        for (const record of records) {
          if (!isAnswer(filter, record)) continue;
          if (answers.length === Math.min(limit, left)) more = true;
          else answers.push(part.match === undefined ? { record } : { record, match: part.match });
        }
      }
      at += part.ranges.length;
    }
    left -= answers.length;
    return { answers, more };
  });
}
