import { setTimeout as sleep } from 'node:timers/promises';
import { pick, type Random, randomInt } from '../../mesh/random.ts';
import type { FleetNode } from './fleet.ts';
import type { Hosts } from './hosts.ts';
import type { Journal } from './journal.ts';
import { becomesWhole, inStep } from './rule.ts';

export type FaultKind = 'kill' | 'term' | 'kill-and-wipe' | 'term-and-wipe' | 'suspend' | 'cut';

const weights: Readonly<Record<FaultKind, number>> = {
  kill: 3,
  term: 2,
  'kill-and-wipe': 1,
  'term-and-wipe': 1,
  suspend: 2,
  cut: 2,
};
const sentences: Readonly<Record<FaultKind, string>> = {
  kill: 'kill -9, disk kept',
  term: 'kill -TERM, disk kept',
  'kill-and-wipe': 'kill -9, disk wiped',
  'term-and-wipe': 'kill -TERM, disk wiped',
  suspend: 'suspended',
  cut: 'cut off',
};
/** How long a fault lasts, in milliseconds. A cut of 30 s and more lets peers expire one another. */
const holdMs: Readonly<Record<FaultKind, readonly [number, number]>> = {
  kill: [200, 5_000],
  term: [200, 5_000],
  'kill-and-wipe': [200, 5_000],
  'term-and-wipe': [200, 5_000],
  suspend: [2_000, 15_000],
  cut: [3_000, 40_000],
};
const pauseMs = [2_000, 6_000] as const;
const onMs = [500, 3_000] as const;
const wholeNodesMin = 2;
const inStepWithinMs = 20_000;
/** How long a fault waits for the node that was drawn, so that not always the one that is not whole yet is hit again. */
const patienceMs = 6_000;
const lookEveryMs = 500;

export type Fault = {
  readonly kind: FaultKind;
  /** In [0, 1): the first node to think of; the next one that the rule allows is taken. */
  readonly where: number;
  /** A cut takes a second node along, when the rule allows. */
  readonly pair: boolean;
  readonly holdMs: number;
  readonly pauseMs: number;
  /** From the moment that the nodes were in step to the loss of a disk. At that very moment nothing can be lost. */
  readonly onMs: number;
};

/** The faults of a seed, one after the other: always the same ones, however fast the machine is. */
export function* drawFaults(random: Random, kinds: readonly FaultKind[]): Generator<Fault> {
  const between = ([min, max]: readonly [number, number]): number => min + randomInt(random, max - min);
  const inProportion = kinds.flatMap((kind) => Array<FaultKind>(weights[kind]).fill(kind));
  for (;;) {
    const kind = pick(random, inProportion) ?? 'kill';
    yield {
      kind,
      where: random.next(),
      pair: random.next() < 0.5,
      holdMs: between(holdMs[kind]),
      pauseMs: between(pauseMs),
      onMs: between(onMs),
    };
  }
}

export function faultKinds(hosts: Hosts, ack: string): readonly FaultKind[] {
  return (
    (Object.keys(weights) as FaultKind[])
      .filter((kind) => kind !== 'cut' || hosts.canCut)
      // What only one node was asked to keep goes with its disk.
      .filter((kind) => !kind.endsWith('wipe') || ack !== 'local')
  );
}

export type Faults = {
  /** How many there were. */
  readonly count: number;
  readonly longestToReadyMs: number;
  /** Ends all faults: every node is started, continued, back in the net. */
  stop(): Promise<void>;
};

export type FaultOptions = {
  readonly nodes: readonly FleetNode[];
  readonly hosts: Hosts;
  readonly journal: Journal;
  readonly faults: Iterable<Fault>;
};

