import { fileURLToPath } from 'node:url';
import { spawnLines } from '../../support/process.ts';
import type { Subscriber } from './side.ts';

const script = fileURLToPath(new URL('./subscriber-process.ts', import.meta.url));
/** Nothing came for so long: nothing more will. */
const silentMs = 15_000;
const pollMs = 20;

/** Starts `subscriber-process.ts`; resolves once it is subscribed. */
export async function startSubscriber(kind: string, ...args: readonly string[]): Promise<Subscriber> {
  const tsx = import.meta.resolve('tsx');
  const running = await spawnLines(process.execPath, [
    '--import',
    tsx,
    '--conditions=tocsin-source',
    script,
    kind,
    ...args,
  ]);
  await running.line(/^ready/, { deadlineMs: 30_000 });

  async function ask(): Promise<{ readonly count: number; readonly lastMs: number }> {
    running.write('count');
    const [, count, lastMs] = (await running.line(/^heard/)).split(' ');
    return { count: Number(count), lastMs: Number(lastMs) };
  }
  return {
    pid: running.pid,
    heard: async () => (await ask()).count,
    async heardAll(wanted) {
      let count = -1;
      for (let sinceMs = performance.now(); performance.now() - sinceMs < silentMs; ) {
        const now = await ask();
        if (now.count >= wanted) return now.lastMs;
        if (now.count !== count) sinceMs = performance.now();
        count = now.count;
        await new Promise((resolve) => setTimeout(resolve, pollMs));
      }
      return undefined;
    },
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}
