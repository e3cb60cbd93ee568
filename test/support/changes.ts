import type { Change, RecordChanged } from '../../src/store/store.ts';

/** Those about indicators. */
export function recordChanges(changes: readonly Change[]): readonly RecordChanged[] {
  return changes.filter((change): change is RecordChanged => 'outcome' in change);
}