/** Draws faults and does them, within the rule (rule.ts). All nodes must be up and in step. */
export function startFaults({ nodes, hosts, journal, faults }: FaultOptions): Faults {
  const away = new Set<FleetNode>();
  const whole = new Set(nodes);
  const cuts = new Map<FleetNode, readonly number[]>();
  const running = new Set<Promise<void>>();
  /** Ends the wait for a node to become whole when its next fault comes first. */
  const waits = new Map<FleetNode, AbortController>();
  const stopping = new AbortController();
  let count = 0;
  let longestToReadyMs = 0;

  async function doAll(): Promise<void> {
    for (const fault of faults) {
      await pause(fault.pauseMs);
      if (stopping.signal.aborted) return;
      const nodesHit = await targetsOf(fault);
      const [first] = nodesHit;
      if (first === undefined) {
        journal.say(
          `skipped: ${sentences[fault.kind]} (fewer than ${wholeNodesMin} whole nodes would be left)`,
        );
        continue;
      }
      if (wipes(fault)) {
        if (!(await inStep(nodes, inStepWithinMs, stopping.signal))) {
          journal.say(`skipped: node ${first.n}  ${sentences[fault.kind]} (the nodes are not in step)`);
          continue;
        }
        await pause(fault.onMs);
      }
      if (stopping.signal.aborted) return;
      count += 1;
      const who = nodesHit.map(({ n }) => n).join(' and ');
      const forS = (fault.holdMs / 1_000).toFixed(1);
      journal.say(`node ${who}  ${sentences[fault.kind]} for ${forS} s`);
      for (const node of nodesHit) {
        waits.get(node)?.abort();
        away.add(node);
        whole.delete(node);
      }
      const task: Promise<void> = perform(fault, nodesHit, first).finally(() => running.delete(task));
      running.add(task);
    }
  }

  /** The node that was drawn, once the rule allows; after a while without it, the next that it allows; none at last. */
  async function targetsOf({ kind, where, pair }: Fault): Promise<readonly FleetNode[]> {
    const start = Math.floor(where * nodes.length);
    const inOrder = [...nodes.slice(start), ...nodes.slice(0, start)];
    let first: FleetNode | undefined;
    for (let waitedMs = 0; first === undefined && !stopping.signal.aborted; waitedMs += lookEveryMs) {
      if (waitedMs > 0) await pause(lookEveryMs);
      const candidates = waitedMs < patienceMs ? inOrder.slice(0, 1) : inOrder;
      first = candidates.find((node) => !away.has(node) && wholeWithout(node) >= wholeNodesMin);
      if (waitedMs >= patienceMs) break;
    }
    if (first === undefined) return [];
    const one = first;
    const second = inOrder.find(
      (node) => node !== one && !away.has(node) && wholeWithout(one, node) >= wholeNodesMin,
    );
    return kind === 'cut' && pair && second !== undefined ? [one, second] : [one];
  }

  function wholeWithout(...hit: readonly FleetNode[]): number {
    return [...whole].filter((node) => !hit.includes(node)).length;
  }

  async function perform(fault: Fault, hit: readonly FleetNode[], first: FleetNode): Promise<void> {
    const { kind } = fault;
    if (kind === 'cut') {
      cuts.set(
        first,
        hit.map(({ n }) => n),
      );
      await hosts.cut([...cuts.values()]);
    } else if (kind === 'suspend') first.suspend();
    else await first.end(kind.startsWith('kill') ? 'SIGKILL' : 'SIGTERM');
    if (wipes(fault)) await first.wipe();
    await pause(fault.holdMs);
    if (kind === 'cut') {
      cuts.delete(first);
      await hosts.cut([...cuts.values()]);
    } else if (kind === 'suspend') first.resume();
    else first.start();
    for (const node of hit) comesBack(node);
  }

  function comesBack(node: FleetNode): void {
    away.delete(node);
    const startMs = journal.nowMs();
    const wait = new AbortController();
    waits.set(node, wait);
    let readyMs = 0;
    const onReady = (): void => {
      readyMs = journal.nowMs() - startMs;
      longestToReadyMs = Math.max(longestToReadyMs, readyMs);
    };
    const signal = AbortSignal.any([wait.signal, stopping.signal]);
    const waiting: Promise<void> = becomesWhole(node, nodes, onReady, signal)
      .then((isWhole) => {
        if (!isWhole) return;
        whole.add(node);
        const wholeS = ((journal.nowMs() - startMs) / 1_000).toFixed(1);
        journal.say(
          `node ${node.n}  is back: ready after ${(readyMs / 1_000).toFixed(1)} s, whole after ${wholeS} s`,
        );
      })
      .finally(() => running.delete(waiting));
    running.add(waiting);
  }

  const pause = (ms: number): Promise<void> =>
    sleep(ms, undefined, { signal: stopping.signal }).catch(() => undefined);

  const doing = doAll();
  return {
    get count() {
      return count;
    },
    get longestToReadyMs() {
      return longestToReadyMs;
    },
    async stop() {
      stopping.abort();
      await doing;
      while (running.size > 0) await Promise.all(running);
    },
  };
}

function wipes({ kind }: Fault): boolean {
  return kind.endsWith('wipe');
}
