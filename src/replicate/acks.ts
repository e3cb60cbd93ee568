import type { Ack, AckWish } from '../event/ack.ts';
import type { SeqRange } from '../event/types.ts';

/** How many other nodes a wish means in a mesh like this. */
export function othersWanted(wish: AckWish, { peers, cutOff }: Pick<AckView, 'peers' | 'cutOff'>): number {
  // A node that is cut off does not pass for one that is alone: there is another node at least.
  const others = cutOff ? Math.max(1, peers) : peers;
  switch (wish) {
    case 'local':
      return 0;
    case 'majority':
      // More than half of peers and ourselves, less ourselves.
      return Math.floor((others + 1) / 2);
    case 'all':
      return others;
    // The one other node that the default asks for is not missed by a node that is alone: it is the mesh.
    case 1:
      return Math.min(1, others);
    default:
      return wish;
  }
}

/** What the mesh is like while a wish waits. */
export type AckView = {
  readonly peers: number;
  /** The last of them went without a goodbye. */
  readonly cutOff: boolean;
  /** False while a node that has just started still looks for peers: it cannot say yet that it is alone. */
  readonly settled: boolean;
  /** How many peers have all of `range` of our own events on disk. */
  holders(range: SeqRange): number;
};

/** The answer to a wish, or undefined while it has to wait. */
export function answerWish(range: SeqRange, wish: AckWish, view: AckView): Ack | undefined {
  if (wish === 'local') return { wanted: wish, reached: 'local' };
  const held = view.holders(range);
  const wanted = othersWanted(wish, view);
  return held >= wanted && (view.settled || held > 0)
    ? { wanted: wish, reached: reachedBy(held) }
    : undefined;
}

/** The answer to a wish that was not met `when` ("after 5000 ms"). */
export function answerLate(range: SeqRange, wish: AckWish, view: AckView, when: string): Ack {
  const held = view.holders(range);
  return {
    wanted: wish,
    reached: reachedBy(held),
    reason: whyNot(othersWanted(wish, view), held, view, when),
  };
}

function whyNot(wanted: number, held: number, { peers, cutOff }: AckView, when: string): string {
  if (cutOff) return 'the other nodes have gone without a goodbye and none is in reach; it is stored here';
  if (peers < wanted) return `${countOf(wanted, 'other node')} asked for, and the mesh has ${peers}`;
  return `${held} of ${countOf(wanted, 'other node')} had it ${when}; it is stored here`;
}

function reachedBy(nodes: number): Ack['reached'] {
  return nodes === 0 ? 'local' : nodes;
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
