import { isBehind, type KeyRange } from './keys.ts';
import { eachPart, largeParts } from './reading.ts';
import { decodeRecord } from './record-codec.ts';
import type { RangeRecords, RecordPage } from './store.ts';
import type { RecordTables } from './tables.ts';
import { keysOfValue, valueOfRange } from './value-index.ts';

type Records = RecordTables['records'];

/** Rows that are read where the next range may lie near, and those that are read at once where it does not end. */
const rowsAtFirst = 2;
/** Of a single value, one by one: each takes some microseconds. */
const recordsAtOnceMax = 16;
const rowsAtOnce = 1_000;
/** LevelDB's own 16 KiB hold some sixty records, and each reading is handed to another thread and back. */
const bytesAtOnce = 512 * 1024;

type Tables = Pick<RecordTables, 'records' | 'values'>;

/** The records in ranges that ascend and do not touch, in key order, from behind `after`. */
export async function readRanges(
  tables: Tables,
  ranges: readonly KeyRange[],
  after: string | undefined,
  limit: number,
): Promise<RecordPage> {
  const [only] = ranges;
  if (only !== undefined && ranges.length === 1 && after === undefined) {
    const texts = textsAtOnce(tables, only, limit + 1);
    if (texts !== undefined && texts.length <= limit) return { records: texts.map(decodeRecord) };
  }
  const found: { readonly key: string; readonly text: string }[] = [];
  await walk(
    tables.records,
    after === undefined ? ranges : behind(ranges, after),
    limit + 1,
    (_, key, text) => {
      found.push({ key, text });
      return found.length > limit ? 'stop' : 'on';
    },
  );
  const next = found.length > limit ? found[limit - 1]?.key : undefined;
  const records = found.slice(0, limit).map(({ text }) => decodeRecord(text));
  return next === undefined ? { records } : { records, next };
}

/**
 * The first records of each range, `eachMax` at most; of all ranges together `allMax`. The ranges may come in any order,
 * lie within one another, and be there twice. `narrow` takes out those that are known to hold nothing.
 */
export async function readEachRange(
  tables: Tables,
  ranges: readonly KeyRange[],
  narrow: (ranges: readonly KeyRange[]) => readonly KeyRange[],
  eachMax: number,
  allMax: number,
): Promise<readonly RangeRecords[]> {
  type Found = { readonly range: KeyRange; readonly texts: string[]; more: boolean };
  const byRange = new Map<string, Found>(
    narrow(ranges).map((range) => [nameOf(range), { range, texts: [], more: false }]),
  );
  let taken = 0;
  const wide: Found[] = [];
  for (const found of byRange.values()) {
    const texts = textsAtOnce(tables, found.range, Math.min(eachMax, allMax - taken) + 1);
    if (texts === undefined) {
      wide.push(found);
      continue;
    }
    found.texts.push(...texts.slice(0, Math.min(eachMax, allMax - taken)));
    found.more = found.texts.length < texts.length;
    taken += found.texts.length;
  }
  for (const list of apart(wide)) {
    await walk(
      tables.records,
      list.map(({ range }) => range),
      rowsAtFirst,
      (at, _, text) => {
        const found = list[at];
        if (found === undefined) return 'stop';
        if (found.texts.length === eachMax || taken === allMax) {
          found.more = true;
          return 'next-range';
        }
        found.texts.push(text);
        taken++;
        return 'on';
      },
    );
  }
  const read = new Map<string, RangeRecords>();
  for (const [name, { texts, more }] of byRange) read.set(name, { records: texts.map(decodeRecord), more });
  return ranges.map((range) => read.get(nameOf(range)) ?? { records: [], more: false });
}

/** The first records of a single value, read where we stand; undefined when the range is wider, or the value has too many. */
function textsAtOnce(
  { records, values }: Tables,
  range: KeyRange,
  limit: number,
): readonly string[] | undefined {
  const value = valueOfRange(range);
  if (value === undefined) return undefined;
  const keys = keysOfValue(values, value);
  if (keys.length > recordsAtOnceMax) return undefined;
  return keys.slice(0, limit).flatMap((key) => records.getSync(key) ?? []);
}

