import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const docs = join(import.meta.dirname, '../../../docs');
const page = readFileSync(join(docs, 'mesh.md'), 'utf8');

test('every test, example and page that docs/mesh.md names is there', () => {
  const tests = [...page.matchAll(/`(test\/[^`]+)`/g)].map(([, path]) => join('..', path ?? ''));
  const links = [...page.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path]) => path ?? '');
  expect(tests.length).toBeGreaterThan(10);
  expect(links.length).toBeGreaterThan(5);
  for (const path of [...tests, ...links]) expect(existsSync(join(docs, path)), path).toBe(true);
});
