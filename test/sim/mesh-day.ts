import {
  type Discovery,
  gossipDiscovery,
  type PeerTiming,
  seededRandom,
  simulatedClock,
  simulatedNetwork,
} from 'tocsin/mesh';
import { Fleet } from './mesh-fleet.ts';

export type DayOptions = {
  readonly seed: number;
  readonly nodes: number;
  readonly hours: number;
  readonly onHour?: (hour: DayHour) => void;
};

export type DayHour = {
  readonly hour: number;
  readonly replaced: number;
  /** From the last replacement to equal views. */
  readonly convergedMs: number;
  readonly messages: number;
  /** Timers that wait, of the network's too. */
  readonly timers: number;
};

export type DayVerdict = { readonly problems: readonly string[]; readonly hours: readonly DayHour[] };

const hourMs = 60 * 60_000;
/** A tenth of the fleet is replaced within this. */
const replacingMs = 60_000;

/**
 * Idle PINGs grow with the square of the fleet, so a large one asks less often. Times are a multiple of the defaults here, so
 * that a day of 300 nodes is less than a day of work.
 */
const slowness = 6;
const timing: PeerTiming = {
  evasiveAfterMs: slowness * 5_000,
  silentAfterMs: slowness * 15_000,
  expiredAfterMs: slowness * 30_000,
  pingEveryMs: slowness * 1_000,
  greetEveryMs: 1_000,
  greetEveryMsMax: 8_000,
};
const hubTiming = { leaseMs: slowness * 30_000, renewEveryMs: slowness * 10_000 };
/** Those that crashed have to expire, and with them the last lease that was renewed just before. */
const convergeMsMax = timing.expiredAfterMs + hubTiming.leaseMs;

/**
 * A fleet in which every hour one node in ten is replaced: half say goodbye, half crash; half of the newcomers take the
 * endpoint of a node that went. All views have to be equal after each hour's change, and then nothing may happen until the
 * next one: no event, and no new mailbox.
 */
export async function runDay({ seed, nodes, hours, onHour }: DayOptions): Promise<DayVerdict> {
  const random = seededRandom(seed);
  const clock = simulatedClock(Date.UTC(2026, 0, 1));
  const network = simulatedNetwork(clock, random, {
    delayMsMin: 1,
    delayMsMax: 20,
    loss: 0,
    duplication: 0,
  });
  const fleet = new Fleet({
    clock,
    network,
    random,
    timing,
    peersMax: nodes + 20,
    discoveryOf: (host): readonly Discovery[] => [
      gossipDiscovery({ bind: `tcp://${host}:9000`, seeds: ['tcp://h0:9000'], timing: hubTiming }),
    ],
  });
  const report: DayHour[] = [];
  let hosts = 0;

  async function runUntil(atMs: number): Promise<void> {
    let reached = false;
    clock.after(atMs - clock.monotonicMs(), () => {
      reached = true;
    });
    while (!reached) clock.step();
    await new Promise<void>((resolve) => setImmediate(resolve));
  }

  async function converge(): Promise<number> {
    const sinceMs = clock.monotonicMs();
    while (clock.monotonicMs() < sinceMs + convergeMsMax && !fleet.isFull())
      await runUntil(clock.monotonicMs() + 1_000);
    const convergedMs = clock.monotonicMs() - sinceMs;
    const disagreement = fleet.disagreement();
    if (disagreement !== undefined)
      fleet.problems.push(`no equal views after ${convergedMs} ms: ${disagreement}`);
    return convergedMs;
  }

  for (let i = 0; i < nodes; i++) {
    await fleet.start(`h${hosts++}`);
    await runUntil(clock.monotonicMs() + 20);
  }
  for (let hour = 0; hour < hours; hour++) {
    const startMs = clock.monotonicMs();
    const sent = network.messages.sent;
    // The first one is the seed of all: where it is, its successor has to be.
    const going = [...fleet.nodes.keys()]
      .sort(() => random.next() - 0.5)
      .slice(0, hour === 0 ? 0 : nodes / 10);
    for (const [i, name] of going.entries()) {
      const replacement = name === 'h0' || random.next() < 0.5 ? name : `h${hosts++}`;
      if (random.next() < 0.5) await fleet.stop(name);
      else await fleet.crash(name);
      await fleet.start(replacement);
      await runUntil(startMs + ((i + 1) * replacingMs) / going.length);
    }
    const convergedMs = await converge();
    await runUntil(Math.max(clock.monotonicMs(), startMs + replacingMs + convergeMsMax));
    const { enters, exits, silences, redials } = fleet;
    await runUntil(startMs + hourMs);
    if (fleet.enters !== enters || fleet.exits !== exits || fleet.silences !== silences)
      fleet.problems.push(`hour ${hour}: peers come and go long after the change`);
    if (fleet.redials !== redials)
      fleet.problems.push(`hour ${hour}: ${fleet.redials - redials} mailboxes opened long after the change`);
    const disagreement = fleet.disagreement();
    if (disagreement !== undefined) fleet.problems.push(`hour ${hour}: views part again: ${disagreement}`);
    const told: DayHour = {
      hour,
      replaced: going.length,
      convergedMs,
      messages: network.messages.sent - sent,
      timers: clock.pending,
    };
    report.push(told);
    onHour?.(told);
  }
  for (const name of [...fleet.nodes.keys()]) await fleet.stop(name);
  await runUntil(clock.monotonicMs() + 10_000);
  if (clock.pending > 0) fleet.problems.push(`${clock.pending} timers are left`);
  return { problems: fleet.problems, hours: report };
}
