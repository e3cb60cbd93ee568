import { clientLimits } from './limits.ts';

/** What a message is to a subscription: not seen before, seen, or seen and yet needed once more. */
export type Sighted = 'new' | 'seen' | 'needed-again';

export type SeenMessage = {
  /** The event's. */
  readonly id: string;
  /** Of the event, Unix milliseconds. */
  readonly timeMs: number;
  /** The id of the serving node. */
  readonly source: string;
  /** The record that it is about, if it is about one. */
  readonly record: string | undefined;
};

/** What was handed out in a span of time. */
type Generation = {
  readonly fromMs: number;
  /** Bits of 32 consecutive events of one origin: `<origin hex>-<seq / 32>`. A stream without filters has them all. */
  readonly events: Map<string, number>;
  /** Events whose ids are of another form. */
  readonly others: Set<string>;
  /** Records that were handed out since the last move. */
  readonly records: Set<string>;
};

/**
 * The memory of one subscription: an event is one event, whichever node tells it. It is bounded by the time of the events, as
 * another node resumes not much earlier, and by a count; what is forgotten may come twice.
 *
 * Two nodes may hear two events about one record in different orders, and each message carries the record as the node then
 * had it. After a move an event that was seen can so be the one with the newest record: it is needed again when its record has
 * been handed out by this node meanwhile, in a state without it.
 */
export function createSeen(
  limits: { readonly seenForMs: number; readonly seenEntriesMax: number } = clientLimits,
) {
  let older = generation(Number.NEGATIVE_INFINITY);
  let current = older;
  let newestMs = Number.NEGATIVE_INFINITY;
  let source: string | undefined;
  let hasMoved = false;

  function turn(): void {
    const size = current.events.size + current.others.size + current.records.size;
    if (newestMs - current.fromMs <= limits.seenForMs && size < limits.seenEntriesMax) return;
    older = current;
    current = generation(newestMs);
  }

  /** Notes a message, and says what it is. */
  return function see({ id, timeMs, source: by, record }: SeenMessage): Sighted {
    if (source !== undefined && source !== by) {
      hasMoved = true;
      for (const { records } of [older, current]) records.clear();
    }
    source = by;
    if (timeMs > newestMs) newestMs = timeMs;
    turn();
    const isSeen = noteEvent(id, older, current);
    if (!hasMoved || record === undefined) return isSeen ? 'seen' : 'new';
    if (isSeen) return older.records.has(record) || current.records.has(record) ? 'needed-again' : 'seen';
    current.records.add(record);
    return 'new';
  };
}

function generation(fromMs: number): Generation {
  return { fromMs, events: new Map(), others: new Set(), records: new Set() };
}

/** Whether the event was noted before. */
function noteEvent(id: string, older: Generation, current: Generation): boolean {
  const dash = id.lastIndexOf('-');
  const digits = id.slice(dash + 1);
  if (dash !== 32 || !/^[1-9]\d{0,14}$/.test(digits)) {
    const isSeen = older.others.has(id) || current.others.has(id);
    current.others.add(id);
    return isSeen;
  }
  const seq = Number(digits);
  const block = `${id.slice(0, dash)}-${Math.floor(seq / 32)}`;
  const bit = 1 << (seq % 32);
  const bits = current.events.get(block) ?? 0;
  const isSeen = ((bits | (older.events.get(block) ?? 0)) & bit) !== 0;
  current.events.set(block, bits | bit);
  return isSeen;
}
