import type { IndicatorRecord } from '../indicator/types.ts';
import { isBehind, type KeyRange, valueName } from '../store/keys.ts';
import type { Asked } from './asked.ts';
import { everyRelation } from './match.ts';
import { type Part, partsOf } from './parts.ts';

/** What a question about values looks at in a record. */
export type Watched = Pick<IndicatorRecord, 'itype' | 'indicator'>;

/** Whether a record would answer a question, told of the record alone. */
export type Watch = (watched: Watched, key: string) => boolean;

/** A watch's second argument, which many watches of one record share. */
export function watchKeyOf({ itype, indicator }: Watched): string {
  // Like a record's key, in which provider and group follow.
  return `${valueName(itype, indicator)}\0.`;
}

/**
 * The same relations as those of a query with every relation: the value itself, what covers it or lies inside it, names below
 * it, URLs and e-mail addresses at it, its host; of a pattern the names that fit.
 */
export function watchOf(asked: readonly Asked[]): Watch {
  const byItype = new Map<Watched['itype'], Part[]>();
  for (const part of asked.flatMap((one) => partsOf(one, everyRelation))) {
    const parts = byItype.get(part.itype) ?? [];
    byItype.set(part.itype, [...parts, part]);
  }
  return (watched, key) =>
    byItype
      .get(watched.itype)
      ?.some(({ ranges, accepts }) => isWithin(ranges, key) && (accepts?.(watched) ?? true)) ?? false;
}

/** The ranges of a part ascend and do not touch. */
function isWithin(ranges: readonly KeyRange[], key: string): boolean {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBehind(key, ranges[middle]?.gt ?? '')) low = middle + 1;
    else high = middle;
  }
  const range = ranges[low - 1];
  return range !== undefined && isBehind(range.lt, key);
}
