import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { spawnLines } from './process.ts';

export type Browser = AsyncDisposable & {
  /** Opens a page, and waits until it is loaded. */
  open(url: string): Promise<BrowserPage>;
};

export type BrowserPage = {
  /** What the expression, or the promise that it is, is in the page. Rejects with what it throws. */
  evaluate(expression: string): Promise<unknown>;
};

type Answer = {
  readonly id?: number;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly message: string };
};

/** A real browser without a window, driven over the DevTools protocol (chromedevtools.github.io/devtools-protocol). */
export async function startChromium(command = 'chromium'): Promise<Browser> {
  const profile = await mkdtemp(join(tmpdir(), 'tocsin-chromium-'));
  const running = await spawnLines(command, [
    '--headless=new',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--no-first-run',
    '--remote-debugging-port=0',
    `--user-data-dir=${profile}`,
    'about:blank',
  ]);
  const listening = await running.line(/^DevTools listening on ws:/, { deadlineMs: 60_000 });
  const socket = new WebSocket(listening.slice(listening.indexOf('ws:')));
  await once(socket, 'open');
  const waiting = new Map<number, (answer: Answer) => void>();
  let lastId = 0;
  socket.on('message', (data) => {
    const answer = JSON.parse(String(data)) as Answer;
    if (answer.id !== undefined) waiting.get(answer.id)?.(answer);
  });

  async function ask(method: string, params: object, sessionId?: string) {
    const id = ++lastId;
    const answered = new Promise<Answer>((resolve) => waiting.set(id, resolve));
    socket.send(JSON.stringify({ id, method, params, ...(sessionId !== undefined && { sessionId }) }));
    const { result, error } = await answered;
    waiting.delete(id);
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result ?? {};
  }

  return {
    async open(url) {
      const { targetId } = await ask('Target.createTarget', { url });
      const { sessionId } = await ask('Target.attachToTarget', { targetId, flatten: true });
      const evaluate = async (expression: string): Promise<unknown> => {
        const params = { expression, awaitPromise: true, returnByValue: true };
        const { result, exceptionDetails } = await ask('Runtime.evaluate', params, String(sessionId));
        if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
        return (result as { readonly value?: unknown }).value;
      };
      const loaded = `new Promise((resolve) => {
        if (document.readyState === 'complete' && location.href !== 'about:blank') resolve(location.href);
        else addEventListener('load', () => resolve(location.href));
      })`;
      // The page of before has another world, which ends with the expression in it.
      for (let at: unknown; at !== url; ) at = await evaluate(loaded).catch(() => undefined);
      return { evaluate };
    },
    async [Symbol.asyncDispose]() {
      socket.terminate();
      await running.stop();
      await rm(profile, { recursive: true, force: true });
    },
  };
}
