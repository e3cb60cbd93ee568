import type { IndicatorStore } from '../store/store.ts';
import type { Answer, QueryPage } from './answer.ts';
import { type Filter, isAnswer } from './filter.ts';
import { queryLimits } from './limits.ts';

const pageSize = 500;

/** All records, newest first; those of one time in the order of their keys. `after` is a key of the store. */
export async function newestRecords(
  store: IndicatorStore,
  filter: Filter,
  limit: number,
  after: string | undefined,
): Promise<QueryPage> {
  const answers: Answer[] = [];
  const { fromMs, toMs } = reportedSpan(filter);
  let reached = after ?? (toMs === undefined ? undefined : store.newestFrom(toMs));
  for (let scanned = 0; scanned < queryLimits.scannedMax; ) {
    const size = filterIsOpen(filter) ? Math.min(limit - answers.length, pageSize) : pageSize;
    const page = await store.newest(reached, size);
    scanned += page.records.length;
    for (const [i, record] of page.records.entries()) {
      if (record.reporttimeMs < fromMs) return { answers };
      const key = store.newestKeyOf(record);
      // A record that was updated while the page was read stands at the front now: a cursor never goes back there.
      if (reached === undefined || key > reached) reached = key;
      if (!isAnswer(filter, record)) continue;
      answers.push({ record });
      if (answers.length < limit) continue;
      const last = i === page.records.length - 1 && page.next === undefined;
      return last || reached === undefined ? { answers } : { answers, next: reached };
    }
    if (page.next === undefined) return { answers };
    reached = page.next;
  }
  return reached === undefined ? { answers } : { answers, next: reached };
}

/** Outside it there is nothing to look for. */
function reportedSpan({ since, reported }: Filter): { readonly fromMs: number; readonly toMs?: number } {
  const sinceMs = since?.window === 'reported' ? since.ms : 0;
  const fromMs = Math.max(sinceMs, reported?.fromMs ?? 0);
  return reported?.toMs === undefined ? { fromMs } : { fromMs, toMs: reported.toMs };
}

function filterIsOpen(filter: Filter): boolean {
  return Object.keys(filter).length === 0;
}
