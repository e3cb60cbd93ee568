import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { requirementMet } from '../support/requirement.ts';

const built = join(import.meta.dirname, '../../dist/interop');

/** What buildCzmqPeer() builds; czmq-peer.c and zre-peer.c say what they do. */
export const czmqPeer = join(built, 'czmq-peer');
export const zrePeer = join(built, 'zre-peer');

const exitCodeParts = 3;

/** Compiles both unless that is done. Where libczmq is absent it gives false and prints why, or throws in CI. */
export function buildCzmqPeer(): boolean {
  const build = spawnSync(join(import.meta.dirname, 'build.sh'), { encoding: 'utf8' });
  if (build.status === 0 || build.status === exitCodeParts) {
    return requirementMet(build.status === 0 ? undefined : build.stderr.trim());
  }
  throw new Error(`czmq-peer or zre-peer does not build: ${build.error?.message ?? build.stderr}`);
}
