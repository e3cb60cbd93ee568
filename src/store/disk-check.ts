import { closeSync, existsSync, fstatSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import {
  areSoundBlocks,
  footerBytes,
  isSoundBlock,
  liveFiles,
  logRecords,
  readFooter,
} from './leveldb-format.ts';

/*
 * What LevelDB takes without a word and a node must not. It is made to go on with what is left: without its CURRENT it begins
 * anew and deletes every table; a hole in a write-ahead log costs the commits in it, while the vector of a later one says that
 * they are held, so that no peer is ever asked for them; and a garbled table ends the process, at each start anew. Its stricter
 * mode (paranoid_checks) cannot be had from Node.
 */

/** Half a second of a start. */
const dataReadMax = 128 * 1024 * 1024;

/**
 * What is damaged in the directory of a LevelDB, or undefined. Reads MANIFEST and write-ahead logs, the newest tables
 * (which a crash or a cut cable can have hurt) and the index of each; in the older ones' data LevelDB meets damage when it reads
 * it. Means something only while nobody writes there.
 */
export function damageOf(directory: string): string | undefined {
  try {
    return findDamage(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'a file went while it was read';
    throw error;
  }
}

function findDamage(directory: string): string | undefined {
  const names = readdirSync(directory);
  const logs = names.filter((name) => /^\d+\.log$/.test(name));
  if (!names.includes('CURRENT')) {
    const hasData = logs.length > 0 || names.some((name) => name.endsWith('.ldb'));
    return hasData ? 'CURRENT is missing' : undefined;
  }
  const manifest = readFileSync(join(directory, 'CURRENT'), 'latin1').trim();
  if (!/^MANIFEST-\d+$/.test(manifest)) return 'CURRENT is garbled';
  if (!names.includes(manifest)) return `${manifest} is missing`;
  const live = liveFiles(readFileSync(join(directory, manifest)));
  // One that is garbled LevelDB refuses itself; of one that a crash has cut off, what stands before the cut is still there.
  if (live === undefined) return undefined;
  if (live.log > 0 && !logs.includes(fileName(live.log, 'log'))) {
    return `${fileName(live.log, 'log')} is missing`;
  }
  const holed = logs
    .filter((name) => Number.parseInt(name, 10) >= live.log)
    .find((name) => hasHole(readFileSync(join(directory, name))));
  if (holed !== undefined) return `${holed} has a hole`;
  const newestFirst = [...live.tables].sort(([a], [b]) => b - a);
  let readBytes = 0;
  for (const [number, bytes] of newestFirst) {
    readBytes += bytes;
    const name = fileName(number, 'ldb');
    if (!isWholeTable(join(directory, name), bytes, readBytes <= dataReadMax))
      return `${name} is missing, cut off or garbled`;
  }
  return undefined;
}

function fileName(number: number, extension: string): string {
  return `${String(number).padStart(6, '0')}.${extension}`;
}

/** A crash cuts off what was written last; behind a hole stands a whole record. */
export function hasHole(log: Buffer): boolean {
  let unreadable = false;
  for (const record of logRecords(log)) {
    if (record === 'unreadable') unreadable = true;
    else if (unreadable) return true;
  }
  return false;
}

function isWholeTable(path: string, bytes: number, withData: boolean): boolean {
  if (!existsSync(path)) return false;
  const file = openSync(path, 'r');
  try {
    if (fstatSync(file).size !== bytes || bytes < footerBytes) return false;
    const end = bytes - footerBytes;
    const blocks = readFooter(readAt(file, end, footerBytes));
    const hasSoundIndex = blocks?.every(
      ({ offset, bytes: length }) => offset + length <= end && isSoundBlock(readAt(file, offset, length)),
    );
    return hasSoundIndex === true && (!withData || areSoundBlocks(readAt(file, 0, end), 0, end));
  } finally {
    closeSync(file);
  }
}

function readAt(file: number, offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  readSync(file, bytes, 0, length, offset);
  return bytes;
}
