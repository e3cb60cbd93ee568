import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  beaconDiscovery,
  beaconOptionsFor,
  curvePairOf,
  type Discovery,
  gossipDiscovery,
  type HandshakeRefusal,
  type Mesh,
  mdnsDiscovery,
  networksOf,
  peerIdFromBytes,
  startMesh,
  systemClock,
  systemRandom,
  udpDatagrams,
  zeromqTransport,
} from 'tocsin/mesh';
import { loadAccess, parseFleetTokens } from './access/tokens.ts';
import type { StartedNode } from './cli/io.ts';
import { version } from './cli/version.ts';
import { tallyMesh } from './compose/mesh-tally.ts';
import { eventRows, peerRows, tocsinHeader } from './compose/mesh-view.ts';
import type { Config } from './config/settings.ts';
import { loadOrCreateIdentity, openDataDirectory } from './data-directory.ts';
import { hlcMs, hybridClock } from './event/hlc.ts';
import type { NodeId } from './event/types.ts';
import { lastSeqOf } from './event/vector.ts';
import { createApp } from './facade/app.ts';
import type { MeshView } from './facade/parts.ts';
import { AddressInUse, startServer } from './facade/server.ts';
import { followAllowlist } from './feed/allowlist/follow.ts';
import { createFeeds } from './feed/feeds.ts';
import { createIntake } from './intake/intake.ts';
import { replaceFile } from './replace-file.ts';
import { startHousekeeping } from './replicate/housekeeping.ts';
import { type Replicator, startReplicator } from './replicate/replicator.ts';
import { openStore } from './store/level-store.ts';
import { PublisherError, startPublisher } from './stream/publisher.ts';
import { createStreamLog } from './stream/stream-log.ts';
import type { Logger } from './telemetry/log.ts';
import { noMesh } from './telemetry/mesh-metrics.ts';
import { createMetrics } from './telemetry/metrics.ts';

export type { StartedNode } from './cli/io.ts';
export type { Config } from './config/settings.ts';

