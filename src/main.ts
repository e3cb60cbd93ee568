#!/usr/bin/env -S node --no-memory-reducer
// V8 collects an idle process again and again to give memory back, which is half of what a node at rest costs: hence the flag.
import type { Io, Output, StopSignal } from './cli/io.ts';
import { runCli } from './cli/program.ts';

const io: Io = {
  env: process.env,
  cwd: process.cwd(),
  stdin: process.stdin,
  stdout: outputOf(process.stdout),
  stderr: outputOf(process.stderr),
  nowMs: () => Date.now(),
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    return { stop: () => clearTimeout(timer) };
  },
  random: Math.random,
  onSignal,
  exit: (code) => process.exit(code),
  isAlive,
  curvePairOf: async (key) => (await import('tocsin/mesh')).curvePairOf(key),
  async startNode(config, logLevel) {
    // Only a node pays for loading the mesh, the store and the web server.
    const [{ startTocsin }, { createLogger }] = await Promise.all([
      import('./compose.ts'),
      import('./telemetry/log.ts'),
    ]);
    return startTocsin(config, { log: createLogger(logLevel, process.stderr) });
  },
};

process.exitCode = await runCli(process.argv.slice(2), io);

function outputOf(stream: NodeJS.WriteStream): Output {
  // Each write reports its own failure; without a listener Node would end the process for it.
  stream.on('error', () => undefined);
  return {
    isTTY: stream.isTTY === true,
    get columns() {
      return stream.isTTY === true ? stream.columns : undefined;
    },
    write: (text) =>
      new Promise((resolve, reject) => {
        stream.write(text, (error) => (error ? reject(error) : resolve()));
      }),
  };
}

function onSignal(listener: (signal: StopSignal) => void): () => void {
  const signals: readonly StopSignal[] = ['SIGINT', 'SIGTERM'];
  for (const signal of signals) process.on(signal, listener);
  return () => {
    for (const signal of signals) process.off(signal, listener);
  };
}

/** Signal 0 asks and does nothing; EPERM means that it lives and belongs to another user (kill(2)). */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
