import type { IndicatorRecord, Itype } from '../indicator/types.ts';
import type { IndicatorStore } from '../store/store.ts';
import { type Filter, matches } from './filter.ts';

/** Query mode: specific questions, unfiltered answers, newest first. */
export type Query = {
  /** Exactly this value; without it everything, newest first. */
  readonly value?: { readonly itype: Itype; readonly indicator: string };
  readonly filter: Filter;
  readonly limit: number;
  /** A key of the store, from the page before. */
  readonly after?: string;
};

export type QueryPage = { readonly records: readonly IndicatorRecord[]; readonly next?: string };

const pageSize = 500;

/** How many records one page may look at before it hands over a cursor, so that a rare match does not hold the node up. */
const scannedMax = 100_000;

/** Answers a query from the store. Paging is stable: a record that is updated meanwhile moves to the front, and is not lost. */
export async function runQuery(store: IndicatorStore, query: Query): Promise<QueryPage> {
  const { value, filter, limit } = query;
  if (value !== undefined) {
    const found = await store.byValue(value.itype, value.indicator);
    const records = found.filter((record) => matches(filter, record)).sort(byNewest);
    return { records: records.slice(0, limit) };
  }
  const records: IndicatorRecord[] = [];
  let after = query.after;
  for (let scanned = 0; scanned < scannedMax; ) {
    const page = await store.newest(
      after,
      Math.min(pageSize, filterIsOpen(filter) ? limit - records.length : pageSize),
    );
    for (const [i, record] of page.records.entries()) {
      if (!matches(filter, record)) continue;
      records.push(record);
      if (records.length < limit) continue;
      // Behind the record itself, which may stand in the middle of a page.
      const last = i === page.records.length - 1 && page.next === undefined;
      return last ? { records } : { records, next: store.newestKeyOf(record) };
    }
    if (page.next === undefined) return { records };
    after = page.next;
    scanned += page.records.length;
  }
  return after === undefined ? { records } : { records, next: after };
}

function byNewest(a: IndicatorRecord, b: IndicatorRecord): number {
  return b.reporttimeMs - a.reporttimeMs;
}

function filterIsOpen(filter: Filter): boolean {
  return Object.keys(filter).length === 0;
}
