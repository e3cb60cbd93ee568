/** Time, handed in: the system's in a running node, the simulator's in a simulated fleet. */
export interface Clock {
  /** Unix time in milliseconds. May jump; never used to judge liveness. */
  wallMs(): number;
  /** Milliseconds that only ever grow. */
  monotonicMs(): number;
  /** Runs `task` once after `delayMs`. The timer never keeps the process alive by itself. */
  after(delayMs: number, task: () => void): Timer;
}

export interface Timer {
  /** Stopping twice, or after it ran, does nothing. */
  stop(): void;
}

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, task) {
    const handle = setTimeout(task, delayMs);
    handle.unref();
    return { stop: () => clearTimeout(handle) };
  },
};

/**
 * Runs `task` again and again, `delayMs()` after the last run ended; a function, so that callers can jitter it.
 * A task that throws ends the loop and the error reaches the process: it is our own bug.
 */
export function every(clock: Clock, delayMs: () => number, task: () => void): Timer {
  let stopped = false;
  let timer = clock.after(delayMs(), run);
  function run(): void {
    task();
    if (!stopped) timer = clock.after(delayMs(), run);
  }
  return {
    stop() {
      stopped = true;
      timer.stop();
    },
  };
}
