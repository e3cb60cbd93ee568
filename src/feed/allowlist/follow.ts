import type { Clock } from '../../clock.ts';
import type { IndicatorRecord } from '../../indicator/types.ts';
import type { IndicatorStore } from '../../store/store.ts';
import { type Allowlist, createAllowlist, type LiveAllowlist } from './allowlist.ts';

/** The allowlist of a store's records. */
export interface FollowedAllowlist {
  /** Undefined while it is loaded, or when it cannot be: then no feed may be made. */
  current(): Allowlist | undefined;
  /** Resolves when the present load has ended, whatever its end. */
  loaded(): Promise<void>;
  stop(): void;
}

/**
 * Loads the allowlist from a store and keeps it in step: with each commit, and anew when a snapshot has taken the records'
 * place. `failed` is told why it could not be loaded.
 */
export function followAllowlist(
  store: IndicatorStore,
  clock: Pick<Clock, 'wallMs'>,
  failed: (error: unknown) => void,
): FollowedAllowlist {
  let list: LiveAllowlist | undefined;
  let loading: Promise<void> = Promise.resolve();
  /** A load that another one has overtaken comes to nothing. */
  let loads = 0;
  /** What was committed while the list is loaded, which may have been read before it. */
  let meanwhile: IndicatorRecord[] = [];

  const stopCommits = store.onCommitted(({ changes }) => {
    for (const change of changes) {
      if (!('record' in change)) continue;
      const { record } = change;
      if (list === undefined) meanwhile.push(record);
      // Whether it is an entry, still is, or is no more, is judged there.
      else list.put(record);
    }
  });
  // What a sweep removes has expired, which ends an entry by itself.
  const stopReplaced = store.onReplaced((by) => {
    if (by === 'snapshot') start();
  });

  function start(): void {
    list = undefined;
    meanwhile = [];
    loading = load(++loads).catch(failed);
  }

  async function load(turn: number): Promise<void> {
    const made = createAllowlist(clock);
    for await (const records of store.allowlist()) {
      if (turn !== loads) return;
      for (const record of records) made.put(record);
    }
    if (turn !== loads) return;
    for (const record of meanwhile) made.put(record);
    [list, meanwhile] = [made, []];
  }

  start();
  return {
    current: () => list,
    loaded: () => loading,
    stop() {
      loads++;
      list = undefined;
      stopCommits();
      stopReplaced();
    },
  };
}
