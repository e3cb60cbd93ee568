import { createHash } from 'node:crypto';
import {
  beaconDiscovery,
  type Discovery,
  gossipDiscovery,
  pick,
  type Random,
  randomInt,
  seededRandom,
  simulatedClock,
  simulatedNetwork,
  type Timer,
} from 'tocsin/mesh';
import { Fleet, type FleetNode } from './mesh-fleet.ts';

/** What a run found. `trace` is a hash of all that the nodes told, in order. */
export type StormVerdict = {
  readonly seed: number;
  readonly problems: readonly string[];
  readonly faults: readonly string[];
  readonly trace: string;
  /** From the last fault to equal views. */
  readonly convergedMs: number;
  readonly enters: number;
  readonly changes: number;
};

const faultyMs = 150_000;
/** What the last fault left: a lease of gossip, then a silence that ends in expiry, and the longest wait for a greeting. */
const settleMs = 100_000;
/** In which nothing is told any more. */
const calmMs = 60_000;
const wallStartMs = Date.UTC(2026, 0, 1);
const groups = ['CHAT', 'NEWS', 'OPS'];
const lastGroup = 'LAST';

/**
 * A mesh under faults that one seed draws: loss, duplication, delay, partitions, crashes and restarts at the same endpoint with
 * the old id or a new one, goodbyes, suspended hosts, clock jumps. Once they end, all views have to be equal, and stay so.
 */
