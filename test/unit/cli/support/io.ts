import { Readable } from 'node:stream';
import { curvePairOf } from 'tocsin/mesh';

import type { Io, Output, StopSignal } from '../../../../src/cli/io.ts';

export type TestIo = Io & {
  readonly out: () => string;
  readonly err: () => string;
  /** What the command waited for, in milliseconds; no test waits. */
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
  const output = (lines: string[]): Output => ({
    isTTY: terminal !== undefined,
    columns: terminal,
    async write(text) {
      lines.push(typeof text === 'string' ? text : Buffer.from(text).toString());
    },
  });
  let nowMs = 1_000;
  return {
    env: {},
    cwd: '/nowhere',
    stdin: Readable.from([Buffer.from(input)]),
    stdout: output(out),
    stderr: output(err),
    nowMs: () => {
      nowMs += 1;
      return nowMs;
    },
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      waits.push(ms);
    },
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
