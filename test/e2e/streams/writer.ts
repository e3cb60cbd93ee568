import { setTimeout as sleep } from 'node:timers/promises';
import { type Random, randomInt } from '../../../mesh/random.ts';
import { indicatorOf } from '../../chaos/bits.ts';
import type { FleetNode } from '../../chaos/fleet.ts';
import type { Journal } from '../../chaos/journal.ts';
import { postIndicators } from '../../chaos/node-client.ts';

/** Above what a node waits for acks of others (5 s). */
const answerMsMax = 8_000;
const pauseMs = 20;
const writersCount = 2;
const rowsMax = 9;

export type Writers = {
  /** Indicators by the ids of their events: those that another node has, too. */
  readonly acknowledged: ReadonlyMap<string, string>;
  stop(): Promise<void>;
};

/** Writes new indicators to living nodes without a pause, and remembers the events of those that were acknowledged. */
export function startWriters(
  nextNode: () => FleetNode | undefined,
  random: Random,
  journal: Journal,
): Writers {
  const acknowledged = new Map<string, string>();
  let issued = 0;
  let stopped = false;

  async function write(): Promise<void> {
    for (; !stopped; await sleep(pauseMs)) {
      const node = nextNode();
      if (node === undefined) continue;
      const indicators = Array.from({ length: 1 + randomInt(random, rowsMax) }, () =>
        indicatorOf(issued++, 'streams'),
      );
      try {
        const { status, body } = await postIndicators(node.url, '1', indicators, answerMsMax);
        if (status === 201 && body.ack?.reached === 1) remember(indicators, body.events?.first ?? '');
        else if (![201, 202, 503].includes(status))
          journal.problem('answer', `node ${node.n} answers ${status}`);
      } catch {
        // It was killed; nobody knows what became of these.
      }
    }
  }

  function remember(indicators: readonly string[], first: string): void {
    const [origin, seq] = first.split('-');
    for (const [i, indicator] of indicators.entries())
      acknowledged.set(`${origin}-${Number(seq) + i}`, indicator);
  }

  const writing = Array.from({ length: writersCount }, write);
  return {
    acknowledged,
    async stop() {
      stopped = true;
      await Promise.all(writing);
    },
  };
}
