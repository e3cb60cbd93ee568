import type { Command } from 'commander';
import type { ConnectionOptions } from '../find-node.ts';
import { connect, getJson, strangeAnswer } from '../http-client.ts';
import type { Io } from '../io.ts';
import { addConnectionOptions } from '../options.ts';
import { printableJson } from '../output.ts';
import { cells } from '../records.ts';
import { renderTable } from '../table.ts';

type PeersOptions = ConnectionOptions & { readonly json?: true };

const columns = ['name', 'id', 'endpoint', 'ready', 'version', 'found_by', 'round_trip_ms'];

export function configure(command: Command, io: Io): void {
  command
    .description('List the nodes that a node is connected to.')
    .option('--json', "print the node's answer as JSON");
  addConnectionOptions(command)
    .addHelpText('after', '\nExit codes: 0 done, 2 usage, 3 node not reachable, 4 not allowed.')
    .action((options: PeersOptions) => peers(options, io));
}

async function peers(options: PeersOptions, io: Io): Promise<void> {
  const client = await connect(options, io);
  const answer = await getJson(client, '/mesh/peers');
  if (options.json) {
    await io.stdout.write(printableJson(answer));
    return;
  }
  if (!Array.isArray(answer)) throw strangeAnswer(client.url, '/mesh/peers');
  if (answer.length === 0) {
    await io.stdout.write('No peers yet. Start another node with `tocsin start`: it finds this one.\n');
    return;
  }
  await io.stdout.write(renderTable(columns, cells(answer, columns), io.stdout.columns));
}
