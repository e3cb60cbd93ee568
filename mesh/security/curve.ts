import { createPrivateKey, createPublicKey, hkdfSync } from 'node:crypto';
import { MeshError } from '../errors.ts';
import { z85Decode, z85Encode } from './z85.ts';

/**
 * A CURVE key pair (ZeroMQ RFC 26), each half as 40 characters of Z85. All nodes of a mesh have the same one: who can prove
 * to have the secret half belongs to the mesh, on either end of a connection.
 */
export type CurvePair = { readonly publicKey: string; readonly secretKey: string };

export const meshKeyBytes = 32;
const publicKeyCharacters = 40;
/** RFC 8410: what stands before the 32 raw bytes of an X25519 private key in PKCS #8. */
const pkcs8Prefix = Buffer.from('302e020100300506032b656e04220420', 'hex');

/**
 * The pair that belongs to a mesh key of 32 bytes, the same on every node (HKDF-SHA-256, RFC 5869). Throws MeshError BAD_KEY for
 * another length.
 */
export function curvePairOf(meshKey: Uint8Array): CurvePair {
  if (meshKey.length !== meshKeyBytes) {
    throw new MeshError(
      'BAD_KEY',
      `a mesh key has ${meshKeyBytes} bytes, not ${meshKey.length}: make one of chance, and give it to all nodes`,
    );
  }
  for (let attempt = 0; ; attempt++) {
    const secret = Buffer.from(hkdfSync('sha256', meshKey, '', `zre curve ${attempt}`, 32));
    const key = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, secret]), format: 'der', type: 'pkcs8' });
    const raw = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);
    // libzyre drops a beacon whose key begins with 0, once in 256 keys.
    if (raw[0] !== 0) return { publicKey: z85Encode(raw), secretKey: z85Encode(secret) };
  }
}

export function isPublicKey(text: string): boolean {
  return text.length === publicKeyCharacters && z85Decode(text) !== undefined;
}
