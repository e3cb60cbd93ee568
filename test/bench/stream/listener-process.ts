import { get } from 'node:http';
import { createInterface } from 'node:readline';
import { DeliverPolicy, jetstream } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { createParser } from 'eventsource-parser';
import { Subscriber } from 'zeromq';
import { nowMs } from '../jetstream/side.ts';
import { median, quantile } from '../measure.ts';
import type { Heard, Latency, ListenTo } from './listener.ts';
import { madeAtMs, type Row } from './rows.ts';

// One subscriber: parses each event, and answers each line on stdin with what it has heard.

const ids = new Set<string>();
const indicators = new Set<string>();
let latenciesMs: number[] = [];
let events = 0;
let lastMs = 0;

function take(id: string, row: Row): void {
  events++;
  ids.add(id);
  indicators.add(row.indicator);
  lastMs = nowMs();
  latenciesMs.push(lastMs - madeAtMs(row));
}

function takeEnvelope(json: string): void {
  const { id, data } = JSON.parse(json) as { readonly id: string; readonly data: Row };
  take(id, data);
}

/** Without an envelope an event is its indicator. */
function takeBare(row: Row): void {
  take(row.indicator, row);
}

async function listenZeromq(
  endpoint: string,
  receiveHighWaterMark: number | undefined,
  hear: (json: string) => void,
): Promise<void> {
  const socket = new Subscriber({
    linger: 0,
    ...(receiveHighWaterMark !== undefined && { receiveHighWaterMark }),
  });
  const connected = new Promise((resolve) => socket.events.on('handshake', resolve));
  socket.connect(endpoint);
  socket.subscribe('indicator/');
  await connected;
  void (async () => {
    for await (const [, message] of socket) hear(String(message));
  })();
}

function listenSse(url: string, token: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = get(url, { headers: { authorization: `Bearer ${token}` } }, (response) => {
      const parser = createParser({
        onEvent({ event, data }) {
          if (event === 'indicator') takeEnvelope(data);
          else if (event === 'connected') resolve();
        },
      });
      response.setEncoding('utf8');
      response.on('data', (text: string) => parser.feed(text));
    });
    request.on('error', reject);
  });
}

async function listenNats(url: string): Promise<void> {
  const connection = await connect({ servers: url, ignoreClusterUpdates: true });
  connection.subscribe('indicator.>', { callback: (_, message) => takeBare(message.json<Row>()) });
  await connection.flush();
}

/** An ordered consumer: it is given what the replicas have agreed on, as a subscriber of Tocsin is given what a node has stored. */
async function listenJetStream(url: string, stream: string): Promise<void> {
  const connection = await connect({ servers: url, ignoreClusterUpdates: true });
  const consumer = await jetstream(connection).consumers.get(stream, { deliver_policy: DeliverPolicy.New });
  await consumer.consume({
    max_messages: 5_000,
    callback: (message) => takeBare(message.json<Row>()),
  });
  await connection.flush();
}

function listen(to: ListenTo): Promise<void> {
  switch (to.kind) {
    case 'zeromq':
      return listenZeromq(to.endpoint, 1_000_000, takeEnvelope);
    case 'bare':
      return listenZeromq(to.endpoint, undefined, (json) => takeBare(JSON.parse(json) as Row));
    case 'sse':
      return listenSse(to.url, to.token);
    case 'nats':
      return listenNats(to.url);
    case 'jetstream':
      return listenJetStream(to.url, to.stream);
  }
}

await listen(JSON.parse(process.argv[2] ?? '') as ListenTo);
// The subscription itself may still travel.
await new Promise((resolve) => setTimeout(resolve, 200));
console.log('ready');
createInterface({ input: process.stdin }).on('line', (question) => {
  if (question === 'latency') {
    const latency: Latency = { p50Ms: median(latenciesMs), p99Ms: quantile(latenciesMs, 0.99) };
    console.log(`latency ${JSON.stringify(latency)}`);
    return;
  }
  if (question === 'forget') {
    ids.clear();
    indicators.clear();
    latenciesMs = [];
    events = 0;
  }
  const heard: Heard = { events, ids: ids.size, indicators: indicators.size, lastMs };
  console.log(`${question} ${JSON.stringify(heard)}`);
});
