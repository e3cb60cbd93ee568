import type { Canonical } from '../indicator/canonical.ts';
import type { IndicatorStore } from '../store/store.ts';
import type { Answer } from './answer.ts';
import { type Filter, matches } from './filter.ts';
import { searchLimits } from './limits.ts';
import type { Related } from './match.ts';
import { partsOf } from './parts.ts';

/** What was found about one value; `more` when there are further records, which a query pages through. */
export type SearchAnswer = { readonly answers: readonly Answer[]; readonly more: boolean };

/**
 * Looks many values up at once, in one pass over the store. Each value is given as the kinds that it can be of; `limit` is for
 * one value.
 */
export async function searchValues(
  store: IndicatorStore,
  values: readonly (readonly Canonical[])[],
  { related, filter, limit }: { readonly related: Related; readonly filter: Filter; readonly limit: number },
): Promise<readonly SearchAnswer[]> {
  const parts = values.map((kinds) =>
    kinds
      .flatMap((kind) => partsOf(kind, related))
      .filter(({ itype }) => filter.itypes?.includes(itype) ?? true),
  );
  const ranges = parts.flatMap((of) => of.flatMap((part) => part.ranges));
  const found = await store.ofEachRange(ranges, limit, searchLimits.recordsMax);
  let at = 0;
  let left: number = searchLimits.recordsMax;
  return parts.map((of) => {
    const answers: Answer[] = [];
    let more = false;
    for (const part of of) {
      for (const { records, more: isCut } of found.slice(at, at + part.ranges.length)) {
        more ||= isCut;
        for (const record of records) {
          if (!matches(filter, record)) continue;
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
