import type { Address } from '../discovery/discovery.ts';
import type { PeerId } from '../ids.ts';
import type { Hello } from '../wire/message.ts';
import { type Identity, identityHeader, isProof, proofOf } from './identity.ts';

/** libzyre's header for the key of the mailbox, in Z85; with CURVE it drops a HELLO without it. */
export const publicKeyHeader = 'X-PUBLICKEY';

/** What a HELLO that names `address` carries beside the application's headers. */
export function securityHeaders(
  { endpoint, publicKey }: Address,
  id: PeerId,
  identity: Identity | undefined,
): readonly (readonly [string, string])[] {
  const headers: [string, string][] = [];
  if (publicKey !== undefined) headers.push([publicKeyHeader, publicKey]);
  if (identity !== undefined) headers.push([identityHeader, proofOf(identity, id, endpoint)]);
  return headers;
}

export type Standing =
  /** Its sender has shown that the id is its own. */
  | 'proven'
  /** It says nothing of it, as stock Zyre's. */
  | 'unproven'
  /** It says so, and it is not true. */
  | 'forged';

export function standingOf({ headers, endpoint }: Hello, id: PeerId): Standing {
  const proof = headers.get(identityHeader);
  if (proof === undefined) return 'unproven';
  return isProof(proof, id, endpoint) ? 'proven' : 'forged';
}
