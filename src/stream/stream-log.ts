import type { NodeId } from '../event/types.ts';
import { type Filter, matches } from '../query/filter.ts';
import type { Change, IndicatorStore } from '../store/store.ts';
import { cursorOf, positionOf } from './cursor.ts';
import { type StreamMessage, streamMessage } from './envelope.ts';

const streamLimits = {
  /** The newest changes are kept while there are readers; older ones are read from the store again. */
  tailChangesMax: 20_000,
  /** Of a change's text, in UTF-16 units; what is rendered of it is three times as much at most. */
  tailCharactersMax: 16 * 1024 * 1024,
  /** What one step of a reader takes. */
  stepMessagesMax: 500,
} as const;

/** About what a change has beside its long texts. */
const charactersOfFields = 300;

export type Step = {
  readonly messages: readonly StreamMessage[];
  /** Where to go on from: behind all that was looked at, whether it matched or not. */
  readonly position: number;
  /** How many changes before `position` can no longer be had; then there are no messages. */
  readonly missed: number;
};

/**
 * This node's stream of changes, under every transport. A reader is no more than a position in it: it takes what comes next
 * at its own pace, from the tail in memory or from the store, so a slow one has no queue and costs nobody else anything.
 */
export interface StreamLog {
  readonly nodeId: NodeId;
  cursorAt(position: number): string;
  /** The cursor behind the newest message. */
  lastCursor(): string;
  /** The oldest cursor behind which everything can still be had. */
  firstCursor(): Promise<string>;
  /** Where a reader begins that wants what comes from now on. */
  lastPosition(): number;
  /** The position that a cursor stands for; undefined when it is of another node, or ahead of this one. */
  resume(cursor: string): number | undefined;
  /** What comes after `position`; waits for it until `signal` ends the wait. Rejects with StoreError. */
  next(position: number, filter: Filter, signal: AbortSignal): Promise<Step>;
  /** Once true, nothing comes any more and readers end. */
  readonly stopped: boolean;
  stop(): void;
}

/** A change in the tail; rendered by the first reader that comes to it. */
type Kept = { readonly change: Change; readonly characters: number; message: StreamMessage | undefined };

/** A change that nobody is told of has no message. */
type Rendered = { readonly position: number; readonly message: StreamMessage | undefined };

export function createStreamLog(store: IndicatorStore, nodeId: NodeId): StreamLog {
  /** Ascending positions without a gap; the last one is the store's newest change. */
  let tail: Kept[] = [];
  let tailCharacters = 0;
  let last = store.lastPosition();
  /** The newest change when a reader last began or asked. Without readers nothing is kept for them. */
  let lastAsked = Number.NEGATIVE_INFINITY;
  const sleepers = new Set<() => void>();
  let stopped = false;

  const unsubscribe = store.onCommitted(({ changes }) => {
    const isRead = sleepers.size > 0 || last - lastAsked < streamLimits.tailChangesMax;
    if (!isRead) [tail, tailCharacters] = [[], 0];
    for (const change of changes) {
      // A snapshot came, with changes that are in no stream.
      if (change.position !== last + 1) [tail, tailCharacters] = [[], 0];
      last = change.position;
      if (isRead) keep(change);
    }
    trim();
    for (const wake of [...sleepers]) wake();
  });

  function keep(change: Change): void {
    const characters = charactersOfFields + charactersOf(change);
    tail.push({ change, characters, message: undefined });
    tailCharacters += characters;
  }

  function trim(): void {
    let cut = 0;
    while (
      cut < tail.length &&
      (tail.length - cut > streamLimits.tailChangesMax || tailCharacters > streamLimits.tailCharactersMax)
    ) {
      tailCharacters -= tail[cut]?.characters ?? 0;
      cut++;
    }
    if (cut > 0) tail = tail.slice(cut);
  }

  async function read(position: number): Promise<readonly Rendered[]> {
    lastAsked = last;
    const first = tail[0]?.change.position ?? last + 1;
    if (position + 1 >= first) {
      const from = position + 1 - first;
      return tail.slice(from, from + streamLimits.stepMessagesMax).map((kept) => {
        kept.message ??= streamMessage(kept.change, nodeId);
        return { position: kept.change.position, message: kept.message };
      });
    }
    const limit = Math.min(streamLimits.stepMessagesMax, first - position - 1);
    const changes = await store.changesAfter(position, limit);
    // Up to the first hole; what lies behind it is found by the next step.
    const from = changes[0]?.position ?? 0;
    const hole = changes.findIndex((change, i) => change.position !== from + i);
    return changes.slice(0, hole === -1 ? undefined : hole).map((change) => ({
      position: change.position,
      message: streamMessage(change, nodeId),
    }));
  }

  function sleep(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      function wake(): void {
        sleepers.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      }
      sleepers.add(wake);
      signal.addEventListener('abort', wake);
      if (signal.aborted) wake();
    });
  }

  return {
    nodeId,
    cursorAt: (position) => cursorOf(nodeId, position),
    lastCursor: () => cursorOf(nodeId, last),
    async firstCursor() {
      const [oldest] = await store.changesAfter(0, 1);
      return cursorOf(nodeId, oldest === undefined ? last : oldest.position - 1);
    },
    lastPosition() {
      lastAsked = last;
      return last;
    },
    resume(cursor) {
      lastAsked = last;
      const position = positionOf(nodeId, cursor);
      return position !== undefined && position <= last ? position : undefined;
    },
    async next(position, filter, signal) {
      if (position >= last && !signal.aborted && !stopped) await sleep(signal);
      if (position >= last || signal.aborted) return { messages: [], position, missed: 0 };
      const rendered = await read(position);
      const missed = (rendered[0]?.position ?? last + 1) - position - 1;
      if (missed > 0) return { messages: [], position: position + missed, missed };
      return {
        messages: rendered.flatMap(({ message }) =>
          message !== undefined && matches(filter, message.record) ? [message] : [],
        ),
        position: rendered.at(-1)?.position ?? position,
        missed: 0,
      };
    },
    get stopped() {
      return stopped;
    },
    stop() {
      stopped = true;
      unsubscribe();
      for (const wake of [...sleepers]) wake();
    },
  };
}

/** About the length of its long texts. */
function charactersOf(change: Change): number {
  if (!('record' in change)) return change.document.body?.length ?? 0;
  const { indicator, description = '', reference = '', rdata = '', asnDesc = '' } = change.record;
  return indicator.length + description.length + reference.length + rdata.length + asnDesc.length;
}
