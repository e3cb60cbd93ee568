import { readdirSync, readFileSync } from 'node:fs';
import type { MeshLimits } from '../limits.ts';

/** Measured on Linux, libzmq 4.3.5: a mailbox that is connected, the connection of the peer's own, and their event descriptors. */
export const descriptorsPerPeer = 3;
/** Node, libzmq's threads and a mailbox have 40; gossip, HTTP and a store come on top. */
const descriptorsOfNode = 128;
/**
 * Left for what cannot be refused: files, HTTP, and who dials us; a quarter of a small limit. Some parts of libzmq end the
 * process when they get none.
 */
const reserveMax = 64;
/** Counting is a read of /proc: so many dials may go by between two counts. */
const dialsPerCount = 16;
const dialsPerDistantCount = 512;

/** How many files this process may have open, or undefined where nobody says so (other systems than Linux). */
export function descriptorLimit(): number | undefined {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}

/** A sentence for an operator when `limits.peersMax` peers need more file descriptors than the process may have. */
export function fileDescriptorWarning(
  { peersMax }: MeshLimits,
  descriptorsMax: number | undefined = descriptorLimit(),
): string | undefined {
  const wanted = descriptorsOfNode + descriptorsPerPeer * peersMax;
  if (descriptorsMax === undefined || descriptorsMax >= wanted) return undefined;
  const peers = Math.max(0, Math.floor((descriptorsMax - descriptorsOfNode) / descriptorsPerPeer));
  return `this process may open ${descriptorsMax} files, which is enough for about ${peers} peers of at most ${peersMax}: raise it to ${wanted} (ulimit -n ${wanted}, or LimitNOFILE= of its systemd unit)`;
}

let dials = 0;
let inUse = 0;
let limit: number | undefined;

/**
 * Whether one more socket can be dialled. Always true where nobody says how many there are. Below half of the limit, a count
 * now and then is enough: with thousands of them a count takes ten milliseconds, and dials come by the thousand as well.
 */
export function hasDescriptorsLeft(): boolean {
  const isCountDue = dials++ % dialsPerCount === 0;
  if (isCountDue) limit = descriptorLimit();
  if (limit === undefined) return true;
  inUse += descriptorsPerPeer;
  if (isCountDue && (inUse > limit / 2 || dials % dialsPerDistantCount === 1)) inUse = countDescriptors();
  return inUse + Math.min(reserveMax, limit / 4) <= limit;
}

function countDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}
