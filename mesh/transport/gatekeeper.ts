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
  close(): Promise<void>;
}

/** Answers for all sockets of a context that demand a key, as long as there are any. */
export function createGatekeeper(context: Context): Gatekeeper {
  const keys = new Map<string, string>();
  let domains = 0;
  let closed: Promise<void> = Promise.resolve();
  let door: Promise<{ readonly socket: Reply; readonly answering: Promise<void> }> | undefined;

  async function open() {
    await closed;
    const socket = new Reply({ context, linger: 0 });
    await socket.bind(zapEndpoint);
    return { socket, answering: answer(socket) };
  }

  async function shut(opened: NonNullable<typeof door>): Promise<void> {
    const { socket, answering } = await opened;
    // Closing alone gives the name free some time later.
    await socket.unbind(zapEndpoint);
    socket.close();
    await answering;
  }

  async function answer(socket: Reply): Promise<void> {
    for await (const request of socket) {
      await socket.send(answerZap(request, (domain, key) => keys.get(domain) === key) as MessageLike[]);
    }
  }

  return {
    async admit(publicKey) {
      const domain = `mesh-${++domains}`;
      keys.set(domain, publicKey);
      door ??= open();
      await door;
      return {
        domain,
        async close() {
          keys.delete(domain);
          if (keys.size > 0 || door === undefined) return;
          closed = shut(door);
          door = undefined;
          await closed;
        },
      };
    },
  };
}
