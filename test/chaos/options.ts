import { parseArgs } from 'node:util';

export type Options = {
  readonly nodes: number;
  readonly minutes: number;
  /** Indicators a second that are written, in total. */
  readonly ratePerS: number;
  readonly seed: number;
  readonly ack: string;
  readonly eventLogMib: number | undefined;
  /** Whether nodes get a network namespace each, where the machine has them. */
  readonly netns: boolean;
};

/** Below three nodes none may be taken away: two that hold everything must always live (rule.ts). */
const nodesMin = 3;
const nodesMax = 64;

export const help = `npm run chaos -- --nodes 6 --minutes 10 --rate 2000

Real processes under faults: nodes are killed, restarted with or without their disk, suspended and cut off, while writers write
and subscribers follow. Then nothing acknowledged may be missing anywhere. Exits 0 when the fleet kept its promises, else 1.

  --nodes N           ${nodesMin} to ${nodesMax} (6)
  --minutes M         how long there are faults (10)
  --rate R            indicators written a second, in total (2000)
  --seed S            the choice of faults; one is drawn and printed without it
  --ack A             the ack that writers ask for: 1, 2, majority, all, or local, which wipes no disk (1)
  --event-log-mib L   TOCSIN_EVENT_LOG_MIB of the nodes; not set without it
  --no-netns          all nodes on loopback, and none is cut off, even where there are network namespaces
  -h, --help`;

/** Throws an Error whose message is for a person; undefined when the help is asked for. */
export function readOptions(args: readonly string[], drawSeed: () => number): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      nodes: { type: 'string', default: '6' },
      minutes: { type: 'string', default: '10' },
      rate: { type: 'string', default: '2000' },
      seed: { type: 'string' },
      ack: { type: 'string', default: '1' },
      'event-log-mib': { type: 'string' },
      'no-netns': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  return {
    nodes: whole('nodes', values.nodes, nodesMin, nodesMax),
    minutes: number('minutes', values.minutes, 0.1, 1_440),
    ratePerS: whole('rate', values.rate, 1, 100_000),
    seed: values.seed === undefined ? drawSeed() : whole('seed', values.seed, 0, 0xffff_ffff),
    ack: values.ack,
    eventLogMib:
      values['event-log-mib'] === undefined
        ? undefined
        : whole('event-log-mib', values['event-log-mib'], 1, 1_048_576),
    netns: !values['no-netns'],
  };
}

function number(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= min && value <= max) return value;
  throw new Error(`--${name} is ${JSON.stringify(text)}: a number from ${min} to ${max} is allowed`);
}

function whole(name: string, text: string, min: number, max: number): number {
  const value = number(name, text, min, max);
  if (Number.isInteger(value)) return value;
  throw new Error(`--${name} is ${JSON.stringify(text)}: a whole number is allowed`);
}
