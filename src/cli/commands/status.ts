import type { Command } from 'commander';
import { connect, strangeTo } from '../connect.ts';
import type { ConnectionOptions } from '../find-node.ts';
import type { Io } from '../io.ts';
import { addConnectionOptions } from '../options.ts';
import { printableJson } from '../output.ts';
import { cell } from '../records.ts';
import { renderTable } from '../table.ts';

type StatusOptions = ConnectionOptions & { readonly json?: true };

export function configure(command: Command, io: Io): void {
  command
    .description('Say how a node is doing: what it is called, where it answers, what it holds.')
    .option('--json', "print the node's answer as JSON");
  addConnectionOptions(command)
    .addHelpText('after', '\nExit codes: 0 done, 2 usage, 3 node not reachable, 4 not allowed.')
    .action((options: StatusOptions) => status(options, io));
}

async function status(options: StatusOptions, io: Io): Promise<void> {
  const client = await connect(options, io);
  const answer = await client.json('/mesh');
  if (typeof answer !== 'object' || answer === null) throw strangeTo(client, '/mesh');
  const text = options.json
    ? printableJson(answer)
    : renderTable(['what', 'value'], [['url', client.node], ...flatten(answer)], io.stdout.columns);
  await io.stdout.write(text);
}

/** The answer as lines `endpoints.http` / value, so that a node of a later release shows all that it says. */
function* flatten(value: object, prefix = ''): Generator<readonly [string, string]> {
  for (const [key, inner] of Object.entries(value)) {
    const name = prefix === '' ? key : `${prefix}.${key}`;
    if (typeof inner === 'object' && inner !== null && !Array.isArray(inner)) yield* flatten(inner, name);
    else yield [name, cell(inner)];
  }
}
