import { rename, writeFile } from 'node:fs/promises';

/**
 * Writes a file of this node alone (mode 0600) whole or not at all, as the disk may be full or the power go off: what was there
 * before is better than half of the new. Rejects with an Error that says what to do.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const unfinished = `${path}.new`;
  try {
    await writeFile(unfinished, text, { mode: 0o600, flush: true });
    await rename(unfinished, path);
  } catch (cause) {
    throw new Error(
      `${path} cannot be written (${(cause as Error).message}): check that its disk has space and can be written, then start the node again`,
      { cause },
    );
  }
}
