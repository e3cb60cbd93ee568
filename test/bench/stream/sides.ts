import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '@nats-io/transport-node';
import { Publisher } from 'zeromq';
import { type FleetNode, getJson, startFleet } from '../../e2e/fleet.ts';
import { atExit } from '../../support/at-exit.ts';
import { openHttpPublisher } from '../jetstream/http-publisher.ts';
import { openNatsPublisher } from '../jetstream/nats-publisher.ts';
import { startNatsServers } from '../jetstream/nats-servers.ts';
import { startJetStream } from '../jetstream/nats-side.ts';
import { type Listener, startListener } from './listener.ts';
import type { Row } from './rows.ts';

/** Something that rows go into at one end and come out of at others. */
export type Side = AsyncDisposable & {
  /** Of the servers, the one that is written to first. */
  readonly pids: readonly number[];
  readonly listeners: readonly Listener[];
  /** Resolves when more can be sent. Rejects when rows were refused. */
  send(rows: readonly Row[]): Promise<void>;
};

/** Batches under way at once at the most. */
const underWayMax = 8;

/**
 * Three nodes as `npm start` has them; written to over HTTP at the first, with a subscriber of each way at the second, and at
 * the third as well when `listenedTo` is 2.
 */
export async function ourSide(listenedTo: 1 | 2, ...ways: readonly ('zeromq' | 'sse')[]): Promise<Side> {
  const fleet = await startFleet(3);
  const [first, ...others] = fleet.nodes.slice(0, 1 + listenedTo);
  if (first === undefined) throw new Error('no nodes');
  const listeners: Listener[] = [];
  for (const node of others) {
    for (const way of ways) listeners.push(await listenerAt(node, way));
  }
  const publisher = openHttpPublisher([first], '1');
  const underWay = new Set<Promise<void>>();
  return {
    pids: fleet.nodes.map(({ process: running }) => running.pid),
    listeners,
    async send(rows) {
      while (underWay.size >= underWayMax) await Promise.race(underWay);
      const sending: Promise<void> = new Promise<void>((resolve) => {
        publisher.publish(Buffer.from(JSON.stringify(rows)), () => resolve());
      }).then(() => void underWay.delete(sending));
      underWay.add(sending);
    },
    async [Symbol.asyncDispose]() {
      for (const listener of listeners) await listener[Symbol.asyncDispose]();
      await publisher[Symbol.asyncDispose]();
      await fleet[Symbol.asyncDispose]();
    },
  };
}

async function listenerAt(node: FleetNode, way: 'zeromq' | 'sse'): Promise<Listener> {
  if (way === 'sse') return startListener({ kind: 'sse', url: `${node.url}/stream`, token: node.token });
  const { endpoints } = (await getJson(node, '/mesh')) as { endpoints: { stream: string } };
  return startListener({ kind: 'zeromq', endpoint: endpoints.stream });
}

/** Three clustered nats-servers, without JetStream: nothing is stored. A message an indicator. */
export async function coreNatsSide(): Promise<Side> {
  const directory = await mkdtemp(join(tmpdir(), 'tocsin-bench-nats-'));
  const forget = atExit(() => rmSync(directory, { recursive: true, force: true }));
  const servers = await startNatsServers(3, () => '', directory);
  const [first, ...others] = servers;
  const listeners: Listener[] = [];
  for (const { url } of others) listeners.push(await startListener({ kind: 'nats', url }));
  const connection = await connect({ servers: first?.url ?? '', ignoreClusterUpdates: true });
  let flushed: Promise<void> = Promise.resolve();
  return {
    pids: servers.map(({ process: running }) => running.pid),
    listeners,
    async send(rows) {
      for (const row of rows) connection.publish('indicator.url.amber', JSON.stringify(row));
      // The client's own buffer has no bound: the batch before must have reached the server.
      await flushed;
      flushed = connection.flush();
    },
    async [Symbol.asyncDispose]() {
      await connection.close();
      for (const listener of listeners) await listener[Symbol.asyncDispose]();
      await Promise.all(servers.map(({ process: running }) => running.stop('SIGKILL')));
      await rm(directory, { recursive: true, force: true });
      forget();
    },
  };
}

/** A stream of three replicas; two subscribers at a server that does not lead it. A message an indicator. */
export async function jetStreamSide(): Promise<Side> {
  const running = await startJetStream();
  const { servers, stream, subject } = running;
  const publisher = await openNatsPublisher(
    servers.map(({ url }) => url),
    subject,
  );
  const url = servers[1]?.url ?? '';
  const listeners = [
    await startListener({ kind: 'jetstream', url, stream }),
    await startListener({ kind: 'jetstream', url, stream }),
  ];
  return {
    pids: servers.map(({ process: { pid } }) => pid),
    listeners,
    async send(rows) {
      for (const row of rows) publisher.publish(Buffer.from(JSON.stringify(row)), () => undefined);
    },
    async [Symbol.asyncDispose]() {
      await publisher[Symbol.asyncDispose]();
      for (const listener of listeners) await listener[Symbol.asyncDispose]();
      await running[Symbol.asyncDispose]();
    },
  };
}

/** A zeromq.js PUB with two SUB, high-water marks by default: what a subscriber is too slow for is dropped. */
export async function bareSide(): Promise<Side> {
  const publisher = new Publisher({ linger: 0 });
  await publisher.bind('tcp://127.0.0.1:*');
  const endpoint = publisher.lastEndpoint ?? '';
  const listeners = [
    await startListener({ kind: 'bare', endpoint }),
    await startListener({ kind: 'bare', endpoint }),
  ];
  return {
    pids: [],
    listeners,
    async send(rows) {
      for (const row of rows) await publisher.send(['indicator/url/amber/', JSON.stringify(row)]);
    },
    async [Symbol.asyncDispose]() {
      for (const listener of listeners) await listener[Symbol.asyncDispose]();
      publisher.close();
    },
  };
}
