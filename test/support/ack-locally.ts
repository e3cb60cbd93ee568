import type { Ack, AckWish } from '../../src/event/ack.ts';
import type { SeqRange } from '../../src/event/types.ts';

/** What a node without a mesh answers. */
export async function ackLocally(_: SeqRange, wanted: AckWish): Promise<Ack> {
  return { wanted, reached: 'local' };
}
