import { z } from 'zod';

import { configLimits } from './limits.ts';
import {
  advertised,
  allowedHosts,
  discovery,
  flag,
  host,
  nodeName,
  path,
  port,
  secretKey,
  seeds,
  whole,
} from './values.ts';

/** One setting: its four names, what a person reads about it, and what it may be. */
export type Setting = {
  /** Absent for a secret: a command line is visible to every user of the machine. */
  readonly flag?: `--${string}`;
  /** What follows the flag; absent when the flag stands alone. */
  readonly argument?: string;
  readonly variable: `TOCSIN_${string}`;
  readonly yaml: string;
  readonly help: string;
  /** Ends the sentence `X is "y": ... is allowed.` */
  readonly allowed: string;
  readonly schema: z.ZodType;
  readonly default: unknown;
};

/**
 * Every setting of `tocsin start`. This table is the one source: flags, variables, YAML keys, help and the page of the
 * documentation are made from it. A default of undefined means that the node decides when it starts.
 */
export const settings = {
  dataDir: {
    flag: '--data-dir',
    argument: 'path',
    variable: 'TOCSIN_DATA_DIR',
    yaml: 'data_dir',
    help: 'where the node keeps its key, records and log (default: the first free ./.tocsin/<n>)',
    allowed: 'a path',
    schema: path,
    default: undefined,
  },
  name: {
    flag: '--name',
    argument: 'name',
    variable: 'TOCSIN_NAME',
    yaml: 'name',
    help: 'the name that peers see (default: made from the node id)',
    allowed: `a name of up to ${configLimits.nameCharactersMax} letters, digits, dots, dashes and underscores`,
    schema: nodeName,
    default: undefined,
  },
  httpHost: {
    flag: '--http-host',
    argument: 'address',
    variable: 'TOCSIN_HTTP_HOST',
    yaml: 'http_host',
    help: 'the address that HTTP binds',
    allowed: 'an IP address or a host name',
    schema: host,
    default: '127.0.0.1',
  },
  httpPort: {
    flag: '--http-port',
    argument: 'port',
    variable: 'TOCSIN_HTTP_PORT',
    yaml: 'http_port',
    help: 'the port of HTTP; when it is taken and not set by hand, the next free one',
    allowed: 'a port from 0 (any free one) to 65535',
    schema: port(0),
    default: 8480,
  },
  streamHost: {
    flag: '--stream-host',
    argument: 'address',
    variable: 'TOCSIN_STREAM_HOST',
    yaml: 'stream_host',
    help: 'the address that the ZeroMQ PUB stream binds',
    allowed: 'an IP address or a host name',
    schema: host,
    default: '127.0.0.1',
  },
  streamPort: {
    flag: '--stream-port',
    argument: 'port',
    variable: 'TOCSIN_STREAM_PORT',
    yaml: 'stream_port',
    help: 'the port of the ZeroMQ PUB stream; when it is taken and not set by hand, the next free one',
    allowed: 'a port from 0 (any free one) to 65535',
    schema: port(0),
    default: 8481,
  },
  streamKey: {
    variable: 'TOCSIN_STREAM_KEY',
    yaml: 'stream_key',
    help: 'the key of ZeroMQ PUB and PULL (`tocsin keygen --stream` makes one): they are encrypted, and only who holds it gets in',
    allowed: 'a key of 43 characters as `tocsin keygen --stream` prints it',
    schema: secretKey,
    default: undefined,
  },
  pullHost: {
    flag: '--pull-host',
    argument: 'address',
    variable: 'TOCSIN_PULL_HOST',
    yaml: 'pull_host',
    help: 'the address at which ZeroMQ PULL takes indicators of sensors; without a stream key only this machine’s own',
    allowed: 'an IP address or a host name',
    schema: host,
    default: '127.0.0.1',
  },
  pullPort: {
    flag: '--pull-port',
    argument: 'port',
    variable: 'TOCSIN_PULL_PORT',
    yaml: 'pull_port',
    help: 'the port at which ZeroMQ PULL takes indicators of sensors; without one it takes none',
    allowed: 'a port from 0 (any free one) to 65535',
    schema: port(0),
    default: undefined,
  },
  pullProvider: {
    flag: '--pull-provider',
    argument: 'name',
    variable: 'TOCSIN_PULL_PROVIDER',
    yaml: 'pull_provider',
    help: 'the provider of what comes by ZeroMQ PULL and names none',
    allowed: `a name of up to ${configLimits.nameCharactersMax} letters, digits, dots, dashes and underscores`,
    schema: nodeName,
    default: 'pull',
  },
  meshHost: {
    flag: '--mesh-host',
    argument: 'address',
    variable: 'TOCSIN_MESH_HOST',
    yaml: 'mesh_host',
    help: 'the address or network interface that the mesh and gossip bind; 0.0.0.0 is every one',
    allowed: 'an IP address, a host name or the name of a network interface',
    schema: host,
    default: '127.0.0.1',
  },
  meshAdvertise: {
    flag: '--mesh-advertise',
    argument: 'host',
    variable: 'TOCSIN_MESH_ADVERTISE',
    yaml: 'mesh_advertise',
    help: 'the host, or host:port, that peers are told to dial (default: the bound address; of 0.0.0.0, the first interface’s)',
    allowed: 'an IP address or a host name, with or without a port,',
    schema: advertised,
    default: undefined,
  },
  meshPort: {
    flag: '--mesh-port',
    argument: 'port',
    variable: 'TOCSIN_MESH_PORT',
    yaml: 'mesh_port',
    help: 'the port of the mesh; 0 is any free one',
    allowed: 'a port from 0 (any free one) to 65535',
    schema: port(0),
    default: 0,
  },
  gossipPort: {
    flag: '--gossip-port',
    argument: 'port',
    variable: 'TOCSIN_GOSSIP_PORT',
    yaml: 'gossip_port',
    help: 'the port of gossip, which seeds of other nodes name; 0 is any free one',
    allowed: 'a port from 0 (any free one) to 65535',
    schema: port(0),
    default: 0,
  },
  seeds: {
    flag: '--seeds',
    argument: 'endpoints',
    variable: 'TOCSIN_SEEDS',
    yaml: 'seeds',
    help: 'gossip of other nodes to start from, separated by commas: tcp://host:port, dns://name:port (all addresses of the name), dns://_service._tcp.name (its SRV records)',
    allowed: `a list of up to ${configLimits.seedsMax} seeds tcp://host:port, dns://name:port or dns://_service._tcp.name`,
    schema: seeds,
    default: [],
  },
  discovery: {
    flag: '--discovery',
    argument: 'ways',
    variable: 'TOCSIN_DISCOVERY',
    yaml: 'discovery',
    help: 'how nodes find each other, separated by commas: beacon (UDP, on port beacon_port), mdns (_tocsin._tcp, which keeps no two meshes of a network apart unless they have keys), gossip (from seeds tcp://), dns (from seeds dns://)',
    allowed: 'a list of beacon, mdns, gossip and dns',
    schema: discovery,
    default: ['beacon', 'gossip', 'dns'],
  },
  beaconPort: {
    flag: '--beacon-port',
    argument: 'port',
    variable: 'TOCSIN_BEACON_PORT',
    yaml: 'beacon_port',
    help: 'the UDP port of the beacon, the same on every node of a mesh (5670 is what ZRE registered)',
    allowed: 'a port from 1 to 65535',
    schema: port(1),
    default: 5670,
  },
  meshKey: {
    variable: 'TOCSIN_MESH_KEY',
    yaml: 'mesh_key',
    help: 'the key of the mesh, the same on all of its nodes (`tocsin keygen` makes one): it encrypts, and keeps everyone else out',
    allowed: 'a key of 43 characters as `tocsin keygen` prints it',
    schema: secretKey,
    default: undefined,
  },
  meshKeyPrevious: {
    variable: 'TOCSIN_MESH_KEY_PREVIOUS',
    yaml: 'mesh_key_previous',
    help: 'the key before, still accepted while nodes are restarted with a new one',
    allowed: 'a key of 43 characters as `tocsin keygen` prints it',
    schema: secretKey,
    default: undefined,
  },
  insecureMesh: {
    flag: '--insecure-mesh',
    variable: 'TOCSIN_INSECURE_MESH',
    yaml: 'insecure_mesh',
    help: 'allow a mesh in clear on an address that other machines reach',
    allowed: 'true or false',
    schema: flag,
    default: false,
  },
  peerEvasiveMs: {
    flag: '--peer-evasive-ms',
    argument: 'ms',
    variable: 'TOCSIN_PEER_EVASIVE_MS',
    yaml: 'peer_evasive_ms',
    help: 'for how long a peer may say nothing before it is asked whether it lives',
    allowed: 'a number of milliseconds from 1,000 to 300,000',
    schema: whole(1_000, 300_000),
    default: 5_000,
  },
  peerSilentMs: {
    flag: '--peer-silent-ms',
    argument: 'ms',
    variable: 'TOCSIN_PEER_SILENT_MS',
    yaml: 'peer_silent_ms',
    help: 'for how long a peer may answer nothing before it is told of as silent and greeted anew',
    allowed: 'a number of milliseconds from 2,000 to 600,000',
    schema: whole(2_000, 600_000),
    default: 15_000,
  },
  peerExpiredMs: {
    flag: '--peer-expired-ms',
    argument: 'ms',
    variable: 'TOCSIN_PEER_EXPIRED_MS',
    yaml: 'peer_expired_ms',
    help: 'for how long a peer may answer nothing before it is taken for gone; more than twice the time until it is asked',
    allowed: 'a number of milliseconds from 3,000 to 1,800,000',
    schema: whole(3_000, 1_800_000),
    default: 30_000,
  },
  eventLogDays: {
    flag: '--event-log-days',
    argument: 'days',
    variable: 'TOCSIN_EVENT_LOG_DAYS',
    yaml: 'event_log_days',
    help: 'how long events stay in the log, from which nodes that were away catch up; the same on every node of a mesh',
    allowed: 'a number of days from 1 to 365',
    schema: whole(1, 365),
    default: 7,
  },
  eventLogMib: {
    flag: '--event-log-mib',
    argument: 'MiB',
    variable: 'TOCSIN_EVENT_LOG_MIB',
    yaml: 'event_log_mib',
    help: 'how large the event log may grow; what does not fit leaves it, oldest first (its effect stays in the records)',
    allowed: 'a number of MiB from 1 to 1000000',
    schema: whole(1, 1_000_000),
    default: 1_024,
  },
  webhookAllow: {
    flag: '--webhook-allow',
    argument: 'hosts',
    variable: 'TOCSIN_WEBHOOK_ALLOW',
    yaml: 'webhook_allow',
    help: 'where webhooks may go although it is not public, separated by commas: host names, addresses, networks; the same on every node of a mesh',
    allowed: `a list of up to ${configLimits.webhookAllowMax} host names, addresses and networks (siem.example.com, 192.0.2.7, 10.0.0.0/8)`,
    schema: allowedHosts,
    default: [],
  },
  tokens: {
    variable: 'TOCSIN_TOKENS',
    yaml: 'tokens',
    help: 'tokens of a fleet: name=secret:scope+scope,name=... (scopes: read, feed, write, stream, admin)',
    allowed: 'a list name=secret:scope+scope, separated by commas,',
    schema: z.string().min(1).max(configLimits.tokensCharactersMax),
    default: undefined,
  },
  logLevel: {
    flag: '--log-level',
    argument: 'level',
    variable: 'TOCSIN_LOG_LEVEL',
    yaml: 'log_level',
    help: 'fatal, error, warn, info, debug, trace or silent; on a terminal only warnings unless set by hand',
    allowed: 'fatal, error, warn, info, debug, trace or silent',
    schema: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
    default: 'info',
  },
} as const satisfies Record<string, Setting>;

export type SettingKey = keyof typeof settings;

export const settingKeys = Object.keys(settings) as readonly SettingKey[];

export type Settings = {
  readonly [Key in SettingKey]:
    | z.output<(typeof settings)[Key]['schema']>
    | ((typeof settings)[Key]['default'] extends undefined ? undefined : never);
};

/** What `startTocsin` takes. A port that is not set by hand may move to the next free one. */
export type Config = Settings & { readonly setByHand: ReadonlySet<SettingKey> };

/** Variables that the command reads and that are not settings of a node. */
export const commandVariables = ['TOCSIN_CONFIG', 'TOCSIN_URL', 'TOCSIN_TOKEN'] as const;
