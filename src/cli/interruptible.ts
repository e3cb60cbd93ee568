import { exitCodes } from './exit.ts';
import type { Io } from './io.ts';

/** The first signal ends the work after the batch at hand, the second ends the process. */
export function interruptible(io: Io): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const forget = io.onSignal(() => {
    if (controller.signal.aborted) io.exit(exitCodes.interrupted);
    else controller.abort();
  });
  return { signal: controller.signal, [Symbol.dispose]: forget };
}
