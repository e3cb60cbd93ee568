import { createParser } from 'eventsource-parser';
import { Publisher, Subscriber } from 'zeromq';
import { eventually, type FleetNode, getJson, startFleet } from '../e2e/fleet.ts';
import { median, quantile, type Row, round } from './measure.ts';

const rowsCount = 20_000;
const batchRows = 500;
const runs = 5;
const pacedPerSecond = 500;
const pacedSeconds = 5;
const pacedRows = 10;

/** From a POST at node 1 of three to subscribers at node 2, beside a bare zeromq.js PUB/SUB of the same JSON. */
export async function benchDelivery(): Promise<readonly Row[]> {
  await using fleet = await startFleet(3);
  const [one, two] = fleet.nodes;
  if (one === undefined || two === undefined) throw new Error('no nodes');
  const arrivals = new Map<string, number>();
  let example = '';
  let hear = (_: string) => {};
  const subscriber = await subscribe(two, (json) => {
    example = json;
    const value = (JSON.parse(json) as { data: { indicator: string } }).data.indicator;
    hear(value);
  });
  const sse = await listen(two, (json) => {
    const value = (JSON.parse(json) as { data: { indicator: string } }).data.indicator;
    arrivals.set(value, performance.now());
  });

  const zeromqRates: number[] = [];
  const sseRates: number[] = [];
  for (let run = 0; run < runs; run++) {
    let heard = 0;
    let zeromqMs = 0;
    hear = () => {
      if (++heard === rowsCount) zeromqMs = performance.now();
    };
    arrivals.clear();
    const startMs = performance.now();
    for (let i = 0; i < rowsCount; i += batchRows) {
      await post(
        one,
        Array.from({ length: batchRows }, (_, k) => `b${run}-${i + k}.example.com`),
      );
    }
    await eventually('all arrived', async () =>
      arrivals.size === rowsCount && zeromqMs > 0 ? true : undefined,
    );
    zeromqRates.push((rowsCount / (zeromqMs - startMs)) * 1_000);
    sseRates.push((rowsCount / (Math.max(...arrivals.values()) - startMs)) * 1_000);
  }

  const paced = await pace(one, arrivals);
  const bareRate = await bare(example);
  const bareLatency = await barePaced(example);
  subscriber.close();
  sse.abort();
  const latency = (values: readonly number[]) =>
    `p50 ${round(median(values), 1)} ms, p99 ${round(quantile(values, 0.99), 1)} ms`;
  return [
    row('POST at node 1 to ZeroMQ at node 2, 500 a POST', median(zeromqRates), bareRate),
    row('POST at node 1 to SSE at node 2, 500 a POST', median(sseRates), bareRate),
    [
      `POST to SSE at node 2, ${pacedPerSecond}/s`,
      latency(paced),
      `${latency(bareLatency)} bare PUB/SUB`,
      '–',
      'recorded',
    ],
  ];
}

function row(what: string, rate: number, bareRate: number): Row {
  return [
    what,
    `${round(rate)}/s`,
    `${round(bareRate)}/s bare zeromq.js PUB/SUB`,
    round(rate / bareRate, 2),
    'recorded',
  ];
}

async function post(node: FleetNode, values: readonly string[]): Promise<void> {
  const response = await fetch(`${node.url}/indicators?tags=bench`, {
    method: 'POST',
    headers: { authorization: `Bearer ${node.token}`, 'content-type': 'text/plain' },
    body: values.join('\n'),
  });
  if (response.status !== 201) throw new Error(`POST answers ${response.status}: ${await response.text()}`);
  await response.arrayBuffer();
}

