import { createHash } from 'node:crypto';
import { MemoryLevel } from 'memory-level';
import {
  beaconDiscovery,
  type Clock,
  gossipDiscovery,
  type Mesh,
  peerIdFromBytes,
  pick,
  type Random,
  randomInt,
  type SimulatedClock,
  type SimulatedNetwork,
  seededRandom,
  simulatedClock,
  simulatedNetwork,
  startMesh,
} from 'tocsin/mesh';
import { hybridClock } from '../../src/event/hlc.ts';
import { createIdentity, type Identity } from '../../src/event/identity.ts';
import { eventId, type NodeId, type Saying } from '../../src/event/types.ts';
import { holds } from '../../src/event/vector.ts';
import { standardDefaults } from '../../src/indicator/observation.ts';
import { createIntake, type Intake, type SubmitOutcome } from '../../src/intake/intake.ts';
import { type ReplicateLimits, replicateLimits } from '../../src/replicate/limits.ts';
import { type Replicator, startReplicator } from '../../src/replicate/replicator.ts';
import { openStore } from '../../src/store/level-store.ts';
import type { IndicatorStore } from '../../src/store/store.ts';

/** What a run found. `trace` is a hash of all that happened, in order. */
export type Verdict = {
  readonly seed: number;
  readonly problems: readonly string[];
  readonly faults: readonly string[];
  readonly trace: string;
  readonly events: number;
  readonly steps: number;
  /** What replicators counted, over all nodes. */
  readonly counts: Readonly<Record<string, number>>;
};

const nodesCount = 5;
const faultyMs = 15_000;
/** From the last fault to agreement: some comparisons, and the longest wait for a peer that does not answer. */
const settleMs = 60_000;
/** A clock that is this wrong has its node's events held back, for as long. */
const wrongClockMs = 10 * 60_000;
const wallStartMs = Date.UTC(2026, 0, 1);

type Disk = {
  readonly level: MemoryLevel<string, string>;
  identity: Identity;
  /** Ids of the events that its records contain. */
  readonly seen: Set<string>;
  /** What is on it, as of the last start; undefined before the first. */
  store: IndicatorStore | undefined;
};
/** Values that were acknowledged, and the disks that had their events then. */
type Acknowledged = { readonly values: readonly string[]; readonly disks: readonly Disk[] };
type Node = {
  readonly host: string;
  readonly disk: Disk;
  readonly mesh: Mesh;
  readonly store: IndicatorStore;
  readonly intake: Intake;
  readonly replicator: Replicator;
};

/** A fleet in one process: real nodes over a network, a clock and disks that one seed decides. */
export async function runSeed(seed: number): Promise<Verdict> {
  const random = seededRandom(seed);
  const clock = simulatedClock(wallStartMs);
  const delayMsMax = 5 + randomInt(random, 200);
  const network = simulatedNetwork(clock, random, {
    delayMsMin: 1,
    delayMsMax,
    loss: random.next() * 0.03,
    duplication: random.next() < 0.5 ? 0 : random.next() * 0.02,
  });
  const world = new World(clock, network, random, seed);
  world.note(`delay up to ${delayMsMax} ms, loss ${(network.faults.loss * 100).toFixed(2)} %`);
  return world.run();
}

class World {
  readonly #clock: SimulatedClock;
  readonly #network: SimulatedNetwork;
  readonly #random: Random;
  readonly #seed: number;
  readonly #hash = createHash('sha256');
  readonly #nodes = new Map<string, Node>();
  readonly #faults: string[] = [];
  readonly #problems: string[] = [];
  /** All that ever were, also those that were thrown away. */
  readonly #disks: Disk[] = [];
  readonly #acknowledged: Acknowledged[] = [];
  /** How wrong each host's clock is. */
  readonly #skewMs = new Map<string, number>();
  #settleMs = settleMs;
  /** Writes that slow disks have still to make, by host: how to fail them. */
  readonly #unwritten = new Map<string, ReadonlySet<() => void>>();
  /** What a write takes on a slow disk. */
  readonly #writeMsMax: number;
  /** Hosts whose node lost its identity. */
  readonly #nameless = new Set<string>();
  readonly #limits: ReplicateLimits;
  readonly #counts: Record<string, number> = {};
  #unanswered = 0;
  #identities = 0;
  #values = 0;
  #steps = 0;
  #events = 0;

