import { Publisher } from 'zeromq';
import type { StreamLog } from './stream-log.ts';

/** What libzmq keeps for a slow subscriber, in messages; beyond it that subscriber loses, sees it by the cursor, and can go back. */
const highWaterMark = 100_000;

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

/** The stream as ZeroMQ PUB: two frames, the topic and the JSON. Rejects with PublisherError. */
export async function startPublisher(log: StreamLog, host: string, port: number): Promise<StreamPublisher> {
  const socket = new Publisher({ linger: 0, sendHighWaterMark: highWaterMark });
  try {
    await socket.bind(`tcp://${host}:${port === 0 ? '*' : port}`);
  } catch (cause) {
    socket.close();
    const inUse = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE';
    throw new PublisherError(
      inUse ? 'ADDRESS_IN_USE' : 'BIND_FAILED',
      `the stream cannot bind ${host}:${port}: ${(cause as Error).message}`,
      { cause },
    );
  }
  const stopped = new AbortController();
  const pumping = pump();

  async function pump(): Promise<void> {
    for (let position = log.lastPosition(); !stopped.signal.aborted && !log.stopped; ) {
      const step = await log.next(position, {}, Number.POSITIVE_INFINITY, stopped.signal);
      // PUB never waits for a subscriber: a send resolves at once.
      for (const { zeromqTopic, json } of step.messages) await socket.send([zeromqTopic, json]);
      position = step.position;
    }
  }

  return {
    endpoint: socket.lastEndpoint ?? `tcp://${host}:${port}`,
    async stop() {
      if (stopped.signal.aborted) return;
      stopped.abort();
      await pumping;
      socket.close();
    },
  };
}
