import { isStated } from '../indicator/record.ts';
import type { IndicatorRecord } from '../indicator/types.ts';
import { getEach } from './reading.ts';
import type { Rows } from './rows.ts';
import type { RecordTables } from './tables.ts';

/** What records are counted by. */
export const countedFields = ['itype', 'provider', 'tag', 'confidence'] as const;
export type CountedField = (typeof countedFields)[number];

/** How many records say `name`. */
export type FieldCount = { readonly name: string; readonly records: number };

/** Changes of counts, by the key of the count. */
export type CountDeltas = Map<string, number>;

/** So many are kept in memory: a fleet has some hundred providers and tags, and a stranger can make up any number. */
const knownMax = 20_000;

/** Counts of records whose statement holds, kept in step with them: each write writes those that it changes. */
export interface Counts {
  /** Reads what is not known yet, so that `rows` can be written in one turn. */
  load(deltas: CountDeltas): Promise<void>;
  addRows(rows: Rows, deltas: CountDeltas): void;
}

export function createCounts({ counts }: Pick<RecordTables, 'counts'>): Counts {
  const known = new Map<string, number>();
  return {
    async load(deltas) {
      if (known.size > knownMax) known.clear();
      const unknown = [...deltas.keys()].filter((key) => !known.has(key));
      const found = await getEach(counts, unknown);
      for (const [i, key] of unknown.entries()) known.set(key, Number(found[i] ?? 0));
    },
    addRows(rows, deltas) {
      for (const [key, delta] of deltas) {
        if (delta === 0) continue;
        const count = (known.get(key) ?? 0) + delta;
        known.set(key, count);
        if (count > 0) rows.put(counts, key, String(count));
        else rows.del(counts, key);
      }
    },
  };
}

/** What a record counts towards, before and after it changed. */
export function countChange(
  deltas: CountDeltas,
  before: IndicatorRecord | undefined,
  after: IndicatorRecord | undefined,
): void {
  if (before !== undefined && after !== undefined && isCountedAlike(before, after)) return;
  for (const key of keysOf(before)) deltas.set(key, (deltas.get(key) ?? 0) - 1);
  for (const key of keysOf(after)) deltas.set(key, (deltas.get(key) ?? 0) + 1);
}

function isCountedAlike(a: IndicatorRecord, b: IndicatorRecord): boolean {
  // A provider that says the same again is most of what a node takes.
  return (
    isStated(a) === isStated(b) &&
    a.confidence === b.confidence &&
    a.tags.length === b.tags.length &&
    a.tags.every((tag, i) => tag === b.tags[i])
  );
}

function keysOf(record: IndicatorRecord | undefined): readonly string[] {
  if (record === undefined || !isStated(record)) return [];
  const { itype, provider, tags, confidence } = record;
  return [
    countKey('itype', itype),
    countKey('provider', provider),
    countKey('confidence', String(Math.floor(confidence))),
    ...tags.map((tag) => countKey('tag', tag)),
  ];
}

function countKey(field: CountedField, name: string): string {
  return `${field}\0${name}`;
}

/** The names of a field in their order, from behind `after`. */
export async function readCounts(
  { counts }: Pick<RecordTables, 'counts'>,
  field: CountedField,
  after: string | undefined,
  limit: number,
): Promise<readonly FieldCount[]> {
  const rows = await counts.iterator({ gt: countKey(field, after ?? ''), lt: `${field}\u0001`, limit }).all();
  return rows.map(([key, text]) => ({ name: key.slice(field.length + 1), records: Number(text) }));
}
