import type { Command } from 'commander';

import type { EventMessage } from '../../client/client.ts';
import { connect } from '../connect.ts';
import type { Io } from '../io.ts';
import {
  addConnectionOptions,
  addFilterOptions,
  countOf,
  type FilterOptions,
  filtersOf,
} from '../options.ts';
import { printableJsonLine } from '../output.ts';
import { printable } from '../printable.ts';
import { cell, type ShownRecord } from '../records.ts';
import { tellStates } from '../stream-states.ts';

type TailOptions = FilterOptions & {
  readonly follow?: true;
  readonly kind?: string;
  readonly q?: string;
  readonly count?: number;
  readonly json?: true;
};

const examples = `
A stream that breaks off is taken up again by itself, after the last message: at the same node, or at the next one of --url when
that is down or drains. Standard error says when it was lost, where it goes on, and after which cursor. Nothing is printed twice.

Examples:
  tocsin tail --follow --itype url --confidence 8
  tocsin tail --kind search                         who asks about what
  tocsin tail --q 192.0.2.0/24                      all that is said about a network
  tocsin tail --url http://a.example:8480,http://b.example:8480 --json >> indicators.ndjson
  tocsin tail --cursor "$(tail -n 1 indicators.ndjson | jq -r .cursor)"

Exit codes: 0 done, 2 usage, 3 node not reachable at first, 4 not allowed.`;

export function configure(command: Command, io: Io): void {
  command
    .description('Print what the node learns as it learns it, one line each, until interrupted.')
    .option('-f, --follow', 'go on for ever, as it does without: for those who are used to say it')
    .option('--cursor <cursor>', 'what came after this message, then what comes; default: from now on')
    .option('--kind <list>', 'indicator, sighting, retract, expire, search; default: all')
    .option('--q <value>', 'what is about this address, network or domain')
    .option('--count <n>', 'stop after n messages', countOf)
    .option('--json', "print each message as one line of JSON: the stream's CloudEvents object");
  addFilterOptions(command, ['itype', 'tags', 'confidence', 'provider', 'group', 'asn', 'cc', 'tlp']);
  addConnectionOptions(command)
    .addHelpText('after', examples)
    .action((options: TailOptions) => tail(options, io));
}

async function tail(options: TailOptions, io: Io): Promise<void> {
  const client = await connect(options, io);
  const { kind, q, count = Number.POSITIVE_INFINITY, json } = options;
  const onState = tellStates(io);
  let left = count;
  for await (const message of client.stream({ ...filtersOf(options), kind, q, onState })) {
    if (message.kind === 'reset') {
      const sentence = `Messages are missing (${message.detail}); going on after ${message.cursor}.`;
      await io.stderr.write(`${printable(sentence)}\n`);
      continue;
    }
    await io.stdout.write(json ? printableJsonLine(envelopeOf(message)) : lineOf(message));
    left -= 1;
    if (left === 0) return;
  }
}

/** The message as the node sent it. */
function envelopeOf({ kind: _, repeated: __, ...envelope }: EventMessage): object {
  return envelope;
}

/** `2026-01-02T03:04:05Z created url http://example.com/ provider=... tlp=... confidence=... tags=...` */
function lineOf({ time, type, data }: EventMessage): string {
  const about: ShownRecord = { ...data };
  const change = type.split('.').at(-1) ?? '';
  const words = [time, change, cell(about['itype']), cell(about['indicator'] ?? about['q'])];
  for (const name of ['by', 'provider', 'group', 'tlp', 'confidence', 'tags']) {
    const value = cell(about[name]);
    if (value !== '') words.push(`${name}=${value}`);
  }
  return `${printable(words.filter((word) => word !== '').join(' '))}\n`;
}
