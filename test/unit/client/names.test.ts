import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as client from 'tocsin/client';
import { expect, test } from 'vitest';

test('the client is two names beside its types', () => {
  expect(Object.keys(client).sort()).toEqual(['ClientError', 'createClient']);
});

test('it imports nothing but itself, so that it runs in browsers as it is', () => {
  const directory = join(import.meta.dirname, '../../../src/client');
  for (const file of readdirSync(directory)) {
    const text = readFileSync(join(directory, file), 'utf8');
    for (const [line, , from] of text.matchAll(/^(?:import|export)( type)? [^;]*?from '([^']+)';$/gms)) {
      expect(from, file).toMatch(line.startsWith('import type') ? /^\.{1,2}\// : /^(\.\/|\.\.\/clock\.ts)/);
    }
    expect(text, file).not.toMatch(/\b(?:Buffer|process)\b\./);
  }
});
