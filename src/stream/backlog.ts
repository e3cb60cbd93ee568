import type { IndicatorStore } from '../store/store.ts';
import { type Kept, kept } from './tail.ts';

const backlogLimits = {
  /** Read at once: a batch of the log is decoded whole, however little of it is wanted. */
  changesMax: 500,
  /** Stretches that readers on their way are in the middle of; who comes back to another one reads it again. */
  stretchesMax: 8,
} as const;

/** What lies behind the tail, read from the store in stretches that readers share: they take less at a time. */
export interface Backlog {
  /**
   * Changes from behind `position` on, up to a hole or to `before`; the first one may lie behind a hole. Rejects with
   * StoreError.
   */
  after(position: number, before: number): Promise<readonly Kept[]>;
  clear(): void;
}

export function createBacklog(store: Pick<IndicatorStore, 'changesAfter'>): Backlog {
  let stretches: (readonly Kept[])[] = [];
  return {
    async after(position, before) {
      for (const stretch of stretches) {
        const from = position + 1 - (stretch[0]?.change.position ?? Number.POSITIVE_INFINITY);
        if (from >= 0 && from < stretch.length) return stretch.slice(from);
      }
      const limit = Math.min(backlogLimits.changesMax, before - position - 1);
      const changes = await store.changesAfter(position, limit);
      const first = changes[0]?.position ?? 0;
      const hole = changes.findIndex((change, i) => change.position !== first + i);
      const stretch = (hole === -1 ? changes : changes.slice(0, hole)).map((change) => kept(change, 0));
      stretches = [stretch, ...stretches.slice(0, backlogLimits.stretchesMax - 1)];
      return stretch;
    },
    clear() {
      stretches = [];
    },
  };
}
