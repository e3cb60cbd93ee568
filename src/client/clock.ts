import type { Clock } from '../clock.ts';

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    return { stop: () => clearTimeout(timer) };
  },
};

/** Resolves after `ms`, or at once when the signal aborts. */
export function sleep(clock: Clock, ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.after(ms, wake);
    function wake(): void {
      timer.stop();
      signal?.removeEventListener('abort', wake);
      resolve();
    }
    signal?.addEventListener('abort', wake);
    if (signal?.aborted) wake();
  });
}
