import { mkdir } from 'node:fs/promises';
import { Level as DiskLevel } from 'level';
import { StoreError } from './errors.ts';
import type { Level } from './level-store.ts';

/** Opens the LevelDB of a directory, which it locks. Rejects with a StoreError that says what to do. */
export async function openDisk(directory: string): Promise<Level> {
  const level = new DiskLevel<string, string>(directory);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await level.open();
    return level;
  } catch (cause) {
    throw diskError(directory, cause);
  }
}

function diskError(directory: string, cause: unknown): StoreError {
  const codes = codesOf(cause);
  const text =
    cause instanceof Error ? `${cause.message} ${(cause.cause as Error | undefined)?.message ?? ''}` : '';
  if (codes.includes('LEVEL_LOCKED')) {
    return new StoreError('LOCKED', `${directory} is in use by another node: name another --data-dir`, {
      cause,
    });
  }
  if (codes.includes('LEVEL_CORRUPTION') || /corrupt/i.test(text)) {
    return new StoreError(
      'CORRUPT',
      `${directory} is damaged: move it away and start again; the node fetches everything anew from its peers`,
      { cause },
    );
  }
  if (
    codes.some((code) => code === 'EACCES' || code === 'EROFS' || code === 'EPERM') ||
    /permission|read-only/i.test(text)
  ) {
    return new StoreError('READ_ONLY', `${directory} cannot be written: check its owner and mode`, { cause });
  }
  if (codes.includes('ENOSPC') || /no space/i.test(text)) {
    return new StoreError('NO_SPACE', `the disk of ${directory} is full: free some space`, { cause });
  }
  return new StoreError('FAILED', `${directory} cannot be opened: ${text.trim()}`, { cause });
}

/** The codes of an error and of what caused it. */
function codesOf(error: unknown): readonly string[] {
  if (!(error instanceof Error)) return [];
  const { code } = error as NodeJS.ErrnoException;
  return [...(code === undefined ? [] : [code]), ...codesOf(error.cause)];
}
