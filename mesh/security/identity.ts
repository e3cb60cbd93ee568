import { createHash, createPublicKey, verify } from 'node:crypto';
import { type PeerId, peerIdFromBytes, peerIdToBytes } from '../ids.ts';

/**
 * An id that nobody can take over: it is the first 16 bytes of SHA-256 over an Ed25519 public key, and a HELLO proves by a
 * signature over id and endpoint that its sender has the key.
 */
export type Identity = {
  /** 32 raw bytes. */
  readonly publicKey: Uint8Array;
  /** Ed25519 (RFC 8032), 64 bytes. */
  readonly sign: (bytes: Uint8Array) => Uint8Array;
};

/** `<public key>.<signature>`, each base64url. */
export const identityHeader = 'X-IDENTITY';

const publicKeyBytes = 32;
const signatureBytes = 64;
/** Makes the signature worthless anywhere else. */
const purpose = Buffer.from('ZRE HELLO\0');
/** RFC 8410: what stands before the 32 raw bytes of an Ed25519 public key in SPKI. */
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');

export function idOfPublicKey(publicKey: Uint8Array): PeerId {
  return peerIdFromBytes(createHash('sha256').update(publicKey).digest().subarray(0, 16));
}

/** The header of a HELLO that introduces `id` at `endpoint`. */
export function proofOf(identity: Identity, id: PeerId, endpoint: string): string {
  const signature = identity.sign(statementOf(id, endpoint));
  return [identity.publicKey, signature].map((bytes) => Buffer.from(bytes).toString('base64url')).join('.');
}

/** Whether `proof` shows that the sender of a HELLO owns `id`, and that it listens at `endpoint`. Never throws. */
export function isProof(proof: string, id: PeerId, endpoint: string): boolean {
  const [publicKey, signature, ...rest] = proof.split('.').map((part) => Buffer.from(part, 'base64url'));
  if (publicKey?.length !== publicKeyBytes || signature?.length !== signatureBytes || rest.length > 0)
    return false;
  if (idOfPublicKey(publicKey) !== id) return false;
  try {
    const key = createPublicKey({ key: Buffer.concat([spkiPrefix, publicKey]), format: 'der', type: 'spki' });
    return verify(undefined, statementOf(id, endpoint), key, signature);
  } catch {
    // Not every 32 bytes are a point on the curve.
    return false;
  }
}

function statementOf(id: PeerId, endpoint: string): Buffer {
  return Buffer.concat([purpose, peerIdToBytes(id), Buffer.from(endpoint)]);
}
