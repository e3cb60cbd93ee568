import type { AbstractBatchOperation } from 'abstract-level';
import { MemoryLevel } from 'memory-level';
import type { Level } from '../../src/store/level-store.ts';

/** For once; or as when the power goes off: nothing is written any more; or so that the failing write is there all the same. */
export type WriteFault = 'for once' | 'power off' | 'power off behind it';

export type FaultyLevel = {
  readonly level: Level;
  /** Lets the n-th write from the beginning fail. */
  failAt(write: number, fault: WriteFault): void;
  /** Writes so far: a batch is one, as it is there whole or not at all. */
  writes(): number;
  /** What a process finds that opens it after this one is gone: nothing of what was neither synced nor flushed. */
  copy(): Promise<MemoryLevel<string, string>>;
};

type Raw = MemoryLevel<string, string>;
type Operations = AbstractBatchOperation<Raw, Buffer, Buffer>[];
const asBytes = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const;

/** A LevelDB in memory whose writes fail where a test wants it. */
export function faultyLevel(from: Raw = new MemoryLevel<string, string>()): FaultyLevel {
  let writes = 0;
  /** What was there before what was not synced. */
  const before: (readonly [Buffer, Buffer | undefined])[] = [];
  let failing: { readonly at: number; readonly fault: WriteFault } | undefined;

  async function write(run: () => Promise<void>): Promise<void> {
    writes++;
    const { at, fault } = failing ?? { at: Number.POSITIVE_INFINITY, fault: 'for once' };
    if (writes < at || (writes > at && fault === 'for once')) return run();
    if (writes === at && fault === 'power off behind it') await run();
    throw new Error('IO error: No space left on device');
  }

  // Sublevels hand their writes to the level's own methods below, which all of the store's writes end in.
  const raw = from as unknown as {
    _put(key: unknown, value: unknown, options: unknown): Promise<void>;
    _del(key: unknown, options: unknown): Promise<void>;
    _batch(operations: Operations, options: { readonly sync?: boolean }): Promise<void>;
    _clear(options: unknown): Promise<void>;
    compactRange?(): Promise<void>;
  };
  const own = { put: raw._put, del: raw._del, batch: raw._batch, clear: raw._clear };
  raw._put = (key, value, options) => write(() => own.put.call(from, key, value, options));
  raw._del = (key, options) => write(() => own.del.call(from, key, options));
  raw._batch = (operations, options) =>
    write(async () => {
      if (options.sync === false) {
        for (const { key } of operations) before.push([key, await from.get<Buffer, Buffer>(key, asBytes)]);
      }
      return own.batch.call(from, operations, options);
    });
  raw.compactRange = () =>
    write(async () => {
      before.length = 0;
    });
  raw._clear = (options) => write(() => own.clear.call(from, options));

  return {
    level: from,
    failAt(at, fault) {
      failing = { at, fault };
    },
    writes: () => writes,
    async copy() {
      const copied = new MemoryLevel<string, string>();
      for await (const [key, value] of from.iterator<string, Uint8Array>({ valueEncoding: 'view' })) {
        await copied.put<string, Uint8Array>(key, value, { valueEncoding: 'view' });
      }
      for (const [key, value] of [...before].reverse()) {
        if (value === undefined) await copied.del<Buffer>(key, asBytes);
        else await copied.put<Buffer, Buffer>(key, value, asBytes);
      }
      return copied;
    },
  };
}
