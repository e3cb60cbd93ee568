import { fileURLToPath } from 'node:url';
import { spawnLines } from '../../support/process.ts';

export type ListenTo =
  | { readonly kind: 'zeromq' | 'bare'; readonly endpoint: string }
  | { readonly kind: 'sse'; readonly url: string; readonly token: string }
  | { readonly kind: 'nats'; readonly url: string }
  | { readonly kind: 'jetstream'; readonly url: string; readonly stream: string };

export type Heard = {
  readonly events: number;
  /** Different event ids, and different indicators. */
  readonly ids: number;
  readonly indicators: number;
  /** When the last one came, on `nowMs`. */
  readonly lastMs: number;
};

/** From the making of a row to its arrival; NaN when there was none. */
export type Latency = { readonly p50Ms: number; readonly p99Ms: number };

/** A process with one subscription. */
export type Listener = AsyncDisposable & {
  readonly pid: number;
  latency(): Promise<Latency>;
  /** Begins to count anew. */
  forget(): Promise<void>;
  /** Resolves when it had `count` events, or nothing came for `silentMs`. */
  heardAll(count: number, silentMs?: number): Promise<Heard>;
};

const script = fileURLToPath(new URL('./listener-process.ts', import.meta.url));
/** Nothing came for so long: nothing more will. */
const silentMsDefault = 15_000;
/** Asking takes of the cores as well. */
const pollMs = 100;

/** Starts `listener-process.ts`; resolves once it is subscribed. */
export async function startListener(to: ListenTo): Promise<Listener> {
  const running = await spawnLines(process.execPath, [
    ...(process.env['BENCH_NODE_FLAGS']?.split(' ') ?? []),
    '--import',
    import.meta.resolve('tsx'),
    '--conditions=tocsin-source',
    script,
    JSON.stringify(to),
  ]);
  await running.line(/^ready/, { deadlineMs: 30_000 });

  async function ask<T>(question: 'count' | 'forget' | 'latency'): Promise<T> {
    running.write(question);
    return JSON.parse((await running.line(new RegExp(`^${question} `))).slice(question.length + 1)) as T;
  }

  return {
    pid: running.pid,
    latency: () => ask('latency'),
    async forget() {
      await ask('forget');
    },
    async heardAll(count, silentMs = silentMsDefault) {
      let before = -1;
      for (let sinceMs = performance.now(); ; ) {
        const now = await ask<Heard>('count');
        if (now.events >= count || performance.now() - sinceMs > silentMs) return now;
        if (now.events !== before) sinceMs = performance.now();
        before = now.events;
        await new Promise((resolve) => setTimeout(resolve, pollMs));
      }
    },
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}
