import { expect, test } from 'vitest';
import { createLastModified, isNotModified } from '../../../src/facade/conditional.ts';

const nowMs = Date.UTC(2026, 5, 1);
const request = (headers: Record<string, string>) => new Request('http://node.test/', { headers });

test.each([
  ['"a"', true],
  ['W/"a"', true],
  ['"b", "a"', true],
  ['*', true],
  ['"b"', false],
  ['a', false],
])('If-None-Match %s of the tag a', (header, expected) => {
  expect(isNotModified(request({ 'if-none-match': header }), { etag: 'a' })).toBe(expected);
});

test('If-Modified-Since counts only where there is no If-None-Match', () => {
  const since = { 'if-modified-since': new Date(nowMs).toUTCString() };
  expect(isNotModified(request(since), { etag: 'a', modifiedMs: nowMs })).toBe(true);
  expect(isNotModified(request(since), { etag: 'a', modifiedMs: nowMs + 1_000 })).toBe(false);
  expect(isNotModified(request(since), { etag: 'a' })).toBe(false);
  expect(isNotModified(request({ 'if-modified-since': 'soon' }), { etag: 'a', modifiedMs: nowMs })).toBe(
    false,
  );
  const both = { ...since, 'if-none-match': '"b"' };
  expect(isNotModified(request(both), { etag: 'a', modifiedMs: nowMs })).toBe(false);
});

test('the last change is the moment from which the content is as it is, in whole seconds', () => {
  const lastModified = createLastModified(10);
  expect(lastModified('feed', 'one', nowMs + 300)).toBe(nowMs);
  expect(lastModified('feed', 'one', nowMs + 5_000)).toBe(nowMs);
  expect(lastModified('feed', 'two', nowMs + 5_000)).toBe(nowMs + 5_000);
});

test('two changes within a second are never taken for one', () => {
  const lastModified = createLastModified(10);
  expect(lastModified('feed', 'one', nowMs + 100)).toBe(nowMs);
  // A time in the future is not told, and until then no If-Modified-Since is answered 304.
  expect(lastModified('feed', 'two', nowMs + 200)).toBeUndefined();
  expect(lastModified('feed', 'two', nowMs + 1_000)).toBe(nowMs + 1_000);
});

test('only so many are remembered', () => {
  const lastModified = createLastModified(2);
  for (const name of ['a', 'b', 'c']) lastModified(name, 'one', nowMs);
  expect(lastModified('a', 'one', nowMs + 9_000)).toBe(nowMs + 9_000);
  expect(lastModified('c', 'one', nowMs + 9_000)).toBe(nowMs);
});
