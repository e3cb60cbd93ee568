import { defaultTiming, type PeerTiming, seededRandom, simulatedClock, simulatedNetwork } from 'tocsin/mesh';
import { createDirectory, type DirectoryTiming } from './mesh-directory.ts';
import { Fleet } from './mesh-fleet.ts';

export type DayOptions = {
  readonly seed: number;
  readonly nodes: number;
  readonly hours: number;
  readonly slowness: number;
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
 * Idle PINGs grow with the square of the fleet, so that a day of 300 nodes with the default times is 1.4 thousand million
 * messages. A large fleet asks less often; `slowness` is by how much.
 */
function timesOf(slowness: number): { readonly timing: PeerTiming; readonly directory: DirectoryTiming } {
  const { evasiveAfterMs, silentAfterMs, expiredAfterMs, pingEveryMs, measureEveryMs, greetEveryMsMax } =
    defaultTiming;
  return {
    timing: {
      ...defaultTiming,
      evasiveAfterMs: slowness * evasiveAfterMs,
      silentAfterMs: slowness * silentAfterMs,
      expiredAfterMs: slowness * expiredAfterMs,
      pingEveryMs: slowness * pingEveryMs,
      measureEveryMs: slowness * measureEveryMs,
      greetEveryMsMax: slowness * greetEveryMsMax,
    },
    directory: { lookUpEveryMs: slowness * 10_000, leaseMs: slowness * 30_000 },
  };
}

/**
 * A fleet in which every hour one node in ten is replaced: half say goodbye, half crash; half of the newcomers take the
 * endpoint of a node that went. All views have to be equal after each hour's change, and then nothing may be told until the
 * next one.
 */
export async function runDay({ seed, nodes, hours, slowness, onHour }: DayOptions): Promise<DayVerdict> {
  const random = seededRandom(seed);
  const clock = simulatedClock(Date.UTC(2026, 0, 1));
  const network = simulatedNetwork(clock, random, {
    delayMsMin: 1,
    delayMsMax: 20,
    loss: 0,
    duplication: 0,
  });
  const { timing, directory: directoryTiming } = timesOf(slowness);
  const directory = createDirectory(clock, directoryTiming);
  /** Those that crashed have to expire; then they may be greeted once more, by their last lease. */
  const convergeMsMax = timing.expiredAfterMs + directoryTiming.leaseMs;
  const fleet = new Fleet({
    clock,
    network,
    random,
    timing,
    peersMax: nodes + 20,
    discoveryOf: () => [directory.discovery()],
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
    const going = [...fleet.nodes.keys()]
      .sort(() => random.next() - 0.5)
      .slice(0, hour === 0 ? 0 : nodes / 10);
    for (const [i, name] of going.entries()) {
      const replacement = random.next() < 0.5 ? name : `h${hosts++}`;
      if (random.next() < 0.5) await fleet.stop(name);
      else await fleet.crash(name);
      await fleet.start(replacement);
      await runUntil(startMs + ((i + 1) * replacingMs) / going.length);
    }
    const convergedMs = await converge();
    await runUntil(Math.max(clock.monotonicMs(), startMs + replacingMs + convergeMsMax));
    const { enters, exits, silences } = fleet;
    await runUntil(startMs + hourMs);
    if (fleet.enters !== enters || fleet.exits !== exits || fleet.silences !== silences)
      fleet.problems.push(`hour ${hour}: peers come and go long after the change`);
    if (directory.entries !== fleet.nodes.size)
      fleet.problems.push(`hour ${hour}: ${directory.entries} directory entries`);
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
