import { setTimeout as sleep } from 'node:timers/promises';
import type { FleetNode } from '../../chaos/fleet.ts';
import type { Journal } from '../../chaos/journal.ts';
import { authorization, recordsOf } from '../../chaos/node-client.ts';
import type { Follow, StreamEvent } from './follow.ts';

const againAfterMs = 200;

/** One of a kind, which follows the stream of one node until that dies, and then that of another, with its last cursor. */
export type Subscriber = {
  readonly name: string;
  readonly counts: { events: number; moves: number; resets: number };
  /** Resolves once it has a place in a stream. */
  readonly placed: Promise<void>;
  /** By event id; or in the records, when a node said that what came before is there. */
  hasSeen(id: string, indicator: string): boolean;
  stop(): Promise<void>;
};

export type SubscriberOptions = {
  readonly name: string;
  readonly follow: Follow;
  readonly start: FleetNode;
  readonly journal: Journal;
  readonly isUp: (node: FleetNode) => boolean;
  /** Which other node to go to. */
  readonly nextNode: () => FleetNode | undefined;
};

export function startSubscriber(options: SubscriberOptions): Subscriber {
  const { name, follow, journal, isUp, nextNode } = options;
  const counts = { events: 0, moves: 0, resets: 0 };
  const seen = new Set<string>();
  const indicators = new Set<string>();
  /** Since it came to the node where it is. */
  let seenHere = new Set<string>();
  let node = options.start;
  let cursor: string | undefined;
  const stopping = new AbortController();
  let announcePlaced: () => void = () => {};
  const placed = new Promise<void>((resolve) => {
    announcePlaced = resolve;
  });

  async function followAll(): Promise<void> {
    while (!stopping.signal.aborted) {
      const reason = await followOnce();
      if (stopping.signal.aborted) return;
      if (isUp(node)) {
        if (reason !== 'reset')
          journal.problem('ended', `${name}: the stream of node ${node.n} ended: ${reason}`);
      } else move();
      if (reason !== 'reset')
        await sleep(againAfterMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  }

  /** Until the stream ends; answers why. */
  async function followOnce(): Promise<string> {
    const here = new AbortController();
    let reset: StreamEvent | undefined;
    try {
      await follow({
        url: node.url,
        headers: authorization,
        cursor,
        signal: AbortSignal.any([here.signal, stopping.signal]),
        placed(at) {
          cursor ??= at;
          announcePlaced();
        },
        hear(event) {
          if (here.signal.aborted) return;
          if (event.type === 'tocsin.stream.reset' || event.type === 'tocsin.stream.gap') {
            reset = event;
            here.abort();
          } else if (!event.type.startsWith('tocsin.stream.')) take(event);
        },
      });
    } catch (error) {
      if (reset === undefined) return (error as Error).message;
    }
    if (reset === undefined) return 'without an error';
    counts.resets += 1;
    await readRecords(reset);
    return 'reset';
  }

  /** What was before is in the records; what comes after them is behind the cursor that the node gave. */
  async function readRecords({ data }: StreamEvent): Promise<void> {
    try {
      for await (const { indicator } of recordsOf(node.url)) indicators.add(indicator);
      cursor = String(data['cursor']);
    } catch {
      // The node is gone again; the next one is told the same cursor as this one.
    }
  }

  function take(event: StreamEvent): void {
    counts.events += 1;
    if (seenHere.has(event.id))
      journal.problem('twice', `${name}: node ${node.n} showed event ${event.id} twice`);
    seenHere.add(event.id);
    seen.add(event.id);
    cursor = event.cursor;
  }

  function move(): void {
    const next = nextNode();
    if (next === undefined) return;
    node = next;
    seenHere = new Set();
    counts.moves += 1;
  }

  const following = followAll();
  return {
    name,
    counts,
    placed,
    hasSeen: (id, indicator) => seen.has(id) || indicators.has(indicator),
    async stop() {
      stopping.abort();
      await following;
    },
  };
}
