import { createInterface } from 'node:readline';
import { DeliverPolicy, jetstream } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { Subscriber } from 'zeromq';
import { numberOf } from './indicators.ts';
import { nowMs } from './side.ts';

// A subscriber of either side: parses what it hears, counts the indicators that it had not heard before, and answers each line
// on stdin with how many, and when the last one came.

type Indicator = { readonly indicator: string };

const numbers = new Set<number>();
let lastMs = 0;

function take({ indicator }: Indicator): void {
  numbers.add(numberOf(indicator));
}

async function subscribeZeromq(endpoint: string): Promise<void> {
  const socket = new Subscriber({ linger: 0, receiveHighWaterMark: 1_000_000 });
  const connected = new Promise((resolve) => socket.events.on('handshake', resolve));
  socket.connect(endpoint);
  socket.subscribe('indicator/');
  await connected;
  void (async () => {
    for await (const [, message] of socket) {
      take((JSON.parse(String(message)) as { data: Indicator }).data);
      lastMs = nowMs();
    }
  })();
  // The subscription itself still travels.
  await new Promise((resolve) => setTimeout(resolve, 200));
}

/** An ordered consumer: it is given what the replicas have agreed on, as a subscriber of Tocsin is given what a node has stored. */
async function subscribeJetStream(url: string, stream: string): Promise<void> {
  const connection = await connect({ servers: url, ignoreClusterUpdates: true });
  const consumer = await jetstream(connection).consumers.get(stream, { deliver_policy: DeliverPolicy.New });
  await consumer.consume({
    max_messages: 5_000,
    callback(message) {
      const value = message.json<Indicator | readonly Indicator[]>();
      for (const indicator of Array.isArray(value) ? value : [value]) take(indicator);
      lastMs = nowMs();
    },
  });
  await connection.flush();
  await new Promise((resolve) => setTimeout(resolve, 200));
}

const [kind, address = '', stream = ''] = process.argv.slice(2);
await (kind === 'zeromq' ? subscribeZeromq(address) : subscribeJetStream(address, stream));
console.log('ready');
createInterface({ input: process.stdin }).on('line', () => console.log(`heard ${numbers.size} ${lastMs}`));
