import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { settingsPage } from '../../support/settings-page.ts';

test('docs/settings.md is what the table of settings says; `npm run docs:settings` renews it', () => {
  expect(readFileSync(new URL('../../../docs/settings.md', import.meta.url), 'utf8')).toBe(settingsPage());
});
