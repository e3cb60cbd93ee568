import { expect, test } from 'vitest';
import { readAsked } from '../../../src/query/asked.ts';

const written = (text: string, stated?: 'asn' | 'url') => {
  const asked = readAsked(text, stated);
  if (!asked.ok) return asked.code;
  return asked.value.map((one) => ('pattern' in one ? one.pattern : `${one.itype} ${one.indicator}`));
};

test.each<[string, readonly string[]]>([
  ['example[.]com', ['fqdn example.com']],
  ['example.com,192.0.2.1', ['fqdn example.com', 'ipv4 192.0.2.1']],
  [' example.com , ,192.0.2.1,', ['fqdn example.com', 'ipv4 192.0.2.1']],
  ['example.com,EXAMPLE.com', ['fqdn example.com']],
  ['*.example.com,example.org', ['*.example.com', 'fqdn example.org']],
  // A comma in a URL is none between values, unless it can be both.
  ['http://example.com/a,b', ['url http://example.com/a,b']],
  ['http://example.com/a,b,c=1', ['url http://example.com/a,b,c=1']],
  [
    'http://example.com/a,b.test',
    ['url http://example.com/a,b.test', 'url http://example.com/a', 'fqdn b.test'],
  ],
  // A star that can stand in a URL or a mailbox is no pattern.
  ['http://example.com/*', ['url http://example.com/*']],
  ['*@example.com', ['email *@example.com']],
])('%s is read', (text, expected) => {
  expect(written(text)).toEqual(expected);
});

test('what is stated decides where the text does not', () => {
  expect(written('64500')).toBe('unrecognised');
  expect(written('64500', 'asn')).toEqual(['asn AS64500']);
  expect(written('64500,64501', 'asn')).toEqual(['asn AS64500', 'asn AS64501']);
  // It is a filter where the text does.
  expect(written('example.com', 'url')).toEqual(['fqdn example.com']);
});

test('a hundred values are read, and one more is not; a URL has as many commas as it likes', () => {
  const values = (count: number) => Array.from({ length: count }, (_, i) => `h${i}.test.com`).join(',');
  expect(written(values(100))).toHaveLength(100);
  expect(written(values(101))).toBe('too-many-values');
  expect(written(`http://example.com/${',x'.repeat(200)}`)).toHaveLength(1);
  // But a hundred and one URLs are not one.
  expect(written(Array(101).fill('http://example.com/').join(','))).toBe('too-many-values');
});

test.each([
  ['', 'empty'],
  [',', 'unrecognised'],
  ['example.com,nothing', 'unrecognised'],
  ['192.0.2.1/24', 'host-bits'],
])('%j is refused', (text, code) => {
  expect(written(text)).toBe(code);
});
