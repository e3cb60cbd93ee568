import { MeshError } from './errors.ts';
import type { MeshLimits } from './limits.ts';
import type { Self } from './peer/peer.ts';
import type { PeerTiming } from './peer/timing.ts';
import { decodeZre, encodeZre } from './wire/zre.ts';

/**
 * Whether peers with our own limits would take our HELLO. They refuse a bad one without a word, so it is better said here.
 * Throws MeshError: BAD_NAME, BAD_GROUP, BAD_HEADER or BAD_ENDPOINT for a text that does not fit its field, TOO_LARGE for the
 * rest.
 */
export function checkSelf(self: Self, limits: MeshLimits): void {
  const { introductions, membership, name } = self;
  for (const { endpoint, headers } of introductions) {
    const hello = encodeZre({
      kind: 'hello',
      sequence: 1,
      endpoint,
      groups: [...membership.groups],
      status: membership.status,
      name,
      headers,
    });
    const taken = decodeZre(hello, limits);
    if (!taken.ok)
      throw new MeshError('TOO_LARGE', `no peer would take this node's introduction: ${taken.reason}`);
  }
}

/** Throws MeshError BAD_TIMING: in another order nobody is asked before it is given up, and live peers drop one another. */
export function checkTiming({ evasiveAfterMs, silentAfterMs, expiredAfterMs }: PeerTiming): void {
  if (evasiveAfterMs < silentAfterMs && silentAfterMs < expiredAfterMs) return;
  throw new MeshError(
    'BAD_TIMING',
    `evasiveAfterMs, silentAfterMs and expiredAfterMs have to grow: they are ${evasiveAfterMs}, ${silentAfterMs} and ${expiredAfterMs}`,
  );
}
