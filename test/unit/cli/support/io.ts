import { Readable } from 'node:stream';
import { curvePairOf } from 'tocsin/mesh';

import type { Io, Output, StopSignal } from '../../../../src/cli/io.ts';

export type TestIo = Io & {
  readonly out: () => string;
  readonly err: () => string;
  /** What the command said it would wait for, in milliseconds. Once that is told, the time has passed: no test waits. */
  readonly waits: number[];
  readonly exits: number[];
  send(signal: StopSignal): void;
};

export type TestIoOptions = Partial<Io> & {
  readonly terminal?: number;
  readonly input?: string | Uint8Array;
};

/** An Io that remembers. `terminal` is a width; without it standard output is a pipe. */
export function testIo(options: TestIoOptions = {}): TestIo {
  const { terminal, input = '', ...parts } = options;
  const out: string[] = [];
  const err: string[] = [];
  const waits: number[] = [];
  const exits: number[] = [];
  const listeners = new Set<(signal: StopSignal) => void>();
  const timers = new Set<{ readonly dueMs: number; readonly task: () => void }>();
  let passedMs = 0;
  function pass(ms: number): void {
    waits.push(ms);
    // The wait begins when it has been told.
    setImmediate(() => {
      passedMs += ms;
      for (const timer of [...timers].filter(({ dueMs }) => dueMs <= passedMs)) {
        timers.delete(timer);
        timer.task();
      }
    });
  }
  const output = (lines: string[], hears: (text: string) => void): Output => ({
    isTTY: terminal !== undefined,
    columns: terminal,
    async write(text) {
      const line = typeof text === 'string' ? text : Buffer.from(text).toString();
      lines.push(line);
      hears(line);
    },
  });
  let nowMs = 1_000;
  return {
    env: {},
    cwd: '/nowhere',
    stdin: Readable.from([Buffer.from(input)]),
    stdout: output(out, () => undefined),
    stderr: output(err, (text) => {
      const [, seconds] = /\b(?:connecting|[Tt]rying) again.* in ([\d.]+) s\./.exec(text) ?? [];
      if (seconds !== undefined) pass(Number(seconds) * 1_000);
    }),
    nowMs: () => {
      nowMs += 1;
      return nowMs;
    },
    after(delayMs, task) {
      const timer = { dueMs: passedMs + delayMs, task };
      timers.add(timer);
      return { stop: () => void timers.delete(timer) };
    },
    random: () => 1,
    onSignal(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    exit: (code) => exits.push(code),
    isAlive: (pid) => pid === process.pid,
    curvePairOf: async (key) => curvePairOf(key),
    startNode: () => Promise.reject(new Error('no node is started in this test')),
    ...parts,
    out: () => out.join(''),
    err: () => err.join(''),
    waits,
    exits,
    send: (signal) => {
      for (const listener of listeners) listener(signal);
    },
  };
}
