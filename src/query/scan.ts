import type { IndicatorRecord } from '../indicator/types.ts';
import { accept, type Parsed, refuse } from '../parsed.ts';
import { isBehind } from '../store/keys.ts';
import type { IndicatorStore } from '../store/store.ts';
import type { Answer, QueryPage } from './answer.ts';
import { type Filter, isAnswer } from './filter.ts';
import { queryLimits } from './limits.ts';
import type { Part } from './parts.ts';

const pageSize = 1_000;

/** A page of what was found. */
type Found = {
  readonly part: number;
  readonly answers: readonly Answer[];
  /** Records that were looked at. */
  readonly scanned: number;
  /** The last of them, when there may be more behind it. */
  readonly reached?: string;
};

/** Where to go on: which part, and behind which key of it. */
type Position = { readonly part: number; readonly key: string };

/** The records of one part after another, in the order of values. A record that several parts hold is the first one's. */
export async function inParts(
  store: IndicatorStore,
  parts: readonly Part[],
  filter: Filter,
  limit: number,
  after: string | undefined,
): Promise<Parsed<QueryPage, 'bad-position'>> {
  const from = after === undefined ? { part: 0, key: '' } : readPosition(after);
  if (from === undefined) return refuse('bad-position', 'it names no place in this answer');
  const isOpen = Object.keys(filter).length === 0;
  const answers: Answer[] = [];
  let last: Position = from;
  let scanned = 0;
  for await (const found of scan(
    store,
    parts,
    filter,
    from,
    isOpen ? Math.min(limit + 1, pageSize) : pageSize,
  )) {
    for (const answer of found.answers) {
      if (answers.length === limit) return accept({ answers, next: writePosition(last) });
      answers.push(answer);
      if (answers.length === limit) last = { part: found.part, key: store.itypeKeyOf(answer.record) };
    }
    scanned += found.scanned;
    if (scanned >= queryLimits.scannedMax && found.reached !== undefined) {
      const next = answers.length === limit ? last : { part: found.part, key: found.reached };
      return accept({ answers, next: writePosition(next) });
    }
  }
  return accept({ answers });
}

/** What parts hold and the filter lets through, page by page, so that a broad question fills no memory. */
export async function* scan(
  store: IndicatorStore,
  parts: readonly Part[],
  filter: Filter,
  from: Position,
  size: number,
): AsyncIterable<Found> {
  const earlier = touching(parts);
  for (const [at, part] of parts.entries()) {
    if (at < from.part || filter.itypes?.includes(part.itype) === false) continue;
    const before = earlier[at] ?? [];
    let after = at === from.part && from.key !== '' ? from.key : undefined;
    do {
      const { records, next } = await store.inRanges(part.ranges, after, part.accepts ? pageSize : size);
      const answers = records
        .filter((record) => isAnswer(filter, record) && (part.accepts?.(record) ?? true))
        .filter((record) => before.length === 0 || !isIn(before, record, store.itypeKeyOf(record)))
        .map((record) => (part.match === undefined ? { record } : { record, match: part.match }));
      yield { part: at, answers, scanned: records.length, ...(next !== undefined && { reached: next }) };
      after = next;
    } while (after !== undefined);
  }
}

/** For each part the ones before it that can hold the same records, as `example.com` and `www.example.com` do. */
function touching(parts: readonly Part[]): readonly (readonly Part[])[] {
  return parts.map((part, at) => parts.slice(0, at).filter((other) => touches(part, other)));
}

function touches(one: Part, other: Part): boolean {
  if (one.itype !== other.itype) return false;
  const [a, b] = [one.ranges, other.ranges];
  const [firstA, lastA, firstB, lastB] = [a[0], a.at(-1), b[0], b.at(-1)];
  if (firstA === undefined || lastA === undefined || firstB === undefined || lastB === undefined)
    return false;
  return isBehind(lastA.lt, firstB.gt) && isBehind(lastB.lt, firstA.gt);
}

function isIn(parts: readonly Part[], record: IndicatorRecord, key: string): boolean {
  return parts.some(
    ({ ranges, accepts }) =>
      ranges.some(({ gt, lt }) => isBehind(key, gt) && isBehind(lt, key)) && (accepts?.(record) ?? true),
  );
}

function readPosition(text: string): Position | undefined {
  const [, part, key] = /^(\d{1,6}):(.*)$/s.exec(text) ?? [];
  return part === undefined || key === undefined ? undefined : { part: Number(part), key };
}

function writePosition({ part, key }: Position): string {
  return `${part}:${key}`;
}
