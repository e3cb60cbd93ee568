import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';

import { warninglistLimits } from '../../feed/allowlist/limits.ts';
import { parseWarninglist, type Warninglist } from '../../feed/allowlist/warninglist.ts';
import type { Parsed } from '../../parsed.ts';
import { refuse } from '../../parsed.ts';
import { CliError, exitCodes } from '../exit.ts';
import { unreadable } from '../submit/source.ts';

export type ListFile = {
  readonly path: string;
  /** As it is told: the path that was named, or the path below the directory that was named. */
  readonly shown: string;
  /** The name by which the list is known: the file's, or in MISP's repository, where all are `list.json`, the directory's. */
  readonly slug: string;
  /** In a directory there may be JSON that is no list; a file that was named must be one. */
  readonly isNamed: boolean;
};

/** The files of the paths that were named: files, and directories with what is below them. Throws a CliError. */
export async function findLists(paths: readonly string[]): Promise<readonly ListFile[]> {
  const files: ListFile[] = [];
  for (const path of paths) {
    try {
      if ((await stat(path)).isDirectory()) files.push(...(await listsBelow(path)));
      else files.push({ path, shown: path, slug: slugOf(path), isNamed: true });
    } catch (error) {
      throw unreadable(path, error);
    }
  }
  if (files.length > warninglistLimits.filesMax) {
    throw new CliError(
      exitCodes.usage,
      `There are ${files.length} files; allowed are ${warninglistLimits.filesMax}. Name a directory of warninglists.`,
    );
  }
  if (files.length === 0)
    throw new CliError(exitCodes.usage, `There are no .json files in ${paths.join(', ')}.`);
  return files;
}

/** Throws a CliError when the file cannot be read. */
export async function readList({ path }: ListFile): Promise<Parsed<Warninglist>> {
  try {
    const { size } = await stat(path);
    if (size > warninglistLimits.fileBytesMax) {
      return refuse('too-long', `${size} bytes; allowed are ${warninglistLimits.fileBytesMax}`);
    }
    return parseWarninglist(await readFile(path, 'utf8'));
  } catch (error) {
    throw unreadable(path, error);
  }
}

async function listsBelow(directory: string): Promise<readonly ListFile[]> {
  const found = await readdir(directory, { recursive: true, withFileTypes: true });
  return found
    .filter((file) => file.isFile() && file.name.endsWith('.json'))
    .map((file) => join(file.parentPath, file.name))
    .sort()
    .map((path) => ({ path, shown: relative(directory, path), slug: slugOf(path), isNamed: false }));
}

function slugOf(path: string): string {
  const name = basename(path, '.json');
  return name === 'list' ? basename(dirname(path)) || name : name;
}
