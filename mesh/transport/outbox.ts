import type { Dealer, MessageLike } from 'zeromq';
import { byteLengthOf, type Frames } from './transport.ts';

/** Messages on their way into one socket, in order. */
export interface Outbox {
  /** What waits for the socket. */
  readonly messages: number;
  readonly bytes: number;
  send(frames: Frames): void;
  /** Resolves once nothing waits, or the socket is closed. */
  emptied(): Promise<void>;
}

/** The queue's array is cut behind so many messages that have left. */
const cutAfter = 1_024;

/**
 * The socket takes one send at a time, and refuses a second one beside it (EBUSY). It takes a few hundred in a row at once,
 * and does not say beforehand whether it will: so a message is tried at once, and waits only if it is refused. What is sent
 * at once is never in the queue, which saves a flood of messages most of its cost.
 */
export function createOutbox(socket: Dealer): Outbox {
  let queue: (Frames | undefined)[] = [];
  /** The oldest that waits is here. */
  let head = 0;
  let bytes = 0;
  /** The last send: it may be under way. */
  let last = Promise.resolve();
  let draining = Promise.resolve();

  /** Throws EBUSY when another send is under way. */
  function give(frames: Frames): Promise<void> {
    last = socket.send(frames as unknown as MessageLike[]);
    return last;
  }

  function wait(frames: Frames): void {
    queue.push(frames);
    bytes += byteLengthOf(frames);
    if (queue.length - head === 1) draining = drain();
  }

  async function drain(): Promise<void> {
    try {
      await last;
      for (let next = queue[head]; next !== undefined; next = queue[head]) {
        await give(next);
        bytes -= byteLengthOf(next);
        queue[head] = undefined;
        if (++head >= cutAfter && head * 2 > queue.length) {
          queue = queue.slice(head);
          head = 0;
        }
      }
    } catch {
      // Closed while it waited: what is queued goes with the link.
    }
    queue = [];
    head = 0;
    bytes = 0;
  }

  return {
    get messages() {
      return queue.length - head;
    },
    get bytes() {
      return bytes;
    },
    send(frames) {
      if (queue.length > head) {
        wait(frames);
        return;
      }
      try {
        give(frames).catch(ignore);
      } catch {
        wait(frames);
      }
    },
    emptied: async () => {
      await draining;
      await last.catch(ignore);
    },
  };
}

/** A send that fails does so because the socket is closed, and goes with it. */
function ignore(): void {}