  constructor(clock: SimulatedClock, network: SimulatedNetwork, random: Random, seed: number) {
    this.#clock = clock;
    this.#network = network;
    this.#random = random;
    this.#seed = seed;
    const skewMsMax = random.next() < 0.5 ? 0 : 20_000;
    for (let i = 0; i < nodesCount; i++)
      this.#skewMs.set(`h${i}`, randomInt(random, 2 * skewMsMax + 1) - skewMsMax);
    this.#writeMsMax = random.next() < 0.5 ? 0 : randomInt(random, 400);
    this.#limits = {
      ...replicateLimits,
      // Half of the fleets take snapshots where others take the log.
      snapshotEventsMin: random.next() < 0.5 ? 3 : replicateLimits.snapshotEventsMin,
      chunkBytes: 300 + randomInt(random, 2_000),
      snapshotCreditBytes: 1_000,
      severedAfterMs: 3_000,
    };
  }

  note(fault: string): void {
    this.#faults.push(`${Math.round(this.#clock.monotonicMs())} ms: ${fault}`);
  }

  async run(): Promise<Verdict> {
    for (let i = 0; i < nodesCount; i++) await this.#start(`h${i}`, this.#newDisk());
    while (this.#clock.monotonicMs() < faultyMs) {
      await this.#runFor(100 + this.#random.next() * 700);
      await this.#act();
    }
    this.note('all faults end');
    this.#network.heal();
    for (const [host, ms] of this.#skewMs) if (Math.abs(ms) > 20_000) this.#skewMs.set(host, 0);
    this.#network.faults = { delayMsMin: 1, delayMsMax: 20, loss: 0, duplication: 0 };
    for (let i = 0; i < nodesCount; i++)
      if (!this.#nodes.has(`h${i}`)) await this.#start(`h${i}`, this.#newDisk());
    const endMs = this.#clock.monotonicMs() + this.#settleMs;
    while (this.#clock.monotonicMs() < endMs && !(this.#allDone() && (await this.#agree())))
      await this.#runFor(500);
    if (!(await this.#agree())) this.#problems.push(`no agreement ${this.#settleMs} ms after the last fault`);
    if (!this.#allDone()) this.#problems.push('a node never became ready, or never answered');
    await this.#checkAcknowledged();
    for (const host of [...this.#nodes.keys()]) await this.#stop(host);
    await this.#runFor(2_000);
    if (this.#clock.pending > 0) this.#problems.push(`${this.#clock.pending} timers are left`);
    return {
      seed: this.#seed,
      problems: this.#problems,
      faults: this.#faults,
      trace: this.#hash.digest('hex'),
      events: this.#events,
      steps: this.#steps,
      counts: this.#counts,
    };
  }

  /** One thing that happens in a fleet's day. */
  async #act(): Promise<void> {
    const host = pick(this.#random, [...this.#nodes.keys()]);
    const drawn = this.#random.next();
    if (host !== undefined && drawn < 0.005) {
      const ms = (this.#random.next() < 0.5 ? -1 : 1) * wrongClockMs;
      this.note(`the clock of ${host} is put ${ms} ms wrong`);
      this.#skewMs.set(host, ms);
      this.#settleMs = settleMs + wrongClockMs;
    } else if (host === undefined || drawn < 0.65) {
      if (host === undefined) return;
      if (drawn < 0.6 || this.#values === 0) await this.#submit(host);
      else this.#sayMore(host);
    } else if (drawn < 0.75) {
      const hosts = [...this.#nodes.keys()];
      const cut = 1 + randomInt(this.#random, Math.max(1, hosts.length - 1));
      this.note(`partition ${hosts.slice(0, cut).join(',')} | ${hosts.slice(cut).join(',')}`);
      this.#network.partition([hosts.slice(0, cut), hosts.slice(cut)]);
    } else if (drawn < 0.85) {
      this.note('heal');
      this.#network.heal();
    } else if (drawn < 0.88) {
      // All logs, so that there are nodes which no log can help.
      this.note('every log is trimmed');
      for (const { store, replicator } of this.#nodes.values()) {
        if (replicator.isInStep()) await store.trimLog({ sinceMs: 0, bytesMax: 0 });
      }
    } else if (drawn < 0.95) {
      const node = this.#nodes.get(host);
      const keepsDisk = this.#random.next() < 0.6;
      this.note(`crash ${host}, restart with ${keepsDisk ? 'its' : 'an empty'} disk`);
      await this.#crash(host);
      await this.#start(host, keepsDisk && node ? node.disk : this.#newDisk());
    } else {
      const missing = pick(this.#random, this.#missing());
      if (missing !== undefined && (this.#random.next() < 0.6 || this.#nodes.size <= 2)) {
        this.note(`start ${missing}`);
        await this.#start(missing, this.#newDisk());
      } else {
        this.note(`stop ${host}`);
        await this.#stop(host);
      }
    }
  }

  async #submit(host: string): Promise<void> {
    const node = this.#nodes.get(host);
    if (node === undefined) return;
    // Some values are said again, by other nodes too, so that records are merged.
    const rows = Array.from({ length: 1 + randomInt(this.#random, 4) }, (_, i) => {
      const again = this.#random.next() < 0.3;
      return { row: i + 1, value: `host-${again ? randomInt(this.#random, 5) : this.#values++}.example.com` };
    });
    const confidence = randomInt(this.#random, 11);
    const submission = node.intake.submit(rows, { ...standardDefaults, provider: 'sim', confidence }, 1);
    // Not awaited: other nodes have it only when time goes on.
    this.#unanswered++;
    const values = rows.map(({ value }) => value);
    void submission
      .then((outcome) => this.#answered(node, values, outcome))
      // A node that crashed answers nobody.
      .catch(() => undefined)
      .finally(() => this.#unanswered--);
  }

  /** Sightings of values, and retractions, which may come before what they are about; searches; and documents, written by anybody. */
  #sayMore(host: string): void {
    const node = this.#nodes.get(host);
    if (node === undefined) return;
    const said = Array.from({ length: 1 + randomInt(this.#random, 3) }, (): Saying => {
      const drawn = this.#random.next();
      const indicator = `host-${randomInt(this.#random, this.#values + 2)}.example.com`;
      const key = { itype: 'fqdn', indicator, provider: 'sim', group: 'everyone' } as const;
      if (drawn < 0.35) return { kind: 'retract', body: { ...key, reason: 'a false positive' } };
      if (drawn < 0.7) return { kind: 'sight', body: { ...key, count: 1, timeMs: this.#clock.wallMs() } };
      if (drawn < 0.8) return { kind: 'search', body: { q: indicator, itype: 'fqdn', by: host } };
      const id = `d${randomInt(this.#random, 5)}`;
      const body = JSON.stringify({ by: host, n: randomInt(this.#random, 1_000) });
      return { kind: 'admin', body: { collection: 'note', id, ...(drawn < 0.95 && { body }) } };
    });
    this.#unanswered++;
    void node.intake
      .say(said, 1)
      .catch(() => undefined)
      .finally(() => this.#unanswered--);
  }

  #answered({ host, disk }: Node, values: readonly string[], { accepted, ack, events }: SubmitOutcome): void {
    this.#events += accepted;
    if (events === undefined || ack.reached === 'local') return;
    const [origin, first] = events.first.split('-') as [NodeId, string];
    const range = { from: Number(first), to: Number(events.last.split('-')[1]) };
    const disks = this.#disks.filter(({ store }) => holds(store?.vector().get(origin), range));
    this.#trace(host, 'acknowledged', `${events.first} to ${events.last} by ${ack.reached}`);
    if (disks.length <= ack.reached || !disks.includes(disk)) {
      this.#problems.push(
        `${host} says ${ack.reached} others have ${events.last}, and ${disks.length - 1} do`,
      );
    }
    this.#acknowledged.push({ values, disks });
  }

  /** Nothing acknowledged is lost while a disk that had it then is in use. */
  async #checkAcknowledged(): Promise<void> {
    const nodes = [...this.#nodes.values()];
    for (const { values, disks } of this.#acknowledged) {
      if (!nodes.some(({ disk }) => disks.includes(disk))) continue;
      for (const { host, store } of nodes) {
        for (const value of values) {
          if ((await store.byValue('fqdn', value)).length === 0) {
            this.#problems.push(`${host} lacks ${value}, which was acknowledged`);
          }
        }
      }
    }
  }

  /** What compose.ts does with a node that must not sign any more. */
  async #rename(host: string): Promise<void> {
    this.#nameless.delete(host);
    const disk = this.#nodes.get(host)?.disk;
    if (disk === undefined) return;
    await this.#stop(host);
    disk.identity = this.#newIdentity();
    await this.#start(host, disk);
  }

  #newIdentity(): Identity {
    const seed = createHash('sha256')
      .update(`${this.#seed}/${this.#identities++}`)
      .digest();
    return createIdentity(seed);
  }

  #missing(): readonly string[] {
    return Array.from({ length: nodesCount }, (_, i) => `h${i}`).filter((host) => !this.#nodes.has(host));
  }

  #newDisk(): Disk {
    const disk: Disk = {
      level: new MemoryLevel<string, string>(),
      identity: this.#newIdentity(),
      seen: new Set(),
      store: undefined,
    };
    this.#disks.push(disk);
    return disk;
  }

  async #start(host: string, disk: Disk): Promise<void> {
    const clock: Clock = {
      ...this.#clock,
      wallMs: () => this.#clock.wallMs() + (this.#skewMs.get(host) ?? 0),
    };
    const store = this.#slow(host, this.#withSnapshots(disk, await openStore(disk.level)));
    disk.store = store;
    const origin = disk.identity.nodeId;
    store.onCommitted(({ changes }) => {
      for (const { event } of changes) {
        if (event.kind === 'expire') continue;
        const id = eventId(event);
        this.#trace(host, 'applied', id);
        if (disk.seen.has(id)) this.#problems.push(`${host} applied ${id} twice`);
        disk.seen.add(id);
      }
    });
    const mesh = await startMesh(
      {
        id: peerIdFromBytes(Buffer.from(origin, 'hex')),
        identity: disk.identity,
        name: host,
        headers: new Map(),
        bind: `tcp://${host}:*`,
        discovery: [
          beaconDiscovery({ port: 5670, broadcastAddresses: () => ['everyone'], accepts: () => true }),
          gossipDiscovery({
            bind: `tcp://${host}:${host === 'h0' ? '9000' : '*'}`,
            seeds: ['tcp://h0:9000'],
          }),
        ],
      },
      {
        clock,
        random: this.#random,
        transport: this.#network.transport(host),
        datagrams: this.#network.datagrams(host),
      },
    );
    mesh.subscribe((event) => {
      if (event.kind === 'peer-entered') this.#trace(host, event.kind, event.peer.id);
      else if (event.kind === 'peer-exited') this.#trace(host, event.kind, `${event.id} ${event.reason}`);
    });
    const hybrid = hybridClock(clock, store.lastHlc());
    const replicator = startReplicator({
      mesh,
      store,
      hybridClock: hybrid,
      clock,
      random: this.#random,
      origin,
      windowMs: 7 * 24 * 60 * 60 * 1_000,
      sayAnew: (statements) => intake.restate(statements),
      limits: this.#limits,
      onIdentityLost: (reason) => {
        this.note(`${host} loses its identity: ${reason}`);
        this.#nameless.add(host);
      },
      warn: (message, details) => this.#trace(host, 'warn', `${message} ${String(details['error'])}`),
    });
    const intake = createIntake({
      store,
      identity: disk.identity,
      hybridClock: hybrid,
      clock,
      acknowledged: replicator.acknowledged,
    });
    this.#nodes.set(host, { host, disk, mesh, store, intake, replicator });
  }

  /**
   * With a snapshot in their place the records contain its events and no others: one that was applied before, and is not
   * among them, has to be applied to these once more.
   */
  #withSnapshots(disk: Disk, store: IndicatorStore): IndicatorStore {
    return {
      ...store,
      async receiveSnapshot() {
        const sink = await store.receiveSnapshot();
        return {
          ...sink,
          async install(state) {
            const installed = await sink.install(state);
            for (const id of disk.seen) {
              const [origin, seq] = id.split('-') as [NodeId, string];
              const range = { from: Number(seq), to: Number(seq) };
              if (!holds(store.vector().get(origin), range)) disk.seen.delete(id);
            }
            return installed;
          },
        };
      },
    };
  }

  /** A disk that takes its time; what it has not written when its power fails it never writes. */
  #slow(host: string, store: IndicatorStore): IndicatorStore {
    if (this.#writeMsMax === 0) return store;
    const failures = new Set<() => void>();
    this.#unwritten.set(host, failures);
    const wait = () =>
      new Promise<void>((resolve, reject) => {
        const timer = this.#clock.after(this.#random.next() * this.#writeMsMax, () => {
          failures.delete(fail);
          resolve();
        });
        const fail = (): void => {
          timer.stop();
          reject(new Error('the power failed'));
        };
        failures.add(fail);
      });
    return { ...store, commit: (batches) => wait().then(() => store.commit(batches)) };
  }

  /** No goodbye, and nothing more of what was on its way. */
  async #crash(host: string): Promise<void> {
    this.#network.crash(host);
    await this.#stop(host);
  }

  async #stop(host: string): Promise<void> {
    const node = this.#nodes.get(host);
    if (node === undefined) return;
    this.#nodes.delete(host);
    for (const fail of this.#unwritten.get(host) ?? []) fail();
    await node.replicator.stop();
    for (const [what, by] of node.replicator.counters()) this.#counts[what] = (this.#counts[what] ?? 0) + by;
    await node.intake.stop();
    await node.mesh.stop();
  }

  #allDone(): boolean {
    return (
      this.#unanswered === 0 && [...this.#nodes.values()].every(({ replicator }) => replicator.status().ready)
    );
  }

  /** What a node is about to say anew is missing on all of them, and so in equal digests. */
  async #agree(): Promise<boolean> {
    for (const { store } of this.#nodes.values()) {
      for await (const { length } of store.unsaid(0)) if (length > 0) return false;
    }
    const digests = await Promise.all([...this.#nodes.values()].map(({ store }) => store.digest()));
    return new Set(digests.map(({ sha256 }) => sha256)).size === 1;
  }

  async #runFor(ms: number): Promise<void> {
    const untilMs = this.#clock.monotonicMs() + ms;
    let reached = false;
    this.#clock.after(ms, () => {
      reached = true;
    });
    while (!reached && (this.#clock.nextMs() ?? untilMs) <= untilMs) {
      this.#clock.step();
      this.#steps++;
      // Whatever a step set going on a disk in memory ends before the next one.
      await new Promise<void>((resolve) => setImmediate(resolve));
      for (const host of this.#nameless) await this.#rename(host);
    }
  }

  #trace(host: string, kind: string, detail: string): void {
    this.#hash.update(`${this.#clock.monotonicMs()} ${host} ${kind} ${detail}\n`);
  }
}
