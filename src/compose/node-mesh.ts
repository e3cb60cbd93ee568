import {
  curvePairOf,
  defaultLimits,
  defaultTiming,
  fileDescriptorWarning,
  type Mesh,
  peerIdFromBytes,
  startMesh,
  systemClock,
  systemRandom,
  udpDatagrams,
  zeromqTransport,
} from 'tocsin/mesh';
import type { Config } from '../config/settings.ts';
import type { Identity } from '../event/identity.ts';
import type { Logger } from '../telemetry/log.ts';
import { bindAt, discoveriesOf } from './discoveries.ts';
import { tocsinHeader } from './mesh-view.ts';
import { warnOfStrangers } from './strangers.ts';

type NodeMeshParts = {
  readonly config: Config;
  readonly identity: Identity;
  readonly name: string;
  readonly version: string;
  readonly httpUrl: string;
  readonly log: Logger;
};

/** The mesh as the settings want it. Rejects with MeshError. */
export async function startNodeMesh(parts: NodeMeshParts): Promise<Mesh> {
  const { config, identity, name, version, httpUrl, log } = parts;
  const keys = [config.meshKey, config.meshKeyPrevious].filter((key) => key !== undefined).map(curvePairOf);
  const mesh = await startMesh(
    {
      id: peerIdFromBytes(Buffer.from(identity.nodeId, 'hex')),
      identity,
      keys,
      name,
      headers: new Map([[tocsinHeader, `${version} ${httpUrl}`]]),
      bind: bindAt(config.meshHost, config.meshPort),
      ...(config.meshAdvertise !== undefined && { advertise: config.meshAdvertise }),
      discovery: discoveriesOf(config),
      timing: {
        ...defaultTiming,
        evasiveAfterMs: config.peerEvasiveMs,
        silentAfterMs: config.peerSilentMs,
        expiredAfterMs: config.peerExpiredMs,
      },
    },
    { clock: systemClock, random: systemRandom, transport: zeromqTransport(), datagrams: udpDatagrams() },
  );
  for (const warning of descriptorWarnings()) log.warn(warning);
  warnOfStrangers(mesh, keys.length > 0, log);
  return mesh;
}

/** What a person is told of a process that may not open enough files for a large mesh. */
export function descriptorWarnings(): readonly string[] {
  const warning = fileDescriptorWarning(defaultLimits);
  return warning === undefined ? [] : [warning];
}
