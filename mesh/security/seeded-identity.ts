import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { MeshError } from '../errors.ts';
import type { Identity } from './identity.ts';

const seedBytes = 32;
/** RFC 8410: what stands before the 32 raw bytes of an Ed25519 private key in PKCS #8. */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The identity that 32 secret bytes make, the same every time: who keeps them keeps its id. Throws MeshError BAD_KEY. */
export function identityOfSeed(seed: Uint8Array): Identity {
  if (seed.length !== seedBytes) {
    throw new MeshError(
      'BAD_KEY',
      `a seed has ${seedBytes} bytes, not ${seed.length}: make one of chance, and keep it secret`,
    );
  }
  const key = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' });
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);
  return { publicKey, sign: (bytes) => sign(undefined, bytes, key) };
}
