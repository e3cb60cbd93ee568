import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createIdentity, type Identity, loadIdentity } from './event/identity.ts';
import { replaceFile } from './replace-file.ts';
import { openDisk } from './store/disk.ts';
import { StoreError } from './store/errors.ts';
import type { Level } from './store/level-store.ts';

const numberedRoot = '.tocsin';
const numbersMax = 1_000;
const identityFile = 'identity.pem';

/** A directory that this process has locked, with its LevelDB open. */
export type DataDirectory = { readonly path: string; readonly level: Level };

/** Opens the directory that was named, else the first free `./.tocsin/<n>`. Rejects with StoreError. */
export async function openDataDirectory(named: string | undefined): Promise<DataDirectory> {
  if (named !== undefined) return openAt(named);
  for (let n = 1; n <= numbersMax; n++) {
    try {
      return await openAt(join(numberedRoot, String(n)));
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== 'LOCKED') throw error;
    }
  }
  throw new StoreError(
    'LOCKED',
    `all of ${numberedRoot}/1 to ${numbersMax} are in use: name another --data-dir`,
  );
}

async function openAt(path: string): Promise<DataDirectory> {
  // LevelDB's lock is the lock of the whole directory.
  return { path, level: await openDisk(join(path, 'db')) };
}

/**
 * The node's key pair. It is only used again beside the log that it signed. Where the log is gone (moved away because it was
 * damaged, or never written) or may lack what it has signed, `isKept` is false and a new pair is made, since the old one
 * would sign a seq a second time.
 */
export async function loadOrCreateIdentity(path: string, isKept: boolean): Promise<Identity> {
  const file = join(path, identityFile);
  if (isKept) {
    try {
      return loadIdentity(await readFile(file, 'utf8'));
    } catch (cause) {
      throw new Error(`${file} is no key that this node can use: restore it, or name another --data-dir`, {
        cause,
      });
    }
  }
  const identity = createIdentity();
  await replaceFile(file, identity.privateKeyPem);
  return identity;
}
