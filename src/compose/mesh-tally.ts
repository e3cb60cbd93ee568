import type { Mesh } from 'tocsin/mesh';
import type { MeshNumbers } from '../telemetry/mesh-metrics.ts';

/** Counts who comes and goes from now on; the answer reads the numbers. */
export function tallyMesh(mesh: Mesh): () => MeshNumbers {
  let entered = 0;
  let joined = 0;
  let left = 0;
  const exited = new Map<string, number>();
  mesh.subscribe((event) => {
    switch (event.kind) {
      case 'peer-entered':
        entered++;
        break;
      case 'peer-exited':
        exited.set(event.reason, (exited.get(event.reason) ?? 0) + 1);
        break;
      case 'peer-joined':
        joined++;
        break;
      case 'peer-left':
        left++;
        break;
      default:
        break;
    }
  });
  return () => ({
    peers: mesh.peers(),
    entered,
    exited,
    joined,
    left,
    // Events tell of a full outbox once a filling; the counter counts each message.
    dropped: mesh.counters().get('outbox-full') ?? 0,
  });
}
