import { isAllowlistEntry } from '../indicator/allowlist-tags.ts';
import { recordId } from '../indicator/record.ts';
import type { IndicatorRecord } from '../indicator/types.ts';
import { type CountDeltas, countChange } from './counts.ts';
import { newestKey } from './keys.ts';
import { encodeRecord } from './record-codec.ts';
import type { Rows } from './rows.ts';
import type { RecordTables } from './tables.ts';

/** A record that is written, or removed; `text` is its encoding, when that is at hand. */
export type RecordChange = {
  readonly key: string;
  readonly before: IndicatorRecord | undefined;
  readonly after: IndicatorRecord | undefined;
  readonly text?: string;
};

/** Everything that is computed from records, in one place, so that no index can fall behind. */
export function recordRows(
  rows: Rows,
  tables: RecordTables,
  { key, before, after, text }: RecordChange,
): void {
  const wasEntry = before !== undefined && isAllowlistEntry(before);
  if (after === undefined) {
    rows.del(tables.records, key);
    if (before === undefined) return;
    rows.del(tables.newest, newestKey(before.reporttimeMs, key));
    rows.del(tables.ids, recordId(before));
    if (wasEntry) rows.del(tables.allowlist, key);
    return;
  }
  const encoded = text ?? encodeRecord(after);
  rows.put(tables.records, key, encoded);
  if (isAllowlistEntry(after)) rows.put(tables.allowlist, key, encoded);
  else if (wasEntry) rows.del(tables.allowlist, key);
  if (before === undefined) rows.put(tables.ids, recordId(after), key);
  if (before?.reporttimeMs === after.reporttimeMs) return;
  if (before !== undefined) rows.del(tables.newest, newestKey(before.reporttimeMs, key));
  rows.put(tables.newest, newestKey(after.reporttimeMs, key), '');
}

export function countDeltas(changes: Iterable<Pick<RecordChange, 'before' | 'after'>>): CountDeltas {
  const deltas: CountDeltas = new Map();
  for (const { before, after } of changes) countChange(deltas, before, after);
  return deltas;
}
