import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import type { NodeId } from './types.ts';

/** Who a node is: an Ed25519 key pair (RFC 8032) and the id that follows from it, so that no other can take its name. */
export type Identity = {
  readonly nodeId: NodeId;
  /** 32 raw bytes. */
  readonly publicKey: Uint8Array;
  /** 64 bytes of signature. */
  sign(bytes: Uint8Array): Uint8Array;
};

// RFC 8410: the DER that stands before the 32 bytes of an Ed25519 key.
const privatePrefix = Buffer.from('302e020100300506032b657004220420', 'hex');
const publicPrefix = Buffer.from('302a300506032b6570032100', 'hex');

/** Makes a new identity; from a seed of 32 bytes always the same one, for tests and simulations. */
export function createIdentity(seed?: Uint8Array): Identity & { readonly privateKeyPem: string } {
  const privateKey = seed
    ? createPrivateKey({ key: Buffer.concat([privatePrefix, seed]), format: 'der', type: 'pkcs8' })
    : generateKeyPairSync('ed25519').privateKey;
  const privateKeyPem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  return { ...identityOf(privateKey), privateKeyPem };
}

/** Throws when the text is no Ed25519 private key. */
export function loadIdentity(pem: string): Identity {
  const privateKey = createPrivateKey(pem);
  if (privateKey.asymmetricKeyType !== 'ed25519') throw new TypeError('the key is not an Ed25519 key');
  return identityOf(privateKey);
}

/** The first 16 bytes of SHA-256 of the raw public key, as hex. */
export function nodeIdOf(publicKey: Uint8Array): NodeId {
  return hash('sha256', publicKey, 'hex').slice(0, 32) as NodeId;
}

/** Checks signatures of one signer after another; the keys of the last ones are kept ready. */
export function signatureChecker(
  keysMax = 1_000,
): (publicKey: Uint8Array, bytes: Uint8Array, signature: Uint8Array) => boolean {
  const keys = new Map<string, KeyObject>();
  return (publicKey, bytes, signature) => {
    const name = Buffer.from(publicKey).toString('latin1');
    let key = keys.get(name);
    if (key === undefined) {
      try {
        key = createPublicKey({ key: Buffer.concat([publicPrefix, publicKey]), format: 'der', type: 'spki' });
      } catch {
        return false;
      }
      if (keys.size >= keysMax) keys.clear();
      keys.set(name, key);
    }
    return verify(null, bytes, key, signature);
  };
}

function identityOf(privateKey: KeyObject): Identity {
  const der = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  const publicKey = Uint8Array.from(der.subarray(publicPrefix.length));
  return { nodeId: nodeIdOf(publicKey), publicKey, sign: (bytes) => sign(null, bytes, privateKey) };
}
