import type { IndicatorRecord } from '../indicator/types.ts';
import { isBehind } from '../store/keys.ts';

export const sortNames = ['reporttime', 'lasttime', 'confidence', 'indicator'] as const;

/** An order of records. `indicator` is the order of values in which they are stored (sort-key.ts), by itype. */
export type Sort = { readonly by: (typeof sortNames)[number]; readonly descending: boolean };

/** Where a record stands in an order: unique, as no two records have one key. */
export type Place = { readonly rank: number; readonly key: string };

export function placeOf({ by }: Sort, record: IndicatorRecord, key: string): Place {
  return { rank: rankOf(by, record), key };
}

/** Negative when `a` comes before `b`. Records that rank alike stand in the order of their keys. */
export function compare({ by, descending }: Sort, a: Place, b: Place): number {
  const sign = descending ? -1 : 1;
  if (a.rank !== b.rank) return sign * (a.rank - b.rank);
  if (a.key === b.key) return 0;
  return (by === 'indicator' ? sign : 1) * (isBehind(a.key, b.key) ? 1 : -1);
}

function rankOf(by: Sort['by'], { reporttimeMs, lasttimeMs, confidence }: IndicatorRecord): number {
  switch (by) {
    case 'reporttime':
      return reporttimeMs;
    case 'lasttime':
      return lasttimeMs;
    case 'confidence':
      return confidence;
    case 'indicator':
      return 0;
    default:
      return by satisfies never;
  }
}
