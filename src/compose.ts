import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { curvePairOf, systemClock, systemRandom } from 'tocsin/mesh';
import { createTickets } from './access/tickets.ts';
import { loadAccess, parseFleetTokens } from './access/tokens.ts';
import type { StartedNode } from './cli/io.ts';
import { version } from './cli/version.ts';
import { discoverySentence, securitySentence } from './compose/discoveries.ts';
import { openDoors } from './compose/doors.ts';
import { onFreePort } from './compose/free-port.ts';
import { tallyMesh } from './compose/mesh-tally.ts';
import { descriptorWarnings, startNodeMesh } from './compose/node-mesh.ts';
import { unstarted, viewOf } from './compose/node-view.ts';
import { membersOf, nodeIdOf, ownerOf, readyGroup } from './compose/owner.ts';
import { lockStream } from './compose/stream-lock.ts';
import { startNodeWebhooks } from './compose/webhooks.ts';
import type { Config } from './config/settings.ts';
import { loadOrCreateIdentity, openDataDirectory } from './data-directory.ts';
import { hlcMs, hybridClock } from './event/hlc.ts';
import { lastSeqOf } from './event/vector.ts';
import { createApp } from './facade/app.ts';
import type { MeshView } from './facade/parts.ts';
import { startServer } from './facade/server.ts';
import { followAllowlist } from './feed/allowlist/follow.ts';
import { createFeeds } from './feed/feeds.ts';
import { createIntake } from './intake/intake.ts';
import { createSearched } from './intake/searched.ts';
import { replaceFile } from './replace-file.ts';
import { startHousekeeping } from './replicate/housekeeping.ts';
import { type Replicator, startReplicator } from './replicate/replicator.ts';
import { openStore } from './store/level-store.ts';
import { startPublisher } from './stream/publisher.ts';
import { createReaders } from './stream/readers.ts';
import { createStreamLog } from './stream/stream-log.ts';
import type { Logger } from './telemetry/log.ts';
import { noMesh } from './telemetry/mesh-metrics.ts';
import { createMetrics } from './telemetry/metrics.ts';

export type { StartedNode } from './cli/io.ts';
export type { Config } from './config/settings.ts';

const nodeFile = 'node.json';

type Parts = { readonly log: Logger };

/**
 * Wires all rooms into a node, from the store up to HTTP, and starts it. What was started is stopped again when a later
 * part fails. Rejects with the error of the part, whose message is for a person.
 */
export async function startTocsin(config: Config, parts: Parts): Promise<StartedNode> {
  const { log } = parts;
  let stopped = false;
  let announceReady: () => void = () => {};
  const ready = new Promise<void>((resolve) => {
    announceReady = resolve;
  });
  let renewal: Promise<void> | undefined;
  let running = start(config, true);

  async function start(of: Config, keepsIdentity: boolean): Promise<StartedNode> {
    const node = await startNode(of, parts, keepsIdentity, (reason) => {
      log.warn({ reason }, 'this node takes a new identity, so that no event number is used twice');
      renewal = renew().catch((err: unknown) => log.fatal({ err }, 'the node did not start again'));
    });
    node.ready.then(announceReady, () => undefined);
    return node;
  }

  /** At the same addresses, over the same data. */
  async function renew(): Promise<void> {
    const { httpUrl, streamEndpoint, pullEndpoint, dataDirectory, stop } = await running;
    await stop();
    if (stopped) return;
    const addresses = {
      httpPort: portOf(httpUrl),
      streamPort: portOf(streamEndpoint),
      ...(pullEndpoint !== undefined && { pullPort: portOf(pullEndpoint) }),
    };
    const setByHand = new Set([...config.setByHand, 'httpPort' as const, 'streamPort' as const]);
    running = start({ ...config, ...addresses, setByHand, dataDir: dataDirectory }, false);
    await running;
  }

  const node = await running;
  return {
    ...node,
    ready,
    async stop() {
      stopped = true;
      await renewal;
      await (await running).stop();
    },
  };
}

function portOf(url: string): number {
  return Number(url.slice(url.lastIndexOf(':') + 1));
}

