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

/**
 * Answers a query from the store, newest first; records of one time in the order of their keys. Paging is stable: a record
 * that is updated meanwhile moves to the front, where a new question finds it, and no other is lost or shown twice. `next`
 * says that there may be more.
 */
export function runQuery(store: IndicatorStore, query: Query): Promise<QueryPage> {
  return query.value === undefined ? allRecords(store, query) : recordsOf(store, query, query.value);
}

async function recordsOf(
  store: IndicatorStore,
  { filter, limit, after = '' }: Query,
  { itype, indicator }: NonNullable<Query['value']>,
): Promise<QueryPage> {
  const found = (await store.byValue(itype, indicator))
    .filter((record) => matches(filter, record))
    .map((record) => ({ record, key: store.newestKeyOf(record) }))
    .filter(({ key }) => key > after)
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  const records = found.slice(0, limit).map(({ record }) => record);
  const next = found.length > limit ? found[limit - 1]?.key : undefined;
  return next === undefined ? { records } : { records, next };
}

async function allRecords(store: IndicatorStore, { filter, limit, after }: Query): Promise<QueryPage> {
  const records: IndicatorRecord[] = [];
  const sinceMs = filter.since?.window === 'reported' ? filter.since.ms : 0;
  let reached = after;
  for (let scanned = 0; scanned < scannedMax; ) {
    const size = filterIsOpen(filter) ? Math.min(limit - records.length, pageSize) : pageSize;
    const page = await store.newest(reached, size);
    scanned += page.records.length;
    for (const [i, record] of page.records.entries()) {
      if (record.reporttimeMs < sinceMs) return { records };
      const key = store.newestKeyOf(record);
      // A record that was updated while the page was read stands at the front now: a cursor never goes back there.
      if (reached === undefined || key > reached) reached = key;
      if (!matches(filter, record)) continue;
      records.push(record);
      if (records.length < limit) continue;
      const last = i === page.records.length - 1 && page.next === undefined;
      return last || reached === undefined ? { records } : { records, next: reached };
    }
    if (page.next === undefined) return { records };
    reached = page.next;
  }
  return reached === undefined ? { records } : { records, next: reached };
}

function filterIsOpen(filter: Filter): boolean {
  return Object.keys(filter).length === 0;
}
