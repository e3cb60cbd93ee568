import { accept, type Parsed, refuse } from '../parsed.ts';
import type { IndicatorStore } from '../store/store.ts';
import type { Answer, QueryPage } from './answer.ts';
import type { Filter } from './filter.ts';
import { queryLimits } from './limits.ts';
import type { Part } from './parts.ts';
import { scan } from './scan.ts';
import { compare, type Place, placeOf, type Sort } from './sort.ts';

type Placed = Answer & { readonly place: Place };

/** The records of all parts in an order in which they are not stored: all are read and sorted, so their number is capped. */
export async function inOrder(
  store: IndicatorStore,
  parts: readonly Part[],
  filter: Filter,
  sort: Sort,
  limit: number,
  after: string | undefined,
): Promise<Parsed<QueryPage, 'bad-position' | 'too-many-to-sort'>> {
  const from = after === undefined ? undefined : readPlace(after);
  if (after !== undefined && from === undefined)
    return refuse('bad-position', 'it names no place in this answer');
  const placed: Placed[] = [];
  let scanned = 0;
  for await (const found of scan(store, parts, filter, { part: 0, key: '' }, queryLimits.limitDefault)) {
    for (const answer of found.answers) {
      placed.push({ ...answer, place: placeOf(sort, answer.record, store.itypeKeyOf(answer.record)) });
    }
    scanned += found.scanned;
    if (placed.length > queryLimits.sortedMax || scanned > queryLimits.scannedMax) return refuseMany();
  }
  const rest = placed
    .sort((a, b) => compare(sort, a.place, b.place))
    .filter(({ place }) => from === undefined || compare(sort, place, from) > 0);
  const answers = rest.slice(0, limit).map(({ place: _, ...answer }) => answer);
  const last = rest.length > limit ? rest[limit - 1]?.place : undefined;
  return accept(last === undefined ? { answers } : { answers, next: writePlace(last) });
}

function refuseMany(): Parsed<never, 'too-many-to-sort'> {
  const { sortedMax, scannedMax } = queryLimits;
  return refuse(
    'too-many-to-sort',
    `allowed are questions with at most ${sortedMax} answers among ${scannedMax} records: narrow it, or leave sort out and ` +
      'page through the answer in the order of values',
  );
}

function readPlace(text: string): Place | undefined {
  const [, rank, key] = /^(\d+(?:\.\d+)?) (.*)$/s.exec(text) ?? [];
  return rank === undefined || key === undefined ? undefined : { rank: Number(rank), key };
}

function writePlace({ rank, key }: Place): string {
  return `${rank} ${key}`;
}
