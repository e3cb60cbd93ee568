import { type Mesh, systemClock } from 'tocsin/mesh';
import type { MeshView } from '../facade/parts.ts';
import type { Replicator } from '../replicate/replicator.ts';
import { eventRows, peerRows } from './mesh-view.ts';

/** What `GET /mesh` and its neighbours show of a running node. */
export function viewOf(
  mesh: Mesh,
  replicator: Replicator,
  isDraining: () => boolean,
  failure: () => Error | undefined,
  self: {
    readonly id: string;
    readonly name: string;
    readonly version: string;
    readonly encrypted: boolean;
    readonly stream: string;
    readonly pull: string | undefined;
  },
): MeshView {
  const gossip = mesh.discoveryEndpoints.get('gossip');
  return {
    self: () => ({
      id: self.id,
      name: self.name,
      version: self.version,
      encrypted: self.encrypted,
      endpoints: {
        mesh: mesh.endpoint,
        stream: self.stream,
        ...(gossip !== undefined && { gossip }),
        ...(self.pull !== undefined && { pull: self.pull }),
      },
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

/** Before there is a mesh. */
export const unstarted: MeshView = {
  self: () => ({
    id: '',
    name: '',
    version: '',
    encrypted: false,
    endpoints: { mesh: '', stream: '' },
    counters: {},
  }),
  peers: () => [],
  async *events() {},
  readiness: () => ({ ready: false, reason: 'starting', peers: 0, missing: 0 }),
};
