import { type Mesh, systemClock } from 'tocsin/mesh';
import type { Config } from '../config/settings.ts';
import { type PullDoor, startPull } from '../doors/pull.ts';
import type { NodeId } from '../event/types.ts';
import type { Intake } from '../intake/intake.ts';
import type { IndicatorStore } from '../store/store.ts';
import type { StreamLock } from '../stream/lock.ts';
import type { Logger } from '../telemetry/log.ts';
import { openIndicatorsGroup } from './indicators-group.ts';

export type DoorsParts = {
  readonly config: Config;
  readonly mesh: Mesh;
  readonly store: IndicatorStore;
  readonly intake: Intake;
  readonly self: NodeId;
  readonly lock: StreamLock | undefined;
  readonly log: Logger;
};

type Counters = () => ReadonlyMap<string, number>;

export type Doors = {
  readonly pullEndpoint?: string;
  /** Of sensors, and of foreign peers. */
  readonly counters: { readonly pull: Counters; readonly group: Counters };
  /** Takes nothing more; resolves once what was taken is stored. */
  stop(): Promise<void>;
};

/** Opens what takes indicators by ZeroMQ: PULL, when it has a port, and the group for foreign peers. Rejects with PullError. */
export async function openDoors({
  config,
  mesh,
  store,
  intake,
  self,
  lock,
  log,
}: DoorsParts): Promise<Doors> {
  const parts = {
    intake,
    clock: systemClock,
    warn: (message: string, details: Record<string, unknown>) => log.warn(details, message),
  };
  let pull: PullDoor | undefined;
  if (config.pullPort !== undefined) {
    const at = { host: config.pullHost, port: config.pullPort };
    pull = await startPull({ ...parts, provider: config.pullProvider, lock }, at);
  }
  const group = openIndicatorsGroup({ ...parts, mesh, store, self });

  async function stopAll(): Promise<void> {
    await Promise.all([pull?.stop(), group.stop()]);
  }

  let stopping: Promise<void> | undefined;
  return {
    ...(pull !== undefined && { pullEndpoint: pull.endpoint }),
    counters: { pull: pull?.counters ?? (() => new Map()), group: group.counters },
    stop() {
      stopping ??= stopAll();
      return stopping;
    },
  };
}
