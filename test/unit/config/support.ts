import { type ConfigSources, readSettings } from '../../../src/config/read.ts';
import { type Validated, validateSettings } from '../../../src/config/validate.ts';

/** Reads and validates settings that a test states; nothing of this process's environment comes in. */
export async function configure(sources: Partial<ConfigSources>): Promise<Validated> {
  return validateSettings(await readSettings({ flags: {}, env: {}, ...sources }));
}

export async function problemsOf(sources: Partial<ConfigSources>): Promise<readonly string[]> {
  const validated = await configure(sources);
  return validated.ok ? [] : validated.problems;
}
