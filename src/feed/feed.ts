import { isStated } from '../indicator/record.ts';
import { specialPurpose } from '../indicator/special-purpose.ts';
import { type IndicatorRecord, type Itype, itypes } from '../indicator/types.ts';
import { type Filter, matches } from '../query/filter.ts';
import type { IndicatorStore } from '../store/store.ts';
import { aggregate, type FeedRow } from './aggregate.ts';
import { defaultDays } from './defaults.ts';

export type FeedRequest = {
  /** Its `since` is only there when it was asked for: the default depends on the itype. */
  readonly filter: Filter;
  readonly limit: number;
  /** A key of the store, from the page before. */
  readonly after?: string;
};

export type Feed = {
  readonly rows: readonly FeedRow[];
  /** Values left out because they lie in special-purpose address space, which no device should ever block. */
  readonly allowlisted: number;
  readonly next?: string;
};

const pageSize = 1_000;
const dayMs = 24 * 60 * 60 * 1_000;

/**
 * A feed: recent, confident statements of one value as one row, in the order of values, the same bytes for the same records.
 * What has expired or lies in special-purpose space is never in it.
 */
export async function makeFeed(store: IndicatorStore, request: FeedRequest, nowMs: number): Promise<Feed> {
  const { limit } = request;
  const rows: FeedRow[] = [];
  let allowlisted = 0;
  for await (const statements of valuesOf(store, request)) {
    const [{ itype, indicator }] = statements;
    const filter = filterFor(request.filter, itype, nowMs);
    const [first, ...more] = statements.filter(
      (record) => isStated(record) && matches(filter, record) && !isExpired(record, nowMs),
    );
    if (first === undefined) continue;
    if (specialPurpose(itype, indicator) !== undefined) {
      allowlisted++;
      continue;
    }
    rows.push(aggregate([first, ...more]));
    const last = statements.at(-1);
    if (rows.length === limit && last !== undefined)
      return { rows, allowlisted, next: store.itypeKeyOf(last) };
  }
  return { rows, allowlisted };
}

/** All records of one value after another: the store keeps a value's providers side by side. */
async function* valuesOf(
  store: IndicatorStore,
  { filter, after }: FeedRequest,
): AsyncIterable<[IndicatorRecord, ...IndicatorRecord[]]> {
  const wanted = itypes.filter((itype) => filter.itypes?.includes(itype) ?? true);
  const startAt = after === undefined ? 0 : wanted.findIndex((itype) => after.startsWith(`${itype}\0`));
  for (const [i, itype] of wanted.slice(Math.max(startAt, 0)).entries()) {
    let statements: IndicatorRecord[] = [];
    let from: string | undefined = i === 0 ? after : undefined;
    do {
      const page = await store.byItype(itype, from, pageSize);
      for (const record of page.records) {
        if (statements[0] !== undefined && statements[0].indicator !== record.indicator) {
          yield [statements[0], ...statements.slice(1)];
          statements = [];
        }
        statements.push(record);
      }
      from = page.next;
    } while (from !== undefined);
    if (statements[0] !== undefined) yield [statements[0], ...statements.slice(1)];
  }
}

function filterFor(filter: Filter, itype: Itype, nowMs: number): Filter {
  if (filter.since !== undefined) return filter;
  return { ...filter, since: { window: 'observed', ms: nowMs - defaultDays(itype) * dayMs } };
}

function isExpired({ expiretimeMs }: IndicatorRecord, nowMs: number): boolean {
  return expiretimeMs !== undefined && expiretimeMs <= nowMs;
}
