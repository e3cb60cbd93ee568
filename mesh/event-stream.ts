import { createEventQueue, type QueuedEvent } from './event-queue.ts';
import type { MeshEvent } from './events.ts';
import type { MeshLimits } from './limits.ts';

export type EventsOptions = {
  /** Ends the iteration at once, as `break` does. */
  readonly signal?: AbortSignal;
  /** False leaves whispers and shouts out, for who wants to know only who is here. */
  readonly content?: boolean;
};

export type EventStreamParts = {
  readonly subscribe: (listener: (event: MeshEvent) => void) => () => void;
  /** Runs `ended` when the mesh has stopped, or now if it has; returns what takes it back. */
  readonly onStopped: (ended: () => void) => () => void;
  readonly limits: MeshLimits;
};

type Result = IteratorResult<QueuedEvent, undefined>;

const done: Result = { done: true, value: undefined };

/**
 * The events of a mesh from now on, beginning with the peers that are here already, for one `for await`. What waits is
 * bounded (event-queue.ts). Once the mesh has stopped, what waits is still given, and then the iteration ends.
 */
export function eventStream(
  { subscribe, onStopped, limits }: EventStreamParts,
  { signal, content = true }: EventsOptions = {},
): AsyncIterableIterator<QueuedEvent, undefined> {
  const queue = createEventQueue(limits);
  const waiters: ((result: Result) => void)[] = [];
  let ended = false;

  function take(): Result | undefined {
    const value = queue.take();
    if (value !== undefined) return { done: false, value };
    return ended ? done : undefined;
  }

  function finish(): void {
    if (ended) return;
    ended = true;
    unsubscribe();
    forget();
    signal?.removeEventListener('abort', abandon);
    for (const resolve of waiters.splice(0)) resolve(done);
  }

  function abandon(): void {
    queue.clear();
    finish();
  }

  const unsubscribe = subscribe((event) => {
    if (!content && (event.kind === 'whisper' || event.kind === 'shout')) return;
    queue.push(event);
    // A reader that waits has emptied the queue.
    const resolve = waiters.shift();
    if (resolve !== undefined) resolve(take() ?? done);
  });
  let forget: () => void = () => {};
  forget = onStopped(finish);
  signal?.addEventListener('abort', abandon);
  if (signal?.aborted) abandon();

  return {
    next() {
      const result = take();
      return result === undefined ? new Promise((resolve) => waiters.push(resolve)) : Promise.resolve(result);
    },
    async return() {
      abandon();
      return done;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
