import { setTimeout as sleep } from 'node:timers/promises';
import type { Vector } from '../../src/event/types.ts';
import { covers, union } from '../../src/event/vector.ts';
import type { FleetNode } from './fleet.ts';
import { type MeshView, meshOf } from './node-client.ts';

/*
 * What the faults leave alone. The product says: nothing acknowledged is lost while any node that acknowledged it lives or its
 * disk comes back, and `ack=1` means this node and one other. So:
 *
 * 1. At least two nodes that are whole always live, in reach of one another. Whole is a node that, since its last fault, has
 *    become ready and holds all that the fleet held when it came back.
 * 2. Ending a node and keeping its disk, suspending it, cutting it off: at any time that leaves two such nodes.
 * 3. A disk is only wiped when every node is up and all hold what any of them held a moment before: the second holder of
 *    something acknowledged may have been away, or be the one that was wiped last. From then on until the fleet is in
 *    that state again no other disk is wiped.
 *
 * A run that broke 3 would lose what was promised to nobody.
 */

/** Asking a node for its vector costs it little, but not nothing. */
const askEveryMs = 500;
/** What the fleet held may have gone from it since (a log window): then it is asked anew. */
const wantedAnewAfterMs = 30_000;

/** What the nodes that answer hold together. */
async function heldBy(nodes: readonly FleetNode[]): Promise<Vector> {
  const views = await Promise.all(nodes.map(({ url }) => meshOf(url)));
  return views.reduce<Vector>(
    (held, view) => (view === undefined ? held : union(held, view.vector)),
    new Map(),
  );
}

/** Resolves true once `node` is whole; false when `signal` ended the wait. `onReady` is called on the way. */
export async function becomesWhole(
  node: FleetNode,
  nodes: readonly FleetNode[],
  onReady: () => void,
  signal: AbortSignal,
): Promise<boolean> {
  let ready = false;
  while (!signal.aborted) {
    const wanted = await heldBy(nodes);
    for (let waitedMs = 0; waitedMs < wantedAnewAfterMs && !signal.aborted; waitedMs += askEveryMs) {
      const view = await meshOf(node.url);
      if (view?.ready && !ready) {
        ready = true;
        onReady();
      }
      if (ready && view !== undefined && covers(view.vector, wanted)) return !signal.aborted;
      await sleep(askEveryMs, undefined, { signal }).catch(() => undefined);
    }
  }
  return false;
}

/** Whether, within `withinMs`, all nodes are up and each holds what any of them held at one moment after this call. */
export async function inStep(
  nodes: readonly FleetNode[],
  withinMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const endMs = performance.now() + withinMs;
  let wanted: Vector | undefined;
  while (performance.now() < endMs && !signal.aborted) {
    const views = await Promise.all(nodes.map(({ url }) => meshOf(url)));
    const all = views.filter((view): view is MeshView => view?.ready === true);
    if (all.length < nodes.length) wanted = undefined;
    else if (wanted === undefined)
      wanted = all.map(({ vector }) => vector).reduce((held, vector) => union(held, vector));
    else if (all.every(({ vector }) => covers(vector, wanted ?? vector))) return true;
    await sleep(askEveryMs, undefined, { signal }).catch(() => undefined);
  }
  return false;
}