const nodeFile = 'node.json';
/** `_tocsin._tcp` of DNS-SD. */
const mdnsType = 'tocsin';
/** How many ports above the default are tried when it is taken. */
const portsTried = 200;

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
    const { httpUrl, streamEndpoint, dataDirectory, stop } = await running;
    await stop();
    if (stopped) return;
    const addresses = { httpPort: portOf(httpUrl), streamPort: portOf(streamEndpoint) };
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

    const streamLog = createStreamLog(store, identity.nodeId);
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
    const meshView: { current: MeshView } = { current: unstarted };
    const meshNumbers = { current: () => noMesh };
    const counters = { mesh: uncounted, replication: uncounted };
    const app = createApp({
      intake,
      store,
      feeds,
      streamLog,
      access,
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
      }),
      clock: systemClock,
      version: version(),
      onError: (error, requestId) => log.error({ err: error, requestId }, 'a request failed'),
    });
    const server = await onFreePort(config.httpPort, config.setByHand.has('httpPort'), (port) =>
      startServer(app.fetch, config.httpHost, port, systemClock),
    );
    stops.push(() => server.stop());

    const publisher = await onFreePort(config.streamPort, config.setByHand.has('streamPort'), (port) =>
      startPublisher(streamLog, config.streamHost, port, (error) =>
        log.error({ err: error }, 'the ZeroMQ stream ended; restart the node'),
      ),
    );
    stops.push(() => publisher.stop());

    const keys = [config.meshKey, config.meshKeyPrevious].filter((key) => key !== undefined).map(curvePairOf);
    const mesh = await startMesh(
      {
        id: peerIdFromBytes(Buffer.from(identity.nodeId, 'hex')),
        identity,
        keys,
        name,
        headers: new Map([[tocsinHeader, `${version()} ${server.url}`]]),
        bind: endpointOf(addressIn(config.meshHost), config.meshPort),
        ...(config.meshAdvertise !== undefined && { advertise: config.meshAdvertise }),
        discovery: discoveriesOf(config),
      },
      { clock: systemClock, random: systemRandom, transport: zeromqTransport(), datagrams: udpDatagrams() },
    );
    stops.push(() => mesh.stop());
    meshNumbers.current = tallyMesh(mesh);
    warnOfStrangers(mesh, keys.length > 0, log);
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
      present: () => new Set([identity.nodeId, ...mesh.peers().map(({ id }) => id.toLowerCase() as NodeId)]),
      info: (message, details) => log.info(details, message),
      warn: (message, details) => log.warn(details, message),
    });
    stops.push(() => housekeeping.stop());
    introduce(replicator);
    counters.mesh = mesh.counters;
    counters.replication = replicator.counters;
    let draining = false;
    const gossipEndpoint = mesh.discoveryEndpoints.get('gossip');
    meshView.current = viewOf(mesh, replicator, () => draining, store.failure, {
      id: identity.nodeId,
      name,
      version: version(),
      stream: publisher.endpoint,
    });

    const file = join(path, nodeFile);
    const about = {
      url: server.url,
      streamEndpoint: publisher.endpoint,
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
      await intake.stop();
      const to = lastSeqOf(store.vector().get(identity.nodeId));
      const { reason } = await replicator.acknowledged({ from: 1, to }, to === 0 ? 'local' : 1);
      if (reason !== undefined)
        log.warn({ reason }, 'the node stops before another one has all of its events');
    });
    log.info({ id: identity.nodeId, url: server.url, mesh: mesh.endpoint }, 'started');

    return {
      id: identity.nodeId,
      name,
      dataDirectory: path,
      httpUrl: server.url,
      streamEndpoint: publisher.endpoint,
      meshEndpoint: mesh.endpoint,
      ...(gossipEndpoint !== undefined && { gossipEndpoint }),
      discovery: discoverySentence(config),
      ...(access.newAdminToken !== undefined && { adminToken: access.newAdminToken }),
      warnings: [],
      ready: replicator.ready,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Once for each reason: whoever reaches the port can come again and again, and the metrics count them. */
function warnOfStrangers(mesh: Mesh, hasKey: boolean, log: Logger): void {
  const warned = new Set<string>();
  function warnOnce(about: string, details: Record<string, unknown>, sentence: string): void {
    if (warned.has(about)) return;
    warned.add(about);
    log.warn(details, sentence);
  }
  mesh.subscribe((event) => {
    if (event.kind === 'stranger-refused') {
      warnOnce(event.reason, { reason: event.reason }, strangerSentence(event.reason, hasKey));
    } else if (event.kind === 'turned-away') {
      warnOnce(event.endpoint, { seed: event.endpoint }, turnedAwaySentence(hasKey));
    }
  });
}

function strangerSentence(reason: HandshakeRefusal, hasKey: boolean): string {
  if (reason === 'bad-handshake')
    return 'something that is no node connected to the mesh port, and was turned away';
  if (!hasKey)
    return 'a node with a mesh key was turned away: this one has none; give all nodes the same TOCSIN_MESH_KEY';
  return reason === 'no-key'
    ? 'a node without a mesh key was turned away; if it is yours, give it this mesh’s TOCSIN_MESH_KEY'
    : 'a node with another mesh key was turned away; if it is yours, give it this mesh’s TOCSIN_MESH_KEY, or set TOCSIN_MESH_KEY_PREVIOUS while keys rotate';
}

function turnedAwaySentence(hasKey: boolean): string {
  return hasKey
    ? 'a seed does not let this node in: its TOCSIN_MESH_KEY is another one, or it has none'
    : 'a seed does not let this node in: its mesh has a key; set TOCSIN_MESH_KEY to it';
}

/** The port that was set by hand, or the first free one from the default on. */
async function onFreePort<T>(port: number, byHand: boolean, start: (port: number) => Promise<T>): Promise<T> {
  for (let tried = 0; ; tried++) {
    try {
      return await start(port + tried);
    } catch (error) {
      const taken =
        error instanceof AddressInUse || (error instanceof PublisherError && error.code === 'ADDRESS_IN_USE');
      if (!taken || byHand || port === 0 || tried >= portsTried) throw error;
    }
  }
}

function discoveriesOf(config: Config): readonly Discovery[] {
  const { discovery, meshHost, beaconPort, gossipPort, seeds } = config;
  const ways: Discovery[] = [];
  if (discovery.includes('beacon')) ways.push(beaconDiscovery(beaconOptionsFor(meshHost, beaconPort)));
  if (discovery.includes('mdns')) ways.push(mdnsDiscovery({ type: mdnsType, host: meshHost }));
  // What DNS yields are hubs of gossip.
  if (discovery.includes('gossip') || discovery.includes('dns'))
    ways.push(gossipDiscovery({ bind: endpointOf(addressIn(meshHost), gossipPort), seeds }));
  return ways;
}

function discoverySentence({ discovery, meshHost, beaconPort, seeds }: Config): string {
  const ways: string[] = [];
  if (discovery.includes('beacon')) ways.push(`UDP beacons on port ${beaconPort} of ${meshHost}`);
  if (discovery.includes('mdns')) ways.push(`multicast DNS as _${mdnsType}._tcp on ${meshHost}`);
  const stated = seeds.filter((seed) => !seed.startsWith('dns:'));
  const named = seeds.filter((seed) => seed.startsWith('dns:'));
  if (stated.length > 0) ways.push(`gossip from ${stated.join(', ')}`);
  if (named.length > 0) ways.push(`gossip from what DNS names as ${named.join(', ')}`);
  if (discovery.includes('gossip') && seeds.length === 0)
    ways.push('gossip, once a node names this one as its seed');
  return `Peers are found by ${ways.join(' and ')}.`;
}

/** The address of a network interface; any other host as it is. */
function addressIn(host: string): string {
  return networksOf(host).find(({ name }) => name === host)?.address ?? host;
}

function viewOf(
  mesh: Mesh,
  replicator: Replicator,
  isDraining: () => boolean,
  failure: () => Error | undefined,
  self: { readonly id: string; readonly name: string; readonly version: string; readonly stream: string },
): MeshView {
  const gossip = mesh.discoveryEndpoints.get('gossip');
  return {
    self: () => ({
      id: self.id,
      name: self.name,
      version: self.version,
      endpoints: { mesh: mesh.endpoint, stream: self.stream, ...(gossip !== undefined && { gossip }) },
      counters: Object.fromEntries([...mesh.counters(), ...replicator.counters()]),
    }),
    peers: () => peerRows(mesh),
    events: (signal) => eventRows(mesh, systemClock.wallMs, signal),
    readiness: () => ({
      ...replicator.status(),
      ...(failure() && { ready: false, reason: `nothing can be written: ${failure()?.message}` }),
      ...(isDraining() && { ready: false, reason: 'draining: it takes no more writes, and stops' }),
    }),
  };
}

const uncounted = (): ReadonlyMap<string, number> => new Map();

const unstarted: MeshView = {
  self: () => ({ id: '', name: '', version: '', endpoints: { mesh: '', stream: '' }, counters: {} }),
  peers: () => [],
  async *events() {},
  readiness: () => ({ ready: false, reason: 'starting', peers: 0, missing: 0 }),
};

function endpointOf(host: string, port: number): string {
  return `tcp://${host.includes(':') ? `[${host}]` : host}:${port === 0 ? '*' : port}`;
}
