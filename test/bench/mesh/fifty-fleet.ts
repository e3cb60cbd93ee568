import { gossipDiscovery, type Mesh } from 'tocsin/mesh';
import { childArgument, cpuMs, serve, sharedMs } from './child.ts';
import type { FleetArgument } from './fifty.ts';
import { startNode } from './our-side.ts';

// Many nodes in one process. `meet` starts them and answers how long it took until all knew all.

const { count } = childArgument<FleetArgument>();
const fleet: Mesh[] = [];

async function meet(): Promise<number> {
  const startMs = sharedMs();
  const seed = await startNode(undefined, [gossip([])]);
  fleet.push(seed);
  const seeds = [...seed.discoveryEndpoints.values()];
  fleet.push(
    ...(await Promise.all(Array.from({ length: count - 1 }, () => startNode(undefined, [gossip(seeds)])))),
  );
  await Promise.all(fleet.map((mesh) => entered(mesh, count - 1)));
  return sharedMs() - startMs;
}

function gossip(seeds: readonly string[]) {
  return gossipDiscovery({ bind: 'tcp://127.0.0.1:*', seeds });
}

function entered(mesh: Mesh, wanted: number): Promise<void> {
  return new Promise((resolve) => {
    let missing = wanted;
    mesh.subscribe(({ kind }) => {
      if (kind === 'peer-entered') missing--;
      if (kind === 'peer-exited') missing++;
      if (missing === 0) resolve();
    });
  });
}

/** Resolves when every node has told of the peer's exit. */
function gone(id: string): Promise<unknown> {
  return Promise.all(
    fleet.map(
      (mesh) =>
        new Promise<void>((resolve) => {
          if (!mesh.peers().some((peer) => peer.id === id && peer.ready)) resolve();
          mesh.subscribe((event) => {
            if (event.kind === 'peer-exited' && event.id === id) resolve();
          });
        }),
    ),
  );
}

serve({
  meet,
  seed: () => [...(fleet[0]?.discoveryEndpoints.values() ?? [])][0],
  now: sharedMs,
  cpu: cpuMs,
  async gone(id: string) {
    await gone(id);
    return sharedMs();
  },
});
