import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ClusterInfo,
  type JetStreamManager,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { eventually } from '../../e2e/fleet.ts';
import { atExit } from '../../support/at-exit.ts';
import { openNatsPublisher } from './nats-publisher.ts';
import { type NatsServer, startNatsServers } from './nats-servers.ts';
import type { Side } from './side.ts';
import { startSubscriber } from './subscriber.ts';

const size = 3;
const stream = 'indicators';
const subject = 'indicator.url.amber';

/** The leader of the stream comes first. */
export type JetStream = AsyncDisposable & {
  readonly servers: readonly NatsServer[];
  readonly stream: string;
  readonly subject: string;
};

/**
 * Three clustered nats-servers with a stream of three replicas on disk, settings by default: a write is acknowledged once a
 * quorum has written it to its files; the disk is synced every two minutes, and 2.9 has no setting for sooner.
 */
export async function startJetStream(): Promise<JetStream> {
  const directory = await mkdtemp(join(tmpdir(), 'tocsin-bench-nats-'));
  // Half a gigabyte a run is too much to leave behind.
  const forget = atExit(() => rmSync(directory, { recursive: true, force: true }));
  const servers = await startNatsServers(
    size,
    (name) => `jetstream { store_dir: ${JSON.stringify(join(directory, name))} }`,
    directory,
  );
  const leader = await createStream(servers);
  return {
    servers: [leader, ...servers.filter((server) => server !== leader)],
    stream,
    subject,
    async [Symbol.asyncDispose]() {
      await Promise.all(servers.map(({ process: running }) => running.stop('SIGKILL')));
      await rm(directory, { recursive: true, force: true });
      forget();
    },
  };
}

/** The strongest case: the publisher is connected to the leader, where nothing is forwarded. */
export async function startNats(): Promise<Side> {
  const running = await startJetStream();
  const { servers } = running;
  return {
    pids: servers.map(({ process: { pid } }) => pid),
    subscribe: () => startSubscriber('jetstream', servers[1]?.url ?? '', stream),
    publisher: () =>
      openNatsPublisher(
        servers.map(({ url }) => url),
        subject,
      ),
    async kill(server) {
      // Under load the lead may have moved since.
      const killed = server === 0 ? leaderOf(servers, await clusterOf(servers)) : servers[server];
      return killed?.process.stop('SIGKILL');
    },
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

/** Makes the stream, and answers the server that leads it. */
async function createStream(servers: readonly NatsServer[]): Promise<NatsServer> {
  // Until the servers have elected who leads them, JetStream does not answer.
  return eventually('a stream with a leader and two replicas', async () => {
    try {
      await withManager(servers, (manager) =>
        manager.streams.add({
          name: stream,
          subjects: [subject],
          storage: StorageType.File,
          retention: RetentionPolicy.Limits,
          num_replicas: size,
        }),
      );
      const cluster = await clusterOf(servers);
      const current = cluster?.replicas?.filter((replica) => replica.current) ?? [];
      return current.length === size - 1 ? leaderOf(servers, cluster) : undefined;
    } catch {
      return undefined;
    }
  });
}

async function clusterOf(servers: readonly NatsServer[]): Promise<ClusterInfo | undefined> {
  return (await withManager(servers, (manager) => manager.streams.info(stream))).cluster;
}

function leaderOf(servers: readonly NatsServer[], cluster: ClusterInfo | undefined): NatsServer | undefined {
  return servers.find(({ name }) => name === cluster?.leader);
}

async function withManager<T>(
  servers: readonly NatsServer[],
  ask: (manager: JetStreamManager) => Promise<T>,
): Promise<T> {
  const connection = await connect({ servers: servers.map(({ url }) => url) });
  try {
    return await ask(await jetstreamManager(connection));
  } finally {
    await connection.close();
  }
}
