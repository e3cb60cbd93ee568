import type { Command } from 'commander';
import { connect, strangeTo } from '../connect.ts';
import type { ConnectionOptions } from '../find-node.ts';
import type { Io } from '../io.ts';
import { addConnectionOptions } from '../options.ts';
import { printableJson } from '../output.ts';
import { cell, type ShownRecord } from '../records.ts';
import { renderTable } from '../table.ts';

type PeersOptions = ConnectionOptions & { readonly json?: true };

const idCharactersShown = 8;
const tocsinGroup = 'tocsin/1';

const columns: Readonly<Record<string, (peer: ShownRecord, isTerminal: boolean) => string>> = {
  // A peer that has not answered has not told its name.
  name: ({ name }) => cell(name) || '?',
  // On a terminal the beginning of an id tells nodes apart; a pipe gets all of it, for whoever searches for it.
  id: ({ id }, isTerminal) => (isTerminal ? cell(id).slice(0, idCharactersShown) : cell(id)),
  endpoint: ({ endpoint }, isTerminal) =>
    isTerminal ? cell(endpoint).replace('tcp://', '') : cell(endpoint),
  found_by: ({ found_by }) => cell(found_by) || 'itself',
  rtt: ({ round_trip_ms }) => (typeof round_trip_ms === 'number' ? `${round_trip_ms} ms` : '-'),
  heard: ({ ready, last_heard_ms }) => (ready === false ? 'never' : inSeconds(last_heard_ms)),
  queue: ({ queued_bytes }) => (typeof queued_bytes === 'number' ? inBytes(queued_bytes) : '-'),
  version: ({ version }) => cell(version) || '-',
  // All nodes of Tocsin are in this one, and only they.
  groups: ({ groups }) =>
    Array.isArray(groups) ? cell(groups.filter((group) => group !== tocsinGroup)) : '',
};

export function configure(command: Command, io: Io): void {
  command
    .description('List the nodes that a node is connected to.')
    .option('--json', "print the node's answer as JSON");
  addConnectionOptions(command)
    .addHelpText('after', help)
    .action((options: PeersOptions) => peers(options, io));
}

const help = `
found_by   the ways of discovery that know the peer now; "itself" when it found this node
rtt        round-trip time, from the last PING to its answer; "-" before the first
heard      how long ago anything came of the peer; "never" while it has not answered
queue      what waits to be sent to it
version    of Tocsin; "-" for other programs that speak ZRE
groups     beside ${tocsinGroup}, in which all nodes of Tocsin are

Exit codes: 0 done, 2 usage, 3 node not reachable, 4 not allowed.`;

async function peers(options: PeersOptions, io: Io): Promise<void> {
  const client = await connect(options, io);
  const answer = await client.json('/mesh/peers');
  if (options.json) {
    await io.stdout.write(printableJson(answer));
    return;
  }
  if (!Array.isArray(answer)) throw strangeTo(client, '/mesh/peers');
  if (answer.length === 0) {
    await io.stdout.write('No peers yet. Start another node with `tocsin start`: it finds this one.\n');
    return;
  }
  const width = io.stdout.columns;
  const isTerminal = width !== undefined;
  const shown = answer
    .filter((peer): peer is ShownRecord => typeof peer === 'object' && peer !== null)
    .sort((a, b) => (cell(a['name']) < cell(b['name']) ? -1 : 1));
  // Mostly nobody is in another group, and a terminal is narrow.
  const titles = Object.keys(columns).filter(
    (title) => !isTerminal || title !== 'groups' || shown.some((peer) => columns[title]?.(peer, true) !== ''),
  );
  const rows = shown.map((peer) => titles.map((title) => columns[title]?.(peer, isTerminal) ?? ''));
  await io.stdout.write(renderTable(titles, rows, width));
}

function inSeconds(ms: unknown): string {
  return typeof ms === 'number' ? `${(ms / 1_000).toFixed(1)} s` : '-';
}

function inBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
