import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fits, hashPrefixOf, parentOf, parsePattern } from '../../../src/query/pattern.ts';

test('a name fits as a regular expression says, in which a star is any characters', () => {
  const text = (letters: string) =>
    fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(text('ab.*'), text('ab.'), (pattern, name) => {
      const expression = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`);
      expect(fits({ pattern }, name)).toBe(expression.test(name));
    }),
    { numRuns: 2_000 },
  );
});

test('a pattern of many stars takes no longer than its pieces times the name', () => {
  const pattern = `${'*a'.repeat(127)}*b`;
  const name = `${'a'.repeat(60)}.`.repeat(4);
  const start = process.cpuUsage();
  for (let i = 0; i < 1_000; i++) expect(fits({ pattern }, name)).toBe(false);
  expect(process.cpuUsage(start).user).toBeLessThan(1_000_000);
});

test.each([
  ['*.example.com', 'example.com'],
  ['*example.com', 'com'],
  ['www*.example.com', 'example.com'],
  ['*.com', 'com'],
  ['example.*', undefined],
  ['*login*', undefined],
  ['*login', undefined],
])('names that fit %s lie below %s', (pattern, parent) => {
  expect(parentOf({ pattern })).toBe(parent);
});

test.each([
  ['d41d8cd9*', 'd41d8cd9'],
  ['d41d8cd*', undefined],
  ['d41d8cd9*0', undefined],
  ['login123*', undefined],
])('the hashes that %s stands for begin with %s', (pattern, digits) => {
  expect(hashPrefixOf({ pattern })).toBe(digits);
});

test.each([
  [' *.EXAMPLE[.]com. ', '*.example.com'],
  ['_dmarc.*', '_dmarc.*'],
  ['xn--*', 'xn--*'],
])('%s reads as %s', (text, pattern) => {
  expect(parsePattern(text)).toEqual({ ok: true, value: { pattern } });
});

test.each(['*', '*.*', '192.0.2.*', '*..com', 'http://*', 'm\u00fcller*', 'a*b c', `${'a'.repeat(256)}*`])(
  '%s is no pattern',
  (text) => {
    expect(parsePattern(text)).toMatchObject({ ok: false, code: 'bad-pattern' });
  },
);
