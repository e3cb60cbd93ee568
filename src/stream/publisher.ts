import { setImmediate as nextTurn } from 'node:timers/promises';
import { XPublisher } from 'zeromq';
import { lockOptions, type StreamLock } from './lock.ts';
import type { StreamLog } from './stream-log.ts';

const publisherLimits = {
  /** What libzmq keeps for a slow subscriber; beyond it that subscriber loses, sees it by the cursors, and can go back. */
  queuedMessagesMax: 100_000,
  /** A subscriber sends us topics, and ours are shorter than 64 bytes; what else it sends is dropped. */
  subscriptionBytesMax: 1_024,
  /** Awaited sends resolve without giving others their turn. */
  sendsPerTurn: 250,
} as const;

export type StreamPublisher = { readonly endpoint: string; stop(): Promise<void> };

/** Why the socket could not be bound. */
export class PublisherError extends Error {
  readonly code: 'ADDRESS_IN_USE' | 'BIND_FAILED';
  constructor(code: 'ADDRESS_IN_USE' | 'BIND_FAILED', message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PublisherError';
    this.code = code;
  }
}

/** First byte of what libzmq hands up: a topic that nobody had subscribed to before, or that nobody has any more (ZMTP 3.1). */
const subscribed = 1;
const unsubscribed = 0;

/**
 * The stream as ZeroMQ PUB: two frames, the topic and the JSON. It is an XPUB, which is the same to a subscriber, and tells
 * us whether there is one: without, nothing is rendered or sent. With a lock only those who hold the stream key subscribe.
 * Rejects with PublisherError. `failed` is told when the
 * stream cannot be read any more; then nothing is published until a restart.
 */
export async function startPublisher(
  log: StreamLog,
  host: string,
  port: number,
  failed: (error: unknown) => void,
  lock?: StreamLock,
): Promise<StreamPublisher> {
  const isIpv6 = host.includes(':');
  const socket = new XPublisher({
    linger: 0,
    sendHighWaterMark: publisherLimits.queuedMessagesMax,
    // A PUB never waits. Told so, zeromq.js does not ask the socket before each message, which was a third of what sending takes.
    sendTimeout: 0,
    maxMessageSize: publisherLimits.subscriptionBytesMax,
    ipv6: isIpv6,
    ...lockOptions(lock),
    // A subscriber whose host is gone without a word gives its queue back.
    tcpKeepalive: 1,
    tcpKeepaliveIdle: 60,
    tcpKeepaliveInterval: 15,
    tcpKeepaliveCount: 4,
  });
  const address = `tcp://${isIpv6 ? `[${host}]` : host}:${port === 0 ? '*' : port}`;
  try {
    await socket.bind(address);
  } catch (cause) {
    socket.close();
    const inUse = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE';
    throw new PublisherError(
      inUse ? 'ADDRESS_IN_USE' : 'BIND_FAILED',
      `the stream cannot bind ${address} (${(cause as Error).message}): name another with --stream-host and --stream-port`,
      { cause },
    );
  }
  const stopped = new AbortController();
  /** Topics that somebody subscribes to. */
  let topics = 0;
  let somebodyCame: () => void = () => undefined;
  const listening = listen().catch(failed);
  const pumping = pump().catch(failed);

  async function listen(): Promise<void> {
    for await (const [frame] of socket) {
      if (frame?.[0] === subscribed) topics++;
      else if (frame?.[0] === unsubscribed) topics--;
      if (topics > 0) somebodyCame();
    }
  }

  async function pump(): Promise<void> {
    while (!stopped.signal.aborted && !log.stopped) {
      if (topics === 0) await somebody();
      else await publish();
    }
  }

  function somebody(): Promise<void> {
    return new Promise((resolve) => {
      somebodyCame = resolve;
    });
  }

  async function publish(): Promise<void> {
    let sent = 0;
    let position = log.lastPosition();
    while (topics > 0 && !stopped.signal.aborted && !log.stopped) {
      const step = await log.next(position, {}, stopped.signal);
      for (const { zeromqTopic, json } of step.messages) {
        // One at a time: a second send rejects with EBUSY. PUB never waits for a subscriber.
        await socket.send([zeromqTopic, json]);
        if (++sent % publisherLimits.sendsPerTurn === 0) await nextTurn();
      }
      position = step.position;
    }
  }

  async function stopAll(): Promise<void> {
    stopped.abort();
    somebodyCame();
    await pumping;
    socket.close();
    await listening;
  }

  let stopping: Promise<void> | undefined;
  return {
    endpoint: socket.lastEndpoint ?? address,
    stop() {
      stopping ??= stopAll();
      return stopping;
    },
  };
}
