import { Command, CommanderError } from 'commander';

import { ClientError } from '../client/errors.ts';
import { didYouMean } from '../config/closest.ts';
import { endedBy } from './connect.ts';
import { CliError, exitCodes } from './exit.ts';
import type { Io } from './io.ts';
import { printableLines } from './printable.ts';
import { version } from './version.ts';

/** A command's module: it adds its arguments, flags, help and action. */
type CommandModule = { configure(command: Command, io: Io): void };

type CommandEntry = { readonly summary: string; readonly load: () => Promise<CommandModule> };

// Only the command that is called is loaded, so that `tocsin search` does not wait for what `tocsin start` needs.
const commands: Readonly<Record<string, CommandEntry>> = {
  start: { summary: 'start a node (the default)', load: () => import('./commands/start.ts') },
  submit: { summary: 'send the indicators of a file to a node', load: () => import('./commands/submit.ts') },
  search: { summary: 'say what is known about an indicator', load: () => import('./commands/search.ts') },
  searches: {
    summary: 'say what people searched for',
    load: () => import('./commands/searches.ts'),
  },
  feed: { summary: 'print a feed that is safe to block', load: () => import('./commands/feed.ts') },
  allowlist: {
    summary: 'say what must never be in a feed',
    load: () => import('./commands/allowlist.ts'),
  },
  tail: { summary: 'print indicators as they arrive', load: () => import('./commands/tail.ts') },
  peers: { summary: 'list the nodes that a node is connected to', load: () => import('./commands/peers.ts') },
  mesh: { summary: 'watch who comes and goes in the mesh', load: () => import('./commands/mesh.ts') },
  status: { summary: 'say how a node is doing', load: () => import('./commands/status.ts') },
  keygen: { summary: 'make a mesh key', load: () => import('./commands/keygen.ts') },
  version: { summary: 'print the version', load: () => import('./commands/version.ts') },
};

/**
 * Runs one command line.
 * @param argv what stands behind `tocsin`
 * @returns the exit code (exit.ts); errors are already told on standard error
 */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  let help = '';
  let complaint = '';
  try {
    const program = new Command('tocsin')
      .description('A brokerless peer-to-peer mesh for threat intelligence.')
      .version(version())
      .helpCommand('help [command]', 'explain a command')
      .addHelpText('after', '\n`tocsin help <command>` explains a command and its exit codes.')
      .exitOverride()
      .configureOutput({
        writeOut: (text) => {
          help += text;
        },
        writeErr: (text) => {
          complaint += text;
        },
        getOutHelpWidth: () => io.stdout.columns ?? 100,
        getErrHelpWidth: () => io.stderr.columns ?? 100,
      });
    const called = calledCommand(argv);
    for (const [name, { summary, load }] of Object.entries(commands)) {
      const command = program
        .command(name, { isDefault: name === 'start' })
        .summary(summary)
        .description(summary);
      if (name === called) (await load()).configure(command, io);
    }
    await program.parseAsync(argv, { from: 'user' });
    return exitCodes.ok;
  } catch (error) {
    return await report(error, complaint, io);
  } finally {
    if (help !== '') await io.stdout.write(help).catch(() => undefined);
  }
}

/** The command that a line calls, so that it alone is loaded; undefined when the line asks for the general help. */
function calledCommand(argv: readonly string[]): string | undefined {
  const [first, second] = argv;
  const word = first === 'help' ? second : first;
  if (word === undefined) return first === 'help' ? undefined : 'start';
  if (word.startsWith('-')) return word === '--help' || word === '-h' ? undefined : 'start';
  if (Object.hasOwn(commands, word)) return word;
  const hint = didYouMean(word, Object.keys(commands));
  throw new CliError(exitCodes.usage, `${word} is no command.${hint} \`tocsin --help\` lists them.`);
}

async function report(error: unknown, complaint: string, io: Io): Promise<number> {
  if (isBrokenPipe(error)) return exitCodes.ok;
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return exitCodes.ok;
    await tell(io, `${complaint}\`tocsin --help\` explains the commands.\n`);
    return exitCodes.usage;
  }
  const told = error instanceof ClientError ? endedBy(error) : error;
  if (told instanceof CliError) {
    await tell(io, `${told.message}\n`);
    return told.exitCode;
  }
  // A fault of our own: the stack is what a bug report needs.
  await tell(
    io,
    `This is a bug in tocsin; please report it.\n${error instanceof Error ? error.stack : String(error)}\n`,
  );
  return exitCodes.failed;
}

/** The reader of our output (`| head`) has enough: that is no error. */
function isBrokenPipe(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EPIPE';
}

async function tell(io: Io, text: string): Promise<void> {
  await io.stderr.write(printableLines(text)).catch(() => undefined);
}
