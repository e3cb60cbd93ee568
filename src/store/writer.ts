import { StoreError, storeErrorOf } from './errors.ts';

/** Work that has the store to itself while it runs. */
type Task = { readonly kind: 'task'; readonly run: () => Promise<void> };
type Item<T> = { readonly kind: 'item'; readonly item: T; readonly reject: (error: unknown) => void };

/**
 * One writer: what each write reads is what the one before it wrote. Items that came meanwhile are written as one group, so
 * that they share one sync of the disk.
 */
export interface Writer<T> {
  push(item: T, reject: (error: unknown) => void): void;
  /** Runs alone, after all that was handed in before it. Rejects with StoreError. */
  alone<R>(run: () => Promise<R>): Promise<R>;
  /** Takes nothing more, and resolves once everything that was handed in is done. */
  close(): Promise<void>;
}

/** `sizeOf` an item counts towards `groupMax`; a larger group gains nothing and delays its first caller. */
export function createWriter<T>(
  writeGroup: (items: readonly T[]) => Promise<void>,
  sizeOf: (item: T) => number,
  groupMax: number,
): Writer<T> {
  const waiting: (Task | Item<T>)[] = [];
  let running: Promise<void> | undefined;
  let closed = false;

  async function run(): Promise<void> {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (next.kind === 'task') {
        await next.run();
        continue;
      }
      const group = [next];
      let size = sizeOf(next.item);
      for (let more = waiting[0]; more?.kind === 'item' && size < groupMax; more = waiting[0]) {
        group.push(more);
        size += sizeOf(more.item);
        waiting.shift();
      }
      try {
        await writeGroup(group.map(({ item }) => item));
      } catch (cause) {
        const error = storeErrorOf(cause);
        for (const { reject } of group) reject(error);
      }
    }
    running = undefined;
  }

  function start(): void {
    running ??= run();
  }

  return {
    push(item, reject) {
      if (closed) {
        reject(new StoreError('CLOSED', 'the store is closed'));
        return;
      }
      waiting.push({ kind: 'item', item, reject });
      start();
    },
    alone(task) {
      if (closed) return Promise.reject(new StoreError('CLOSED', 'the store is closed'));
      return new Promise((resolve, reject) => {
        waiting.push({
          kind: 'task',
          run: () => task().then(resolve, (cause: unknown) => reject(storeErrorOf(cause))),
        });
        start();
      });
    },
    async close() {
      closed = true;
      await running;
    },
  };
}