async function startNode(
  config: Config,
  { log }: Parts,
  keepsIdentity: boolean,
  onIdentityLost: (reason: string) => void,
): Promise<StartedNode> {
  const stops: (() => Promise<void> | void)[] = [];
  let stopping: Promise<void> | undefined;
  async function stopAll(): Promise<void> {
    for (const stop of stops.reverse()) await stop();
  }
  const stop = () => {
    stopping ??= stopAll();
    return stopping;
  };

  try {
    const fleet = parseFleetTokens(config.tokens ?? '');
    if (!fleet.ok) throw new Error(`TOCSIN_TOKENS: ${fleet.reason}`);

    const { path, level } = await openDataDirectory(config.dataDir);
    stops.push(() => level.close());
    const store = await openStore(level, (error) => log.error({ error }, 'nothing is written any more'));
    stops.push(() => store.close());
    const keep = {
      windowMs: config.eventLogDays * 24 * 60 * 60 * 1_000,
      logBytesMax: config.eventLogMib * 1024 * 1024,
    };
    // Who was away for longer than the log reaches back may have been forgotten, and what it signed last with it.
    const newestMs = hlcMs(store.lastHlc());
    const isCurrent = newestMs > 0 && newestMs >= systemClock.wallMs() - keep.windowMs;
    const identity = await loadOrCreateIdentity(path, keepsIdentity && isCurrent);
    const access = await loadAccess(path, fleet.value, randomBytes);
    const clock = hybridClock(systemClock, store.lastHlc());
    const name = config.name ?? `tocsin-${identity.nodeId.slice(0, 8)}`;

    const readers = createReaders();
    const settled = { ms: () => newestMs };
    const streamLog = createStreamLog(store, identity.nodeId, systemClock, () => settled.ms());
    stops.push(() => streamLog.stop());
    // HTTP is bound before the mesh, whose HELLO names its address, and so before there is a mesh to show.
    let introduce: (replicator: Replicator) => void = () => {};
    const replication = new Promise<Replicator>((resolve) => {
      introduce = resolve;
    });
    const intake = createIntake({
      store,
      identity,
      hybridClock: clock,
      clock: systemClock,
      acknowledged: async (range, wish) => (await replication).acknowledged(range, wish),
    });
    stops.push(() => intake.stop());
    const allowlist = followAllowlist(store, systemClock, (error) =>
      log.error({ err: error }, 'the allowlist could not be loaded: there are no feeds'),
    );
    stops.push(() => allowlist.stop());
    const feeds = createFeeds({ store, clock: systemClock, allowlist: allowlist.current });
    stops.push(() => feeds.stop());
    let isOwner: (key: string) => boolean = () => false;
    const webhooks = await startNodeWebhooks({
      config,
      store,
      streamLog,
      intake,
      clock: systemClock,
      isOwner: (key) => isOwner(key),
      version: version(),
      log,
    });
    stops.push(() => webhooks.stop());
    const meshView: { current: MeshView } = { current: unstarted };
    const meshNumbers = { current: () => noMesh };
    const counters = { mesh: uncounted, replication: uncounted, pull: uncounted, group: uncounted };
    const searched = createSearched({ intake, clock: systemClock });
    const app = createApp({
      intake,
      searched,
      store,
      feeds,
      streamLog,
      readers,
      access,
      webhooks: webhooks.desk,
      tickets: createTickets(systemClock, randomBytes),
      mesh: {
        self: () => meshView.current.self(),
        peers: () => meshView.current.peers(),
        events: (signal) => meshView.current.events(signal),
        readiness: () => meshView.current.readiness(),
      },
      metrics: createMetrics({
        readiness: () => meshView.current.readiness(),
        records: store.count,
        logBytes: store.logBytes,
        mesh: () => meshNumbers.current(),
        meshEvents: () => counters.mesh(),
        replicationEvents: () => counters.replication(),
        streamReaders: readers.now,
        streamEvents: readers.counted,
        searchEvents: searched.counters,
        webhooks: webhooks.numbers,
        pullEvents: () => counters.pull(),
        groupEvents: () => counters.group(),
      }),
      clock: systemClock,
      version: version(),
      onError: (error, requestId) => log.error({ err: error, requestId }, 'a request failed'),
    });
    const server = await onFreePort(config.httpPort, config.setByHand.has('httpPort'), (port) =>
      startServer(app.fetch, config.httpHost, port, systemClock),
    );
    stops.push(() => server.stop());

    const locked = config.streamKey && (await lockStream(curvePairOf(config.streamKey)));
    if (locked !== undefined) stops.push(() => locked.close());
    const publisher = await onFreePort(config.streamPort, config.setByHand.has('streamPort'), (port) =>
      startPublisher(
        streamLog,
        config.streamHost,
        port,
        (error) => log.error({ err: error }, 'the ZeroMQ stream ended; restart the node'),
        locked?.lock,
      ),
    );
    stops.push(() => publisher.stop());

    const mesh = await startNodeMesh({
      config,
      identity,
      name,
      version: version(),
      httpUrl: server.url,
      log,
    });
    stops.push(() => mesh.stop());
    meshNumbers.current = tallyMesh(mesh);
    const replicator = startReplicator({
      mesh,
      store,
      hybridClock: clock,
      clock: systemClock,
      random: systemRandom,
      origin: identity.nodeId,
      windowMs: keep.windowMs,
      sayAnew: (statements) => intake.restate(statements),
      onIdentityLost,
      warn: (message, details) => log.warn(details, message),
    });
    stops.push(() => replicator.stop());
    const housekeeping = startHousekeeping({
      store,
      clock: systemClock,
      random: systemRandom,
      keep,
      isInStep: replicator.isInStep,
      present: () => new Set([identity.nodeId, ...mesh.peers().map(({ id }) => nodeIdOf(id))]),
      info: (message, details) => log.info(details, message),
      warn: (message, details) => log.warn(details, message),
    });
    stops.push(() => housekeeping.stop());
    let draining = false;
    settled.ms = replicator.settledMs;
    isOwner = (key) =>
      replicator.status().ready && ownerOf(key, membersOf(mesh, identity.nodeId)) === identity.nodeId;
    introduce(replicator);
    void replicator.ready.then(() => draining || mesh.join(readyGroup));
    counters.mesh = mesh.counters;
    counters.replication = replicator.counters;
    const self = identity.nodeId;
    const doors = await openDoors({ config, mesh, store, intake, self, lock: locked?.lock, log });
    stops.push(() => doors.stop());
    const { pullEndpoint } = doors;
    counters.pull = doors.counters.pull;
    counters.group = doors.counters.group;
    const gossipEndpoint = mesh.discoveryEndpoints.get('gossip');
    meshView.current = viewOf(mesh, replicator, () => draining, store.failure, {
      id: identity.nodeId,
      name,
      version: version(),
      encrypted: config.meshKey !== undefined,
      stream: publisher.endpoint,
      pull: pullEndpoint,
    });

    const file = join(path, nodeFile);
    const about = {
      url: server.url,
      streamEndpoint: publisher.endpoint,
      ...(pullEndpoint !== undefined && { pullEndpoint }),
      pid: process.pid,
      id: identity.nodeId,
      name,
      token: access.localToken,
    };
    await replaceFile(file, `${JSON.stringify(about, undefined, 2)}\n`);
    stops.push(() => rm(file, { force: true }));
    // Before anything else stops: what this node alone has is told to another one.
    stops.push(async () => {
      draining = true;
      mesh.leave(readyGroup);
      await webhooks.stop();
      await intake.stop();
      const to = lastSeqOf(store.vector().get(identity.nodeId));
      const { reason } = await replicator.acknowledged({ from: 1, to }, to === 0 ? 'local' : 1);
      if (reason !== undefined)
        log.warn({ reason }, 'the node stops before another one has all of its events');
    });
    // What comes by them is told to another node as well: they stop before that.
    stops.push(() => doors.stop());
    log.info({ id: identity.nodeId, url: server.url, mesh: mesh.endpoint }, 'started');

    return {
      id: identity.nodeId,
      name,
      dataDirectory: path,
      httpUrl: server.url,
      streamEndpoint: publisher.endpoint,
      ...(pullEndpoint !== undefined && { pullEndpoint }),
      ...(locked !== undefined && { streamLocked: true as const }),
      meshEndpoint: mesh.endpoint,
      ...(gossipEndpoint !== undefined && { gossipEndpoint }),
      discovery: discoverySentence(config),
      security: securitySentence(config),
      ...(access.newAdminToken !== undefined && { adminToken: access.newAdminToken }),
      warnings: descriptorWarnings(),
      ready: replicator.ready,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

const uncounted = (): ReadonlyMap<string, number> => new Map();
