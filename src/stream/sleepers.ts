import type { Clock } from '../clock.ts';
import { isWanted, type Offered, type StreamFilter } from './stream-filter.ts';

/** Readers that have come to the end, and wait for what they want. */
export interface Sleepers {
  readonly size: number;
  /**
   * Waits at the end of the stream until something is there that is wanted, `signal` aborts, or `waitMs` have passed, and
   * answers the position up to which nothing was wanted.
   */
  sleep(position: number, wanted: StreamFilter, signal: AbortSignal, waitMs: number): Promise<number>;
  /** What came next, up to `last`: wakes those who want some of it; the others sleep on behind it. */
  offer(changes: readonly Offered[], last: number): void;
  wakeAll(): void;
}

type Sleeper = { readonly wanted: StreamFilter; position: number; wake(): void };

/** A change is looked at by each sleeper where it is, without waking it: at five hundred readers waking is what costs. */
export function createSleepers(clock: Clock): Sleepers {
  const sleepers = new Set<Sleeper>();
  return {
    get size() {
      return sleepers.size;
    },
    sleep: (position, wanted, signal, waitMs) =>
      new Promise((resolve) => {
        const timer = Number.isFinite(waitMs) ? clock.after(waitMs, wake) : undefined;
        const sleeper: Sleeper = { wanted, position, wake };
        function wake(): void {
          sleepers.delete(sleeper);
          timer?.stop();
          signal.removeEventListener('abort', wake);
          resolve(sleeper.position);
        }
        sleepers.add(sleeper);
        signal.addEventListener('abort', wake);
        if (signal.aborted) wake();
      }),
    offer(changes, last) {
      for (const sleeper of sleepers) {
        if (isAnyWanted(sleeper.wanted, changes)) sleeper.wake();
        else sleeper.position = last;
      }
    },
    wakeAll() {
      for (const { wake } of [...sleepers]) wake();
    },
  };
}

function isAnyWanted(wanted: StreamFilter, changes: readonly Offered[]): boolean {
  for (const change of changes) if (isWanted(wanted, change)) return true;
  return false;
}
