import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../../..');

test('the mirror on the page of the client is the example that is run', () => {
  const page = readFileSync(join(root, 'docs/client.md'), 'utf8');
  const shown = /```js mirror\n([\s\S]*?)```/.exec(page)?.[1];
  expect(shown).toBe(readFileSync(join(root, 'examples/mirror.mjs'), 'utf8'));
});
