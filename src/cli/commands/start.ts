import { basename, dirname, join, relative, resolve } from 'node:path';
import { type Command, Option } from 'commander';

import { readSettings } from '../../config/read.ts';
import { type Setting, settingKeys, settings } from '../../config/settings.ts';
import { validateSettings } from '../../config/validate.ts';
import { CliError, exitCodes } from '../exit.ts';
import type { Io, StartedNode, StopSignal } from '../io.ts';
import { printable } from '../printable.ts';
import { version } from '../version.ts';

type StartOptions = Readonly<Record<string, unknown>> & { readonly config?: string };

const signalExitCodes: Readonly<Record<StopSignal, number>> = {
  SIGINT: exitCodes.interrupted,
  SIGTERM: exitCodes.terminated,
};

export function configure(command: Command, io: Io): void {
  command.description(
    'Start a node. Nodes on one machine find each other; so do nodes on one network whose mesh is open to it.\n' +
      'Every flag has a variable and a key of the settings file; flag > variable > file > default.',
  );
  for (const key of settingKeys) {
    const option = optionOf(settings[key]);
    if (option !== undefined) command.addOption(option);
  }
  command
    .option('--config <path>', 'a settings file, YAML (TOCSIN_CONFIG)')
    .addHelpText(
      'after',
      `\nSecrets have no flag, as a command line is for all to see:${secretsHelp()}` +
        '\n\nSIGINT or SIGTERM stops the node; a second one ends it at once.' +
        '\nExit codes: 0 stopped, 1 not started, 2 usage.',
    )
    .action((options: StartOptions) => start(options, io));
}

function optionOf(setting: Setting): Option | undefined {
  if (setting.flag === undefined) return undefined;
  const flags = setting.argument === undefined ? setting.flag : `${setting.flag} <${setting.argument}>`;
  const usual =
    setting.default === undefined || setting.default === false ? '' : `, default ${cellOf(setting.default)}`;
  return new Option(flags, `${setting.help} (${setting.variable}${usual})`);
}

function secretsHelp(): string {
  return settingKeys
    .map((key): Setting => settings[key])
    .filter(({ flag }) => flag === undefined)
    .map(({ variable, help }) => `\n  ${variable}: ${help}`)
    .join('');
}

function cellOf(value: unknown): string {
  return Array.isArray(value) ? value.join(',') || 'none' : String(value);
}

async function start(options: StartOptions, io: Io): Promise<void> {
  const { config: file, ...flags } = options;
  const sources = { flags, env: io.env, ...(file === undefined ? {} : { file }) };
  const validated = validateSettings(await readSettings(sources));
  if (!validated.ok) throw new CliError(exitCodes.usage, validated.problems.join('\n'));
  const { config, warnings } = validated;

  const stopAsked = firstSignal(io);
  // A person at a terminal reads the sentences below; the log joins in when something is wrong.
  const quiet = io.stderr.isTTY && !config.setByHand.has('logLevel');
  const node = await startNode(() => io.startNode(config, quiet ? 'warn' : config.logLevel));
  await say(io, describe(node, [...warnings, ...node.warnings], io));
  // A node that stops before it caught up was never ready; there is nothing to say about it.
  node.ready.then(
    () => say(io, 'Ready.\n'),
    () => undefined,
  );
  await stopAsked;
  await say(io, 'Stopping. A second signal ends the node at once.\n');
  await node.stop();
}

/** Resolves at the first signal; the second ends the process. */
function firstSignal(io: Io): Promise<void> {
  let seen = 0;
  return new Promise((resolve) => {
    io.onSignal((signal) => {
      seen += 1;
      if (seen === 1) resolve();
      else io.exit(signalExitCodes[signal]);
    });
  });
}

async function startNode(start: () => Promise<StartedNode>): Promise<StartedNode> {
  try {
    return await start();
  } catch (error) {
    // What JavaScript itself throws is a bug and keeps its stack; every other message is for a person.
    const isBug =
      error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
    if (error instanceof Error && !isBug) {
      throw new CliError(exitCodes.failed, `The node did not start: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

/** A node outlives the reader of its output. */
async function say(io: Io, text: string): Promise<void> {
  await io.stdout.write(text).catch(() => undefined);
}

function describe(node: StartedNode, warnings: readonly string[], io: Io): string {
  const lines = [
    `Tocsin ${version()}: node ${printable(node.name)} (${node.id}) is up.`,
    `HTTP answers at ${node.httpUrl}, its documentation at ${node.httpUrl}/docs.`,
    `The ZeroMQ stream is published at ${node.streamEndpoint}${node.streamLocked ? ', to those who hold the stream key' : ''}.`,
    ...(node.pullEndpoint === undefined ? [] : [`ZeroMQ PULL takes indicators at ${node.pullEndpoint}.`]),
    `Peers dial ${node.meshEndpoint}${node.gossipEndpoint === undefined ? '' : `, gossip ${node.gossipEndpoint}`}.`,
    node.discovery,
    node.security,
    `Data is kept in ${node.dataDirectory}.`,
    ...warnings.map((warning) => `Warning: ${warning}`),
  ];
  if (node.adminToken !== undefined) {
    lines.push(
      `Admin token: ${node.adminToken}`,
      'It is shown this once; on this machine the commands below find their own.',
    );
  }
  lines.push('Try, in another terminal:', ...commandsToTry(node, io).map((command) => `  ${command}`));
  return `${lines.join('\n')}\n`;
}

function commandsToTry(node: StartedNode, io: Io): readonly string[] {
  // In a clone that was started by `npm start` the command is not on the PATH.
  const tocsin = io.env['npm_lifecycle_event'] === undefined ? 'tocsin' : 'npx tocsin';
  const which = nodeFlag(node.dataDirectory, io.cwd);
  return [
    `${tocsin} tail${which}`,
    `echo example.com | ${tocsin} submit -${which} --tags phishing --confidence 8`,
    `${tocsin} search example.com${which}`,
  ];
}

/** What the other commands need to find this node and not the lowest running one. */
function nodeFlag(dataDirectory: string, cwd: string): string {
  const directory = resolve(cwd, dataDirectory);
  if (dirname(directory) !== join(cwd, '.tocsin')) return ` --data-dir ${relative(cwd, directory) || '.'}`;
  const number = basename(directory);
  return number === '1' ? '' : ` --node ${number}`;
}
