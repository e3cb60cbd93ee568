import type { Clock } from '../clock.ts';
import type { Ack, AckWish } from '../event/ack.ts';
import type { SeqRange } from '../event/types.ts';
import { type AckView, answerLate, answerWish } from './acks.ts';

type Waiter = {
  readonly range: SeqRange;
  readonly wish: AckWish;
  readonly settle: (ack: Ack) => void;
};

/** Submissions that wait until other nodes have them on disk. */
export interface AckWaiters {
  /** Always resolves: with what was reached when the time is up. */
  wait(range: SeqRange, wish: AckWish, waitMs: number): Promise<Ack>;
  /** Something about the peers has changed: answers those whose wish is met now. */
  check(): void;
  /** Answers all with what was reached. */
  stop(): void;
}

export function createAckWaiters(view: AckView, clock: Clock): AckWaiters {
  const waiters = new Set<Waiter>();
  let stopped = false;

  function check(): void {
    // Those who waited longest first. Acks are cumulative, so what an older one still lacks may have come to a newer one.
    for (const { range, wish, settle } of waiters) {
      const ack = answerWish(range, wish, view);
      if (ack !== undefined) settle(ack);
    }
  }

  return {
    wait(range, wish, waitMs) {
      const ack = answerWish(range, wish, view);
      if (ack !== undefined) return Promise.resolve(ack);
      // Nothing more will be heard of peers.
      if (stopped) return Promise.resolve(answerLate(range, wish, view, 'when the node stopped'));
      return new Promise((resolve) => {
        const timer = clock.after(waitMs, () => settle(answerLate(range, wish, view, `after ${waitMs} ms`)));
        function settle(answer: Ack): void {
          timer.stop();
          waiters.delete(waiter);
          resolve(answer);
        }
        const waiter: Waiter = { range, wish, settle };
        waiters.add(waiter);
      });
    },
    check,
    stop() {
      stopped = true;
      for (const { range, wish, settle } of waiters)
        settle(answerLate(range, wish, view, 'when the node stopped'));
    },
  };
}
