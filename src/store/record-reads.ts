import { createHash } from 'node:crypto';
import type { Saying, Vector } from '../event/types.ts';
import { expiresAtMs } from '../indicator/expiry.ts';
import { saysMore } from '../indicator/record.ts';
import type { IndicatorRecord } from '../indicator/types.ts';
import { decodeDocument, isDocumentKey } from './document.ts';
import { documentBeyond } from './document-reads.ts';
import { recordKeyOf } from './keys.ts';
import { eachPart, getEach, largeParts } from './reading.ts';
import { decodeRecord } from './record-codec.ts';
import type { Digest, RecordPage } from './store.ts';
import type { RecordTables } from './tables.ts';
import { keysOfValue } from './value-index.ts';

/** Questions to one generation of records. Those about ranges of values are in ranges.ts and scan.ts. */

export async function recordsByKey(
  { records }: RecordTables,
  keys: readonly string[],
): Promise<ReadonlyMap<string, IndicatorRecord>> {
  const wanted = [...new Set(keys)];
  const found = await getEach(records, wanted);
  const existing = new Map<string, IndicatorRecord>();
  for (const [i, key] of wanted.entries()) {
    const text = found[i];
    if (text !== undefined) existing.set(key, decodeRecord(text));
  }
  return existing;
}

/** `value` as keys.ts names it. */
export async function recordsOfValue(
  tables: RecordTables,
  value: string,
): Promise<readonly IndicatorRecord[]> {
  const found = await recordsByKey(tables, keysOfValue(tables.values, value));
  return [...found.values()];
}

export async function recordById(
  { ids, records }: RecordTables,
  id: string,
): Promise<IndicatorRecord | undefined> {
  const key = await ids.get(id);
  const text = key === undefined ? undefined : await records.get(key);
  return text === undefined ? undefined : decodeRecord(text);
}

/** By reporttime, newest first, from behind `after`. */
export async function newestPage(
  { newest, records }: RecordTables,
  after: string | undefined,
  limit: number,
): Promise<RecordPage> {
  const keys = await newest.keys({ ...(after !== undefined && { gt: after }), limit: limit + 1 }).all();
  const next = keys.length > limit ? keys[limit - 1] : undefined;
  const texts = await records.getMany(keys.slice(0, limit).map(recordKeyOf));
  // A record that moved to the front meanwhile is found under its key all the same.
  const found = texts.flatMap((text) => (text === undefined ? [] : [decodeRecord(text)]));
  return next === undefined ? { records: found } : { records: found, next };
}

export async function* allowlistEntries({
  allowlist,
}: RecordTables): AsyncGenerator<readonly IndicatorRecord[], void> {
  for await (const texts of eachPart(allowlist.values(largeParts))) yield texts.map(decodeRecord);
}

/** Of the records as they are now, whatever is written while it runs. */
export async function digestOf({ records }: RecordTables, vector: Vector): Promise<Digest> {
  const hash = createHash('sha256');
  let count = 0;
  for await (const rows of eachPart(records.iterator(largeParts))) {
    for (const [key, text] of rows) {
      hash.update(key).update('\0').update(text).update('\n');
      if (!isDocumentKey(key)) count++;
    }
  }
  return { sha256: hash.digest('hex'), records: count, vector };
}

/** What `old` records say and the present ones do not, but for what has been expired since before `expiredBeforeMs`. */
export async function* saidBy(
  old: RecordTables,
  present: RecordTables,
  expiredBeforeMs: number,
): AsyncGenerator<readonly Saying[], void> {
  for await (const rows of eachPart(old.records.iterator(largeParts))) {
    const found = await present.records.getMany(rows.map(([key]) => key));
    const more = rows.flatMap(([key, text], i): readonly Saying[] => {
      const now = found[i];
      if (now === text) return [];
      if (isDocumentKey(key)) return documentBeyond(now, decodeDocument(text), expiredBeforeMs);
      const record = decodeRecord(text);
      // The others have swept it.
      if (expiresAtMs(record) < expiredBeforeMs) return [];
      return saysMore(record, now === undefined ? undefined : decodeRecord(now));
    });
    if (more.length > 0) yield more;
  }
}