async function pace(node: FleetNode, arrivals: Map<string, number>): Promise<readonly number[]> {
  const everyMs = (pacedRows / pacedPerSecond) * 1_000;
  const sent = new Map<string, number>();
  arrivals.clear();
  const startMs = performance.now();
  const posts: Promise<void>[] = [];
  for (let i = 0; i < (pacedPerSecond * pacedSeconds) / pacedRows; i++) {
    await new Promise((resolve) => setTimeout(resolve, startMs + i * everyMs - performance.now()));
    const values = Array.from({ length: pacedRows }, (_, k) => `p${i * pacedRows + k}.example.org`);
    const nowMs = performance.now();
    for (const value of values) sent.set(value, nowMs);
    posts.push(post(node, values));
  }
  await Promise.all(posts);
  await eventually('all paced', async () => (arrivals.size === sent.size ? true : undefined));
  return [...sent].map(([value, atMs]) => (arrivals.get(value) ?? Number.NaN) - atMs);
}

async function subscribe(node: FleetNode, heard: (json: string) => void): Promise<Subscriber> {
  const { endpoints } = (await getJson(node, '/mesh')) as { endpoints: { stream: string } };
  const socket = new Subscriber({ linger: 0, receiveHighWaterMark: 1_000_000 });
  const connected = new Promise((resolve) => socket.events.on('handshake', resolve));
  socket.connect(endpoints.stream);
  socket.subscribe('indicator/');
  await connected;
  void (async () => {
    for await (const [, message] of socket) heard(String(message));
  })();
  return socket;
}

async function listen(node: FleetNode, heard: (json: string) => void): Promise<AbortController> {
  const stop = new AbortController();
  const response = await fetch(`${node.url}/stream`, {
    headers: { authorization: `Bearer ${node.token}` },
    signal: stop.signal,
  });
  const parser = createParser({
    onEvent({ event, data }) {
      if (event === 'indicator') heard(data);
    },
  });
  const decoder = new TextDecoder();
  void (async () => {
    for await (const chunk of response.body ?? []) parser.feed(decoder.decode(chunk, { stream: true }));
  })().catch(() => undefined);
  return stop;
}

type Pair = {
  readonly send: (json: string) => Promise<void>;
  readonly close: () => void;
  onMessage: (json: string) => void;
};

async function pubSub(): Promise<Pair> {
  const publisher = new Publisher({ linger: 0, sendHighWaterMark: 1_000_000 });
  await publisher.bind('tcp://127.0.0.1:*');
  const subscriber = new Subscriber({ linger: 0, receiveHighWaterMark: 1_000_000 });
  const pair: Pair = {
    send: (json) => publisher.send(['indicator/fqdn/amber/', json]),
    close() {
      subscriber.close();
      publisher.close();
    },
    onMessage: () => {},
  };
  const connected = new Promise((resolve) => subscriber.events.on('handshake', resolve));
  subscriber.connect(publisher.lastEndpoint ?? '');
  subscriber.subscribe('indicator/');
  void (async () => {
    for await (const [, message] of subscriber) pair.onMessage(String(message));
  })();
  await connected;
  // The subscription itself still travels.
  await new Promise((resolve) => setTimeout(resolve, 100));
  return pair;
}

async function bare(json: string): Promise<number> {
  const rates: number[] = [];
  for (let run = 0; run < runs; run++) {
    const pair = await pubSub();
    let heard = 0;
    const all = new Promise<void>((resolve) => {
      pair.onMessage = (message) => {
        JSON.parse(message);
        if (++heard === rowsCount) resolve();
      };
    });
    const startMs = performance.now();
    for (let i = 0; i < rowsCount; i++) await pair.send(json);
    await all;
    rates.push((rowsCount / (performance.now() - startMs)) * 1_000);
    pair.close();
  }
  return median(rates);
}

async function barePaced(json: string): Promise<readonly number[]> {
  const pair = await pubSub();
  const latencies: number[] = [];
  const sent: number[] = [];
  pair.onMessage = () => latencies.push(performance.now() - (sent[latencies.length] ?? Number.NaN));
  const startMs = performance.now();
  for (let i = 0; i < pacedPerSecond * pacedSeconds; i++) {
    await new Promise((resolve) =>
      setTimeout(resolve, startMs + (i * 1_000) / pacedPerSecond - performance.now()),
    );
    sent.push(performance.now());
    await pair.send(json);
  }
  await eventually('all bare', async () => (latencies.length === sent.length ? true : undefined));
  pair.close();
  return latencies;
}
