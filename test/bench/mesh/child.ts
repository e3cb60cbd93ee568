import { createInterface } from 'node:readline';
import { spawnLines } from '../../support/process.ts';

/** What a process of a bench does when it is asked; the answer is written as JSON. */
export type Answers = Readonly<Record<string, (argument: never) => unknown>>;

export type Child = AsyncDisposable & {
  readonly pid: number;
  /** `argument` and the answer travel as JSON. */
  ask<T>(question: string, argument?: unknown): Promise<T>;
  kill(): Promise<unknown>;
};

const answerMsMax = 60_000;

/** Starts one of the scripts beside this file. `argument` is handed to it as JSON. Resolves when it can be asked. */
export async function startChild(script: string, argument: unknown): Promise<Child> {
  const running = await spawnLines(process.execPath, [
    ...(process.env['BENCH_NODE_FLAGS']?.split(' ') ?? []),
    '--expose-gc',
    '--import',
    import.meta.resolve('tsx'),
    '--conditions=tocsin-source',
    `${import.meta.dirname}/${script}`,
    JSON.stringify(argument),
  ]);
  await running.line(/^ready$/, { deadlineMs: answerMsMax });
  return {
    pid: running.pid,
    async ask<T>(question: string, value: unknown = null) {
      running.write(`${question} ${JSON.stringify(value)}`);
      const line = await running.line(new RegExp(`^${question} `), { deadlineMs: answerMsMax });
      return JSON.parse(line.slice(question.length + 1)) as T;
    },
    kill: () => running.stop('SIGKILL'),
    [Symbol.asyncDispose]: async () => {
      running.endInput();
      await running.ended;
    },
  };
}

/** The child's side: answers until stdin ends, then ends the process. */
export function serve(answers: Answers): void {
  const lines = createInterface({ input: process.stdin });
  lines.on('line', async (line) => {
    const question = line.slice(0, line.indexOf(' '));
    const answer = await answers[question]?.(JSON.parse(line.slice(question.length + 1)) as never);
    console.log(`${question} ${JSON.stringify(answer ?? null)}`);
  });
  lines.on('close', () => process.exit(0));
  console.log('ready');
}

export function childArgument<T>(): T {
  return JSON.parse(process.argv[2] ?? 'null') as T;
}

/** Of a clock that all processes of a machine share. */
export function sharedMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Of this process with all its threads. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