/** The keys of all addresses and networks, in lots. */
export async function* addressKeys(table: Records): AsyncIterable<readonly string[]> {
  yield* eachPart(table.keys({ ...largeParts, gt: 'ipv4\0', lt: 'ipv6\u0001' }));
}

function nameOf({ gt, lt }: KeyRange): string {
  return `${gt}\n${lt}`;
}

/** What is left of ranges that ascend. */
function behind(ranges: readonly KeyRange[], after: string): readonly KeyRange[] {
  return ranges
    .filter(({ lt }) => isBehind(lt, after))
    .map(({ gt, lt }) => ({ gt: isBehind(after, gt) ? after : gt, lt }));
}

/** Lists of ranges that ascend and do not touch: as many as ranges lie within one another. */
function apart<T extends { readonly range: KeyRange }>(items: readonly T[]): readonly (readonly T[])[] {
  const isPast = comparison(items.map(({ range }) => range));
  const sorted = [...items].sort((a, b) => (isPast(a.range.gt, b.range.gt) ? 1 : -1));
  const lists: { readonly items: T[]; end: string }[] = [];
  for (const item of sorted) {
    const list = lists.find(({ end }) => !isPast(end, item.range.gt));
    if (list === undefined) lists.push({ items: [item], end: item.range.lt });
    else {
      list.items.push(item);
      list.end = item.range.lt;
    }
  }
  return lists.map((list) => list.items);
}

type Visit = (at: number, key: string, text: string) => 'on' | 'next-range' | 'stop';

/**
 * Shows the rows in ranges that ascend and do not touch, in key order. One iterator reads them all: what lies between two
 * ranges is leapt over, and ranges in which nothing can be are never looked for, as the row that was found lies behind them.
 */
async function walk(
  table: Records,
  ranges: readonly KeyRange[],
  rowsWanted: number,
  visit: Visit,
): Promise<void> {
  const [first] = ranges;
  const last = ranges.at(-1);
  if (first === undefined || last === undefined) return;
  const isPast = comparison(ranges);
  // Of LevelDB on disk; a store in memory has no such option.
  const options = { gt: first.gt, lt: last.lt, highWaterMarkBytes: bytesAtOnce };
  const iterator = table.iterator(options);
  try {
    let at = 0;
    let size = ranges.length === 1 ? Math.min(rowsWanted, rowsAtOnce) : rowsAtFirst;
    for (let rows = await iterator.nextv(size); rows.length > 0; rows = await iterator.nextv(size)) {
      const atBefore = at;
      let leapTo: string | undefined;
      for (const [key, text] of rows) {
        let range = ranges[at];
        while (range !== undefined && !isPast(range.lt, key)) range = ranges[++at];
        if (range === undefined) return;
        leapTo = isPast(key, range.gt) ? undefined : range.gt;
        if (leapTo !== undefined) continue;
        const verdict = visit(at, key, text);
        if (verdict === 'stop') return;
        if (verdict === 'next-range') {
          leapTo = ranges[++at]?.gt;
          if (leapTo === undefined) return;
        }
      }
      size = at === atBefore ? Math.min(size * 2, rowsAtOnce) : rowsAtFirst;
      if (leapTo !== undefined) iterator.seek(leapTo);
    }
  } finally {
    await iterator.close();
  }
}

/** Where no bound goes beyond ASCII, UTF-16 sorts a key against it as bytes do, whatever the key holds. */
function comparison(ranges: readonly KeyRange[]): (key: string, other: string) => boolean {
  const isAscii = ranges.every(({ gt, lt }) => /^[\0-\u007f]*$/.test(gt) && /^[\0-\u007f]*$/.test(lt));
  return isAscii ? (key, other) => key > other : isBehind;
}
