import { digestId, type Format, type Letter, readEvent } from './letter.ts';
import { deliveryLimits as limits, webhookLimits } from './limits.ts';
import type { Pace, Queue, Waiting } from './queue.ts';

/** How a receiver of a format is sent to, and when what waits for it goes as a digest. */
export type Rules = Pace & {
  /** New letters that may wait each for itself. */
  readonly above: number;
  /** Events that one digest stands for. */
  readonly countMax: number;
  /** Whether a digest has all of its events, or names the first ones and counts the others. */
  readonly isWhole: boolean;
};

export function rulesOf(format: Format): Rules {
  if (format === 'slack') {
    return {
      concurrency: 1,
      everyMs: limits.slackEveryMs,
      above: limits.slackDigestAbove,
      countMax: limits.slackDigestCountMax,
      isWhole: false,
    };
  }
  return {
    concurrency: limits.perWebhook,
    everyMs: 0,
    above: limits.digestAbove,
    countMax: limits.digestItemsMax,
    isWhole: true,
  };
}

/**
 * Folds new letters into digests while too many of them wait. A letter that was tried, or that a document has, stays as it
 * is: the receiver may know it. A digest that only counts takes what comes as long as it was not sent.
 */
export function fold(queue: Queue, rules: Rules): Queue {
  let { waiting } = queue;
  for (;;) {
    const fresh = waiting.filter(isFresh);
    const absorbing = rules.isWhole ? undefined : fresh.find(({ letter }) => letter.count > 1);
    const singles = fresh.filter(({ letter }) => letter.count === 1);
    if (singles.length === 0 || (absorbing === undefined && singles.length <= rules.above))
      return waiting === queue.waiting ? queue : { ...queue, waiting };
    const digest = together(absorbing === undefined ? singles : [absorbing, ...singles], rules);
    if (digest === undefined) return waiting === queue.waiting ? queue : { ...queue, waiting };
    waiting = waiting.flatMap((one) => {
      if (one.order === digest.into.order) return [digest.into];
      return digest.orders.has(one.order) ? [] : [one];
    });
  }
}

function isFresh({ attempts, position }: Waiting): boolean {
  return attempts === 0 && position !== undefined;
}

/** As many of them as one digest takes, in the place of the first; undefined when it takes no more than that one. */
function together(
  letters: readonly Waiting[],
  rules: Rules,
): { readonly into: Waiting; readonly orders: ReadonlySet<number> } | undefined {
  const [first] = letters;
  if (first === undefined) return undefined;
  const events: string[] = [...first.letter.events];
  let bytes = bytesOf(events);
  let { count, last } = first.letter;
  const orders = new Set([first.order]);
  for (const { letter, order } of letters.slice(1)) {
    if (count + letter.count > rules.countMax) break;
    const more = bytesOf(letter.events);
    const fits =
      bytes + more <= webhookLimits.keptBytesMax &&
      events.length + letter.events.length <= limits.digestItemsMax;
    if (!fits && rules.isWhole) break;
    // Once one is only counted, the following are too: those that are named are the first ones.
    if (fits && events.length === count) {
      events.push(...letter.events);
      bytes += more;
    }
    count += letter.count;
    last = letter.last;
    orders.add(order);
  }
  if (orders.size === 1) return undefined;
  const id = digestId(readEvent(events[0] ?? '{}').id, last.id);
  return { into: { ...first, letter: { id, events, count, last } }, orders };
}

function bytesOf(events: Letter['events']): number {
  return events.reduce((sum, json) => sum + Buffer.byteLength(json), 0);
}
