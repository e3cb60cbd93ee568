import { type Context, type MessageLike, Reply } from 'zeromq';
import { answerZap } from '../security/zap.ts';

/** Where libzmq looks for who answers (RFC 27); one for each context. */
const zapEndpoint = 'inproc://zeromq.zap.01';

export interface Gatekeeper {
  /** From now on connections to sockets of the answered domain need this public key (Z85). */
  admit(publicKey: string): Promise<Gate>;
}

export interface Gate {
  readonly domain: string;
  close(): void;
}

/** A read that waits keeps the process alive; so late after the last socket with a key is closed it may end. */
const readMsMax = 200;

/**
 * Answers for all sockets of a context that demand a key, as long as there are any. Its own socket stays open for the life of
 * the context: libzmq ends the process now and then when it is closed while a connection is asking.
 */
export function createGatekeeper(context: Context): Gatekeeper {
  const keys = new Map<string, string>();
  let domains = 0;
  let door: Promise<Reply> | undefined;
  let isAnswering = false;

  async function open(): Promise<Reply> {
    const socket = new Reply({ context, linger: 0, receiveTimeout: readMsMax });
    await socket.bind(zapEndpoint);
    return socket;
  }

  async function answer(socket: Reply): Promise<void> {
    isAnswering = true;
    while (keys.size > 0) {
      const request = await socket.receive().catch(noneCame);
      if (request === undefined) continue;
      await socket.send(answerZap(request, (domain, key) => keys.get(domain) === key) as MessageLike[]);
    }
    isAnswering = false;
  }

  return {
    async admit(publicKey) {
      const domain = `mesh-${++domains}`;
      keys.set(domain, publicKey);
      door ??= open();
      const socket = await door;
      // A failure would be a bug, and must not pass for an answer: it reaches the process.
      if (!isAnswering) void answer(socket);
      return { domain, close: () => keys.delete(domain) };
    },
  };
}

function noneCame(cause: NodeJS.ErrnoException): undefined {
  if (cause.code !== 'EAGAIN') throw cause;
}
