import { setTimeout as sleep } from 'node:timers/promises';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { pick, type Random } from '../../mesh/random.ts';
import { type Bits, createBits, numberOf } from './bits.ts';
import type { FleetNode } from './fleet.ts';
import type { Journal } from './journal.ts';
import { authorization, recordsOf } from './node-client.ts';

/** A node sends a heartbeat every 15 s; one that says nothing for longer is dead to a subscriber. */
const silenceMsMax = 20_000;
const againAfterMs = 500;
/** How long a patient subscriber waits for its node to come back. */
const patienceMs = 15_000;

/** What follows the stream of one node, and goes to another when that one dies. */
export type Subscriber = {
  readonly name: string;
  /** Numbers that it was shown. */
  readonly seen: Bits;
  /** How many events were shown to it, and how often it went to another node. */
  readonly counts: { events: number; moves: number; resets: number; gaps: number };
  stop(): Promise<void>;
};

export type SubscriberOptions = {
  readonly name: string;
  readonly nodes: readonly FleetNode[];
  readonly journal: Journal;
  readonly random: Random;
  /** Waits for its node to come back before it goes to another. */
  readonly patient: boolean;
  /** The logs of nodes are cut, so that a stream may have gaps. */
  readonly logIsCut: boolean;
};

/** One node's stream as one subscriber knows it: from its first cursor on, over all its connections. */
type Subscription = {
  cursor: string | undefined;
  /** It began on an empty disk, which a snapshot may have filled since. */
  readonly ofNewcomer: boolean;
  /** Event ids, as numbers by origin. */
  readonly shown: Map<string, Bits>;
};

export function startSubscriber(options: SubscriberOptions): Subscriber {
  const { name, nodes, journal, random, patient, logIsCut } = options;
  const seen = createBits();
  const counts = { events: 0, moves: 0, resets: 0, gaps: 0 };
  // Kept over moves: a subscriber that comes back to a node goes on behind what that node showed it before.
  const subscriptions = new Map<FleetNode, Subscription>();
  const stopping = new AbortController();
  let lastCursor: string | undefined;

  async function followAll(): Promise<void> {
    let node = pick(random, nodes);
    let deadSinceMs: number | undefined;
    while (node !== undefined && !stopping.signal.aborted) {
      const eventsBefore = counts.events;
      await follow(node).catch(() => undefined);
      if (stopping.signal.aborted) return;
      if (counts.events > eventsBefore) deadSinceMs = undefined;
      deadSinceMs ??= journal.nowMs();
      if (!patient || journal.nowMs() - deadSinceMs > patienceMs) {
        const here: FleetNode = node;
        node =
          pick(
            random,
            nodes.filter((other) => other !== here),
          ) ?? here;
        counts.moves += 1;
        deadSinceMs = undefined;
      }
      await sleep(againAfterMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  }

  /** Until the connection ends, in whatever way. */
  async function follow(node: FleetNode): Promise<void> {
    const own = subscriptions.get(node);
    // Another node's cursor stands for a time: this one goes on from before it, or answers `reset`.
    const cursor = own?.cursor ?? lastCursor;
    let subscription = own ?? subscriptionFrom(undefined, false);
    subscriptions.set(node, subscription);
    let first: string | undefined;
    let next: { readonly subscription: Subscription; readonly readsRecords: boolean } | undefined;
    for await (const message of messages(node, cursor)) {
      if (message.event === 'connected') {
        first = String(dataOf(message)['first']);
        // Whoever wants everything begins with the oldest.
        if (cursor === undefined)
          next = { subscription: subscriptionFrom(first, false), readsRecords: false };
        else if (originOf(cursor) !== originOf(first)) {
          // By its time: what was shown elsewhere may come again. The node may have come with an empty disk a moment ago.
          subscription = subscriptionFrom(cursor, true);
          subscriptions.set(node, subscription);
        }
      } else if (message.event === 'reset') {
        counts.resets += 1;
        if (own?.cursor !== undefined && originOf(own.cursor) === originOf(first))
          journal.problem(
            'went back',
            `${name}: node ${node.n} no longer knows its own cursor ${own.cursor}`,
          );
        // As it says: a node that came with an empty disk has its newest events in its stream, and all else in its records.
        next = { subscription: subscriptionFrom(first, true), readsRecords: true };
      } else if (message.event === 'gap') {
        counts.gaps += 1;
        if (!logIsCut && !subscription.ofNewcomer)
          journal.problem('gap', `${name}: node ${node.n} has a gap: ${message.data}`);
        const behind = String(dataOf(message)['cursor']);
        next = { subscription: { ...subscription, cursor: behind }, readsRecords: true };
      } else {
        show(node, subscription, dataOf(message));
        subscription.cursor = lastCursor = message.id ?? subscription.cursor;
      }
      // This connection is closed before anything else: nobody would read it meanwhile.
      if (next !== undefined) break;
    }
    if (next === undefined) return;
    if (next.readsRecords) await readRecords(node);
    // Only now: when that failed it is told the same again.
    subscriptions.set(node, next.subscription);
    await follow(node);
  }

  async function readRecords(node: FleetNode): Promise<void> {
    for await (const { indicator } of recordsOf(node.url)) mark(indicator);
  }

  function show(node: FleetNode, { shown }: Subscription, event: Record<string, unknown>): void {
    counts.events += 1;
    mark((event['data'] as Record<string, unknown> | undefined)?.['indicator']);
    const [origin = '', seq] = String(event['id']).split('-');
    const seqs = shown.get(origin) ?? createBits();
    shown.set(origin, seqs);
    if (!seqs.add(Number(seq)))
      journal.problem(
        'shown twice',
        `${name}: node ${node.n} showed event ${event['id']} twice in one subscription`,
      );
  }

  function mark(indicator: unknown): void {
    const n = numberOf(indicator);
    if (n !== undefined) seen.add(n);
  }

  async function* messages(node: FleetNode, cursor: string | undefined): AsyncGenerator<EventSourceMessage> {
    const silence = new AbortController();
    const watchdog = setTimeout(() => silence.abort(), silenceMsMax);
    try {
      const response = await fetch(`${node.url}/stream`, {
        headers: { ...authorization, ...(cursor !== undefined && { 'last-event-id': cursor }) },
        signal: AbortSignal.any([silence.signal, stopping.signal]),
      });
      if (!response.ok || response.body === null)
        return journal.problem(
          `stream ${response.status}`,
          `${name}: node ${node.n} answered ${response.status}`,
        );
      const found: EventSourceMessage[] = [];
      const parser = createParser({ onEvent: (message) => found.push(message) });
      const decoder = new TextDecoder();
      for await (const chunk of response.body) {
        watchdog.refresh();
        parser.feed(decoder.decode(chunk, { stream: true }));
        yield* found.splice(0);
      }
    } finally {
      clearTimeout(watchdog);
    }
  }

  const following = followAll();
  return {
    name,
    seen,
    counts,
    async stop() {
      stopping.abort();
      await following;
    },
  };
}

function subscriptionFrom(cursor: string | undefined, ofNewcomer: boolean): Subscription {
  return { cursor, ofNewcomer, shown: new Map() };
}

function dataOf(message: EventSourceMessage): Record<string, unknown> {
  return JSON.parse(message.data) as Record<string, unknown>;
}

/** A cursor begins with the id of its node. */
function originOf(cursor: string | undefined): string | undefined {
  return cursor?.split('.')[0];
}
