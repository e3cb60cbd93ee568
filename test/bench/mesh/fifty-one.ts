import { type Discovery, type DiscoveryContext, gossipDiscovery } from 'tocsin/mesh';
import { cpuMs, serve, sharedMs } from './child.ts';
import { startNode } from './our-side.ts';

// One node, first alone, then (`join`) with the peers that a seed's gossip knows.

let context: DiscoveryContext | undefined;
const later: Discovery = {
  source: 'gossip',
  async start(given) {
    context = given;
    return { stop: async () => undefined };
  },
};
const mesh = await startNode(undefined, [later]);

serve({
  async join({ seed, count }: { seed: string; count: number }) {
    const startMs = sharedMs();
    const met = new Promise<void>((resolve) => {
      let missing = count;
      mesh.subscribe(({ kind }) => {
        if (kind === 'peer-entered' && --missing === 0) resolve();
      });
    });
    if (context) await gossipDiscovery({ bind: 'tcp://127.0.0.1:*', seeds: [seed] }).start(context);
    await met;
    return { id: mesh.id, joinMs: sharedMs() - startMs };
  },
  async rss() {
    // What external buffers hold is freed by finalizers, which run between turns.
    for (let n = 0; n < 5; n++) {
      globalThis.gc?.();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return process.memoryUsage.rss();
  },
  cpu: cpuMs,
});
