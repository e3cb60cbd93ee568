import { accept, type Parsed, refuse } from '../parsed.ts';

/**
 * Where a submission wants to be on disk before it is answered: in this node alone, in so many other nodes, in more than
 * half of the mesh (this node counts), or in all of it.
 */
export type AckWish = 'local' | number | 'majority' | 'all';

/** A fleet of the size that a full mesh carries (design 6). */
const nodesMax = 64;

/** One other node: whoever loses this one has it still. */
export const ackDefault: AckWish = 1;

export const ackAllowed = `local, a number of other nodes from 1 to ${nodesMax}, majority or all`;

export type Ack = {
  readonly wanted: AckWish;
  /** How many other nodes have it on disk; `local` when none has. */
  readonly reached: 'local' | number;
  /** Why the wish was not met in time; absent when it was. What was submitted is stored here all the same. */
  readonly reason?: string;
};

export function parseAckWish(text: string): Parsed<AckWish, 'bad-ack'> {
  if (text === 'local' || text === 'majority' || text === 'all') return accept(text);
  const nodes = /^\d{1,2}$/.test(text) ? Number(text) : 0;
  return nodes >= 1 && nodes <= nodesMax ? accept(nodes) : refuse('bad-ack', `allowed is ${ackAllowed}`);
}