export async function runStorm(seed: number): Promise<StormVerdict> {
  const random = seededRandom(seed);
  const clock = simulatedClock(wallStartMs);
  const isCalmNetwork = random.next() < 0.3;
  const delayMsMax = 5 + randomInt(random, random.next() < 0.2 ? 3_000 : 300);
  const network = simulatedNetwork(clock, random, {
    delayMsMin: 1,
    delayMsMax,
    loss: isCalmNetwork ? 0 : random.next() * 0.2,
    duplication: isCalmNetwork || random.next() < 0.5 ? 0 : random.next() * 0.03,
  });
  const ways = pick(random, [['beacon'], ['gossip'], ['beacon', 'gossip']]) ?? [];
  const names = Array.from({ length: 3 + randomInt(random, 4) }, (_, i) => `h${i}`);
  const faults: string[] = [];
  const hash = createHash('sha256');
  const fleet = new Fleet({
    clock,
    network,
    random,
    discoveryOf: (host) => discoveryOf(host, ways),
    onEvent: (node, event) => {
      const peer = event.kind === 'peer-entered' ? event.peer.id : 'id' in event ? event.id : '';
      hash.update(`${clock.monotonicMs()} ${node.host.name} ${event.kind} ${peer}\n`);
    },
  });
  let changes = names.length;
  const alarms: Timer[] = [];

  const note = (fault: string) => faults.push(`${Math.round(clock.monotonicMs())} ms: ${fault}`);
  async function runFor(ms: number): Promise<void> {
    let reached = false;
    clock.after(ms, () => {
      reached = true;
    });
    while (!reached) clock.step();
    // Nothing that is closed needs time, but who waits for it has to be told.
    await new Promise<void>((resolve) => setImmediate(resolve));
    fleet.checkMailboxes();
  }

  note(
    `${names.length} nodes find one another by ${ways.join(' and ')}; delay up to ${delayMsMax} ms, loss ${(network.faults.loss * 100).toFixed(1)} %, duplication ${(network.faults.duplication * 100).toFixed(1)} %`,
  );
  for (const name of names) await fleet.start(name);
  while (clock.monotonicMs() < faultyMs) {
    await runFor(100 + random.next() * 5_000);
    const host = pick(random, names);
    if (host !== undefined) changes += await disturb(host);
  }

  /** One thing that happens to a host; answers how many real changes of the fleet it is. */
  async function disturb(host: string): Promise<number> {
    const node = fleet.nodes.get(host);
    if (node === undefined) {
      note(`${host} starts, as somebody new`);
      await fleet.start(host);
      return 1;
    }
    const drawn = random.next();
    if (drawn < 0.35) {
      chatter(node, random);
      return 0;
    }
    if (drawn < 0.5) {
      const cut = 1 + randomInt(random, names.length - 1);
      note(`partition ${names.slice(0, cut).join(',')} | ${names.slice(cut).join(',')}`);
      network.partition([names.slice(0, cut), names.slice(cut)]);
      return names.length;
    }
    if (drawn < 0.62) {
      note('heal');
      network.heal();
      return names.length;
    }
    if (drawn < 0.72) {
      const isSame = random.next() < 0.5;
      note(`${host} crashes and is back at once, as ${isSame ? 'who it was' : 'somebody new'}`);
      await fleet.crash(host);
      await fleet.start(host, isSame ? node.id : undefined);
      return 1;
    }
    if (drawn < 0.78) {
      note(`${host} crashes`);
      await fleet.crash(host);
      return 1;
    }
    if (drawn < 0.84) {
      const isSame = random.next() < 0.5;
      note(`${host} stops with a goodbye${isSame ? ', and is back at once as who it was' : ''}`);
      await fleet.stop(host);
      if (isSame) await fleet.start(host, node.id);
      return 1;
    }
    if (drawn < 0.94) {
      const ms = 1_000 + random.next() * 89_000;
      const hasSlept = random.next() < 0.3;
      note(`${host} is suspended for ${Math.round(ms)} ms${hasSlept ? ', and its clock with it' : ''}`);
      fleet.suspend(host);
      const alarm = clock.after(ms, () => {
        if (fleet.nodes.get(host) === node) fleet.resume(host, hasSlept);
      });
      alarms.push(alarm);
      return 1;
    }
    node.host.skewMs += (random.next() - 0.5) * 48 * 60 * 60_000;
    note(`the wall clock of ${host} jumps`);
    return 0;
  }

  note('all faults end');
  for (const alarm of alarms) alarm.stop();
  network.heal();
  network.faults = { delayMsMin: 1, delayMsMax: 20, loss: 0, duplication: 0 };
  for (const name of names) {
    fleet.resume(name);
    if (!fleet.nodes.has(name)) await fleet.start(name);
  }
  const endedMs = clock.monotonicMs();
  const lostMessages = network.messages.lost;
  await runFor(5_000);
  // All HELLOs are message 1. When one is lost, and one that an earlier process of the same id sent arrives in its place, only the
  // group status tells, with the next JOIN.
  for (const { mesh, groups: own } of fleet.nodes.values()) {
    own.add(lastGroup);
    mesh.join(lastGroup);
  }
  while (clock.monotonicMs() < endedMs + settleMs && fleet.disagreement() !== undefined) await runFor(250);
  const convergedMs = clock.monotonicMs() - endedMs;
  const disagreement = fleet.disagreement();
  if (disagreement !== undefined)
    fleet.problems.push(`no equal views ${settleMs} ms after the last fault: ${disagreement}`);
  // What was lost before the end shows as a gap with the next PING.
  await runFor(25_000);
  const settled = { enters: fleet.enters, exits: fleet.exits, silences: fleet.silences };
  await runFor(calmMs);
  if (fleet.enters !== settled.enters || fleet.exits !== settled.exits || fleet.silences !== settled.silences)
    fleet.problems.push('peers still come and go where nothing happens any more');
  if (fleet.disagreement() !== undefined) fleet.problems.push(`views part again: ${fleet.disagreement()}`);
  // A change costs each pair two introductions at most; so does a lost message, which is a gap on either side.
  const entersMax = 2 * changes * names.length + 2 * lostMessages + names.length * names.length;
  if (fleet.enters > entersMax) fleet.problems.push(`${fleet.enters} entered, of at most ${entersMax}`);
  for (const name of [...fleet.nodes.keys()]) await fleet.stop(name);
  await runFor(10_000);
  if (clock.pending > 0) fleet.problems.push(`${clock.pending} timers are left`);
  return {
    seed,
    problems: fleet.problems,
    faults,
    trace: hash.digest('hex'),
    convergedMs,
    enters: fleet.enters,
    changes,
  };
}

function chatter({ mesh, groups: own }: FleetNode, random: Random): void {
  for (let i = randomInt(random, 20); i >= 0; i--) {
    const group = pick(random, groups) ?? '';
    if (random.next() < 0.3) {
      if (own.delete(group)) mesh.leave(group);
      else {
        own.add(group);
        mesh.join(group);
      }
    } else mesh.shout(group, [Buffer.from('hi')]);
  }
}

function discoveryOf(host: string, ways: readonly string[]): readonly Discovery[] {
  const found: Discovery[] = [];
  if (ways.includes('beacon'))
    found.push(beaconDiscovery({ port: 5670, broadcastAddresses: () => ['everyone'], accepts: () => true }));
  if (ways.includes('gossip'))
    found.push(gossipDiscovery({ bind: `tcp://${host}:9000`, seeds: ['tcp://h0:9000', 'tcp://h1:9000'] }));
  return found;
}
