import { labsUsable, startLab } from '../support/netlab.ts';
import { labHosts, loopbackHosts } from './hosts.ts';
import { help, type Options, readOptions } from './options.ts';
import { runChaos } from './run.ts';

/**
 * Where there are network namespaces this process makes a lab of one host more than there are nodes, and starts itself again
 * on that one: the run then sees every node, whoever is cut off from whom.
 */
const insideMark = 'CHAOS_INSIDE_LAB';
const runMsMax = 24 * 60 * 60 * 1_000;

// Connections that are kept open for the next request would hold the process.
process.exit(await main(process.argv.slice(2)));

async function main(args: readonly string[]): Promise<number> {
  let options: Options | undefined;
  try {
    options = readOptions(args, () => Math.floor(Math.random() * 0x1_0000_0000));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${help}`);
    return 2;
  }
  if (options === undefined) {
    console.log(help);
    return 0;
  }
  if (process.env[insideMark] !== undefined) {
    endWithParent();
    return goodOrBad(await runChaos(options, labHosts(options.nodes), console.log));
  }
  if (options.netns && labsUsable()) return runInLab(options, args);
  // What was started ends in 'exit' handlers, which a signal alone would not reach.
  onSignal(() => process.exit(1));
  return goodOrBad(await runChaos(options, await loopbackHosts(options.nodes), console.log));
}

async function runInLab({ nodes, seed }: Options, args: readonly string[]): Promise<number> {
  await using lab = await startLab({ hosts: nodes + 1 });
  const again = [...process.execArgv, import.meta.filename, ...args, '--seed', String(seed)];
  await using inside = await lab.spawn(nodes + 1, process.execPath, again, { env: { [insideMark]: '1' } });
  onSignal(() => void inside.stop());
  for (;;) {
    try {
      console.log(await inside.line(/(?:)/, { deadlineMs: runMsMax }));
    } catch {
      // It has ended, and all its lines are read.
      return (await inside.ended).code ?? 1;
    }
  }
}

/** A parent that was killed took no lab down and ended nobody; its end of our stdin is closed all the same. */
function endWithParent(): void {
  process.on('SIGTERM', () => process.exit(1));
  process.stdin.once('end', () => process.exit(1)).resume();
}

/** Ctrl-C may come twice, from the terminal and from npm; the second one must not end us half way. */
function onSignal(listener: () => void): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, listener);
}

function goodOrBad(good: boolean): number {
  return good ? 0 : 1;
}
