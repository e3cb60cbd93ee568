import { jetstream } from '@nats-io/jetstream';
import { connect, createInbox, type Msg, type NatsConnection } from '@nats-io/transport-node';
import type { Answer, Publisher } from './side.ts';

/** Between two attempts at the same server; 2 s by default, which would be most of the pause. */
const reconnectMs = 20;
/** While the stream has no leader it is answered at once that nobody listens. */
const againMs = 10;
/** A message that a dead leader had taken is answered by nobody. */
const lostAfterMs = 1_000;
const noResponders = 503;

type Message = { readonly body: Buffer; readonly answered: (answer: Answer) => void; sentAtMs: number };

/** Connects to the first of the servers, and to the next one when that is gone. */
export async function openNatsPublisher(servers: readonly string[], subject: string): Promise<Publisher> {
  const connection = await connect({
    servers: [...servers],
    noRandomize: true,
    ignoreClusterUpdates: true,
    reconnectTimeWait: reconnectMs,
    reconnectJitter: 0,
    maxReconnectAttempts: -1,
  });
  return process.env['BENCH_NATS_PUBLISH'] === 'library'
    ? byLibrary(connection, subject)
    : byInbox(connection, subject);
}

/** `publish()` of @nats-io/jetstream as it is. */
function byLibrary(connection: NatsConnection, subject: string): Publisher {
  const client = jetstream(connection);
  function publish(body: Buffer, answered: (answer: Answer) => void): void {
    client.publish(subject, body, { timeout: lostAfterMs }).then(
      () => answered('acknowledged'),
      () => setTimeout(() => connection.isClosed() || publish(body, answered), againMs),
    );
  }
  return { framing: 'array', publish, [Symbol.asyncDispose]: () => connection.close() };
}

/**
 * As the Go client's PublishAsync does it: the acknowledgements come to one inbox. The library's own `publish()` has a promise,
 * a timer and headers for each, which takes 4 to 5 times as much of the publisher, and so of what the servers share with it.
 */
async function byInbox(connection: NatsConnection, subject: string): Promise<Publisher> {
  const inbox = createInbox();
  const unanswered = new Map<string, Message>();
  let last = 0;

  function send(reply: string, message: Message): void {
    if (connection.isClosed()) return;
    message.sentAtMs = performance.now();
    connection.publish(subject, message.body, { reply });
  }
  function heard(message: Msg): void {
    const wanted = unanswered.get(message.subject);
    if (wanted === undefined) return;
    if (message.headers?.code === noResponders || message.string().includes('"error"')) {
      setTimeout(() => unanswered.has(message.subject) && send(message.subject, wanted), againMs);
      return;
    }
    unanswered.delete(message.subject);
    wanted.answered('acknowledged');
  }
  connection.subscribe(`${inbox}.*`, {
    callback(error, message) {
      if (error === null) heard(message);
    },
  });
  void (async () => {
    for await (const { type } of connection.status()) {
      // What was under way may have reached nobody.
      if (type === 'reconnect') for (const [reply, message] of unanswered) send(reply, message);
    }
  })();
  const again = setInterval(() => {
    const beforeMs = performance.now() - lostAfterMs;
    for (const [reply, message] of unanswered) if (message.sentAtMs < beforeMs) send(reply, message);
  }, lostAfterMs);
  await connection.flush();

  return {
    framing: 'array',
    publish(body, answered) {
      const reply = `${inbox}.${++last}`;
      const message = { body, answered, sentAtMs: 0 };
      unanswered.set(reply, message);
      send(reply, message);
    },
    async [Symbol.asyncDispose]() {
      clearInterval(again);
      await connection.close();
    },
  };
}
