/** An iteration that can be left at any time, also while it waits: that closes its connection. */
export type Closable<T> = AsyncIterableIterator<T> & AsyncDisposable;

/**
 * An iteration over a generator that ends when its signal aborts. `return()` of a bare generator waits until what it waits for has
 * come; here it aborts it first. Without a reader nothing is opened.
 */
export function closable<T>(
  make: (signal: AbortSignal) => AsyncGenerator<T, void>,
  signal: AbortSignal | undefined,
): Closable<T> {
  const stop = new AbortController();
  const stopNow = (): void => stop.abort();
  const generator = make(stop.signal);
  let hasBegun = false;

  async function next(): Promise<IteratorResult<T, undefined>> {
    if (!hasBegun) {
      hasBegun = true;
      signal?.addEventListener('abort', stopNow);
      if (signal?.aborted) stopNow();
    }
    try {
      const result = await generator.next();
      if (result.done) signal?.removeEventListener('abort', stopNow);
      return result.done ? { done: true, value: undefined } : result;
    } catch (error) {
      signal?.removeEventListener('abort', stopNow);
      throw error;
    }
  }
  async function close(): Promise<IteratorResult<T, undefined>> {
    stopNow();
    signal?.removeEventListener('abort', stopNow);
    await generator.return();
    return { done: true, value: undefined };
  }
  return {
    next,
    return: close,
    [Symbol.asyncIterator]() {
      return this;
    },
    async [Symbol.asyncDispose]() {
      await close();
    },
  };
}
