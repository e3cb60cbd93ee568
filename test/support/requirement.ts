import { spawnSync } from 'node:child_process';

/**
 * For tests that need what not every machine has: true when it is there. Else the tests are to be skipped, and a
 * printed line says why; in CI, where everything must be there, it throws.
 *
 * @param lack what is missing and how to get it; undefined when nothing is.
 */
export function requirementMet(lack: string | undefined): boolean {
  if (lack === undefined) return true;
  if (process.env['CI'] !== undefined) throw new Error(`${lack} (in CI this must not be skipped)`);
  console.log(`skipped: ${lack}`);
  return false;
}

/** Whether programs are installed, by their names. */
export function programsUsable(...names: readonly string[]): boolean {
  const missing = names.filter((name) => spawnSync('which', [name]).status !== 0);
  return requirementMet(missing.length > 0 ? `install ${missing.join(', ')}` : undefined);
}
