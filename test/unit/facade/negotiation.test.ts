import { expect, test } from 'vitest';
import { negotiate, negotiateCoding } from '../../../src/facade/negotiation.ts';

test.each([
  [undefined, 'json'],
  ['', 'json'],
  ['*/*', 'json'],
  ['text/csv', 'csv'],
  ['TEXT/CSV; charset=utf-8', 'csv'],
  ['text/*', 'csv'],
  ['application/ndjson', 'ndjson'],
  ['text/csv;q=0.5, application/x-ndjson', 'ndjson'],
  ['text/csv, application/json', 'csv'],
  ['text/csv;q=0.1, */*;q=0.5', 'json'],
  ['application/json;q=0, */*', 'csv'],
  ['text/html, application/xhtml+xml, */*;q=0.8', 'json'],
  ['text/csv;q=0.001', 'csv'],
])('Accept %j is answered as %s', (accept, format) => {
  expect(negotiate(accept)).toBe(format);
});

test.each(['image/png', 'application/json;q=0', '*/*;q=0', 'text/csv;q=2', 'nonsense'])(
  'Accept %j is 406, with what is allowed',
  (accept) => {
    expect(() => negotiate(accept)).toThrow(/application\/json, text\/csv/);
  },
);

test.each([
  [undefined, 'identity'],
  ['', 'identity'],
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['gzip, zstd', 'zstd'],
  ['zstd;q=0.5, gzip', 'gzip'],
  ['gzip;q=0', 'identity'],
  ['*', 'zstd'],
  ['*;q=0.5, zstd;q=0', 'gzip'],
  ['br', 'identity'],
  ['identity;q=1, gzip;q=0.5', 'identity'],
  ['gzip;q=0.5', 'gzip'],
  ['identity;q=0, gzip', 'gzip'],
])('Accept-Encoding %j is answered in %s', (accept, coding) => {
  expect(negotiateCoding(accept, ['zstd', 'gzip'])).toBe(coding);
});

test.each(['identity;q=0', '*;q=0', 'br, identity;q=0'])('Accept-Encoding %j is 406', (accept) => {
  expect(() => negotiateCoding(accept, ['gzip'])).toThrow(/gzip, identity/);
});
