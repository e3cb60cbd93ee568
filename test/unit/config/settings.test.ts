import { expect, test } from 'vitest';

import { closest } from '../../../src/config/closest.ts';
import { type Setting, settingKeys, settings } from '../../../src/config/settings.ts';

test.each(settingKeys)('%s has the same name as flag, variable and YAML key', (key) => {
  const setting: Setting = settings[key];
  const words = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  expect(setting.yaml).toBe(words);
  expect(setting.variable).toBe(`TOCSIN_${words.toUpperCase()}`);
  if (setting.flag !== undefined) expect(setting.flag).toBe(`--${words.replaceAll('_', '-')}`);
});

test.each(settingKeys)('the default of %s is a value that its schema takes', (key) => {
  const setting: Setting = settings[key];
  if (setting.default === undefined) return;
  expect(setting.schema.parse(setting.default)).toEqual(setting.default);
});

test('the closest word is near, or there is none', () => {
  expect(closest('serach', ['search', 'start'])).toBe('search');
  expect(closest('xyzzy', ['search', 'start'])).toBeUndefined();
});
