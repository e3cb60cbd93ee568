import { createHash } from 'node:crypto';
import type { Mesh, PeerId } from 'tocsin/mesh';
import type { NodeId } from '../event/types.ts';

/** A node is in it while it holds what the others hold, and is not about to stop: only such a node does something for all. */
export const readyGroup = 'tocsin/1/ready';

/**
 * Which of the live nodes does something, without anybody deciding it: the one whose hash with the key is the greatest
 * (rendezvous hashing; Thaler and Ravishankar, 1996). When it goes, the next one takes over, and nothing else changes hands.
 * Nodes that see different members may both think so: doing it twice must be harmless. Undefined of nobody.
 */
export function ownerOf(key: string, live: Iterable<NodeId>): NodeId | undefined {
  let owner: NodeId | undefined;
  let greatest: Buffer | undefined;
  for (const node of live) {
    const weight = createHash('sha256').update(node).update('\0').update(key).digest();
    if (greatest !== undefined && Buffer.compare(weight, greatest) <= 0) continue;
    [owner, greatest] = [node, weight];
  }
  return owner;
}

/** The ready nodes of the mesh that this one can reach, and itself. */
export function membersOf(mesh: Mesh, self: NodeId): readonly NodeId[] {
  return [self, ...mesh.peersIn(readyGroup).map(nodeIdOf)];
}

/** A Tocsin node's id is its peer id; ZRE writes it in capitals. */
export function nodeIdOf(peer: PeerId): NodeId {
  return peer.toLowerCase() as NodeId;
}
