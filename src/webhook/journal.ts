import type { Clock } from '../clock.ts';
import type { DocumentWrite } from '../event/document.ts';
import { ownerLimits as limits } from './limits.ts';

/** Writes an owner's documents, one commit at a time. */
export interface Journal {
  /** With the progress of that moment, in one commit: the one never says what the other does not have. */
  write(writes: readonly DocumentWrite[]): void;
  /** There is progress, which is written before long. */
  touch(): void;
  /** Writes what there is, at once; resolves when it is stored, or cannot be. */
  flush(): Promise<void>;
  /** When progress was last written, Unix ms. */
  readonly writtenMs: number;
  /** Writes nothing from now on. */
  stop(): void;
}

export type JournalParts = {
  readonly clock: Clock;
  readonly say: (writes: readonly DocumentWrite[]) => Promise<unknown>;
  readonly progress: () => DocumentWrite;
  /** Told once, until a write succeeds again. */
  readonly failed: (error: unknown) => void;
};

export function createJournal({ clock, say, progress, failed }: JournalParts): Journal {
  let waiting: DocumentWrite[] = [];
  let isTouched = false;
  let writing: Promise<void> | undefined;
  let writtenMs = clock.wallMs();
  let timer: { stop(): void } | undefined;
  let isFailing = false;
  let stopped = false;

  function after(delayMs: number): void {
    if (stopped || timer !== undefined) return;
    timer = clock.after(delayMs, () => {
      timer = undefined;
      void run();
    });
  }

  function run(): Promise<void> {
    writing ??= commit().finally(() => {
      writing = undefined;
      if (waiting.length > 0 || isTouched) after(limits.progressEveryMs);
    });
    return writing;
  }

  async function commit(): Promise<void> {
    const writes = waiting;
    waiting = [];
    isTouched = false;
    writtenMs = clock.wallMs();
    try {
      await say([...writes, progress()]);
      isFailing = false;
    } catch (error) {
      waiting = [...writes, ...waiting];
      isTouched = true;
      if (!isFailing) failed(error);
      isFailing = true;
    }
  }

  return {
    write(writes) {
      if (stopped) return;
      waiting.push(...writes);
      if (writing === undefined) void run();
    },
    touch() {
      isTouched = true;
      if (writing === undefined) after(limits.progressEveryMs);
    },
    async flush() {
      await writing;
      if (!stopped && (waiting.length > 0 || isTouched)) await run();
    },
    get writtenMs() {
      return writtenMs;
    },
    stop() {
      stopped = true;
      timer?.stop();
    },
  };
}
