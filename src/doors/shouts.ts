import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import { groupLimits as limits } from './limits.ts';

/** Tells peers of a group each thing once, each at its own pace: a slow one costs nobody else anything. */
export interface Shouts<Peer> {
  /** `make` is asked only when somebody is there to hear it. */
  tell(make: () => Uint8Array): void;
  /** It hears what is told from now on. */
  joined(peer: Peer): void;
  left(peer: Peer): void;
  stop(): void;
}

export type ShoutsParts<Peer> = {
  /** False when it was not taken. */
  readonly shoutTo: (peer: Peer, content: Uint8Array) => boolean;
  readonly queuedMessages: (peer: Peer) => number;
  readonly clock: Clock;
  readonly count: (what: 'shouted' | 'missed', number: number) => void;
};

/** A peer that hears is no more than a number: that of what it is told next. */
type Listener<Peer> = { readonly peer: Peer; next: number };

export function createShouts<Peer>({
  shoutTo,
  queuedMessages,
  clock,
  count,
}: ShoutsParts<Peer>): Shouts<Peer> {
  const listeners = new Map<Peer, Listener<Peer>>();
  /** What was told last, and the number of the first of it. */
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  let first = 0;
  const sleepers = new Set<() => void>();

  function wakeAll(): void {
    for (const wake of sleepers) wake();
    sleepers.clear();
  }

  function trim(): void {
    let cut = 0;
    while (
      cut < waiting.length &&
      (waiting.length - cut > limits.waitingMax || bytes > limits.waitingBytesMax)
    )
      bytes -= waiting[cut++]?.byteLength ?? 0;
    drop(cut);
  }

  function drop(number: number): void {
    waiting = waiting.slice(number);
    first += number;
  }

  function isHere(listener: Listener<Peer>): boolean {
    return listeners.get(listener.peer) === listener;
  }

  async function follow(listener: Listener<Peer>): Promise<void> {
    while (isHere(listener)) {
      if (listener.next < first) {
        count('missed', first - listener.next);
        listener.next = first;
      }
      if (listener.next === first + waiting.length) await somethingTold();
      else if (shoutSome(listener)) await nextTurn();
      else await later();
    }
  }

  /** False when the peer has enough for now. */
  function shoutSome(listener: Listener<Peer>): boolean {
    if (queuedMessages(listener.peer) >= limits.outboxMessagesMax) return false;
    const from = listener.next - first;
    let shouted = 0;
    for (const content of waiting.slice(from, from + limits.shoutsPerTurn)) {
      if (!shoutTo(listener.peer, content)) break;
      shouted++;
    }
    listener.next += shouted;
    count('shouted', shouted);
    forgetHeard();
    return shouted > 0;
  }

  /** What all have heard. */
  function forgetHeard(): void {
    if (listeners.size === 0) return;
    const slowest = Math.min(...[...listeners.values()].map(({ next }) => next));
    // Cutting costs as much as what is left.
    if (slowest - first < waiting.length / 2) return;
    for (const content of waiting.slice(0, slowest - first)) bytes -= content.byteLength;
    drop(slowest - first);
  }

  function somethingTold(): Promise<void> {
    return new Promise((resolve) => {
      sleepers.add(resolve);
    });
  }

  function later(): Promise<void> {
    return new Promise((resolve) => {
      clock.after(limits.outboxCheckMs, resolve);
    });
  }

  return {
    tell(make) {
      if (listeners.size === 0) return;
      const content = make();
      waiting.push(content);
      bytes += content.byteLength;
      if (waiting.length > limits.waitingMax + limits.shoutsPerTurn || bytes > limits.waitingBytesMax) trim();
      wakeAll();
    },
    joined(peer) {
      const listener = { peer, next: first + waiting.length };
      listeners.set(peer, listener);
      void follow(listener);
    },
    left(peer) {
      listeners.delete(peer);
      if (listeners.size === 0) {
        bytes = 0;
        drop(waiting.length);
      }
      wakeAll();
    },
    stop() {
      listeners.clear();
      wakeAll();
    },
  };
}
