import { accept, type Parsed, refuse } from '../parsed.ts';
import type { IndicatorStore } from '../store/store.ts';
import type { QueryPage } from './answer.ts';
import type { Asked } from './asked.ts';
import type { Filter } from './filter.ts';
import type { Related } from './match.ts';
import { newestRecords } from './newest.ts';
import { partsOf, partsOfAll } from './parts.ts';
import { inParts } from './scan.ts';
import type { Sort } from './sort.ts';
import { inOrder } from './sorted.ts';

/** Query mode: specific questions, unfiltered answers. */
export type Query = {
  /** What is asked about; without it everything. */
  readonly asked?: readonly Asked[];
  readonly related: Related;
  readonly filter: Filter;
  /** Without it: the closest first, then by value; and of everything the newest first. */
  readonly sort?: Sort;
  readonly limit: number;
  /** `next` of the page before. */
  readonly after?: string;
};

export type QueryRefusal = 'bad-position' | 'bad-sort' | 'too-many-to-sort';

/**
 * Answers a query from the store, page by page. Paging is stable while others write. In the order of values no record ever
 * moves: none is lost or shown twice. Sorted by what can change, a record that changes meanwhile moves to its new place, where
 * a later page or a new question finds it, and no other is lost or shown twice.
 */
export function runQuery(store: IndicatorStore, query: Query): Promise<Parsed<QueryPage, QueryRefusal>> {
  const { asked, related, filter, limit, sort, after } = query;
  if (asked !== undefined) {
    const parts = asked.flatMap((one) => partsOf(one, related));
    return sort === undefined
      ? inParts(store, parts, filter, limit, after)
      : inOrder(store, parts, filter, sort, limit, after);
  }
  if (sort === undefined || (sort.by === 'reporttime' && sort.descending)) {
    return newestRecords(store, filter, limit, after).then(accept);
  }
  if (sort.by === 'indicator' && !sort.descending) return inParts(store, partsOfAll(), filter, limit, after);
  const reason = 'allowed without q are -reporttime (the default) and indicator: there is an index of these';
  return Promise.resolve(refuse('bad-sort', reason));
}
