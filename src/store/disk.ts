import { mkdir } from 'node:fs/promises';
import { Level as DiskLevel } from 'level';
import { damageOf } from './disk-check.ts';
import { corrupt, storeErrorOf } from './errors.ts';
import type { Level } from './level-store.ts';

/**
 * What is written stays in memory up to this size, twice, before it is sorted into files. With LevelDB's own 4 MiB, merging
 * files took a third of all that a node spends on a fast stream. After a crash so much of the log is read again: 0.3 s.
 */
const writeBufferBytes = 32 * 1024 * 1024;

/** Opens the LevelDB of a directory, which it locks. Rejects with a StoreError that says what to do. */
export async function openDisk(directory: string): Promise<Level> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await refuseDamage(directory);
    // It begins to open as soon as it is made.
    const level = new DiskLevel<string, string>(directory, { writeBufferSize: writeBufferBytes });
    await level.open();
    return level;
  } catch (cause) {
    throw storeErrorOf(cause, directory);
  }
}

/** Before LevelDB opens it, which would tidy the damage away. */
async function refuseDamage(directory: string): Promise<void> {
  await refuseLocked(directory);
  if (damageOf(directory) === undefined) return;
  // Half-written files are no damage when another node has begun to write them just now.
  await refuseLocked(directory);
  const damage = damageOf(directory);
  if (damage !== undefined) throw corrupt(directory, damage);
}

/** Asked neither to make a database nor to open one that is there, LevelDB looks at the lock and changes nothing. */
async function refuseLocked(directory: string): Promise<void> {
  try {
    await new DiskLevel(directory).open({ createIfMissing: false, errorIfExists: true });
  } catch (cause) {
    const error = storeErrorOf(cause, directory);
    if (error.code === 'LOCKED') throw error;
  }
}
