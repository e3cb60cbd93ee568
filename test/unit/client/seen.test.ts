import { expect, test } from 'vitest';

import { createSeen } from '../../../src/client/seen.ts';

const origin = 'ab'.repeat(16);
const minuteMs = 60_000;

function seenOf(limits?: Parameters<typeof createSeen>[0]) {
  const see = createSeen(limits);
  return (id: string, parts: { timeMs?: number; source?: string; record?: string } = {}) =>
    see({ id, timeMs: 0, source: 'a', record: undefined, ...parts });
}

test('an event is new once, whatever its id looks like', () => {
  const see = seenOf();
  const ids = [
    ...Array.from({ length: 100 }, (_, i) => `${origin}-${i + 1}`),
    `${'cd'.repeat(16)}-1`,
    `${origin}-${Number.MAX_SAFE_INTEGER}`,
    `expire-${origin}-1767323045000`,
    `${origin}-01`,
    'x',
    '',
  ];
  for (const id of ids) expect(see(id), id).toBe('new');
  for (const id of ids) expect(see(id), id).toBe('seen');
});

test('it is known for an hour at least, in time of events', () => {
  const see = seenOf();
  expect(see(`${origin}-1`, { timeMs: 0 })).toBe('new');
  for (let n = 2; n <= 60; n++) see(`${origin}-${n}`, { timeMs: n * minuteMs });
  expect(see(`${origin}-1`, { timeMs: 0 })).toBe('seen');
  // After a silence, what came before it is still known.
  expect(see(`${origin}-999`, { timeMs: 6_000 * minuteMs })).toBe('new');
  expect(see(`${origin}-60`, { timeMs: 60 * minuteMs })).toBe('seen');
});

test('it is bounded: what is older than twice the bound is forgotten', () => {
  const see = seenOf({ seenForMs: Number.POSITIVE_INFINITY, seenEntriesMax: 10 });
  const id = (n: number) => `${origin}-${n * 32}`;
  for (let n = 1; n <= 25; n++) expect(see(id(n))).toBe('new');
  expect(see(id(25))).toBe('seen');
  expect(see(id(1))).toBe('new');
});

test('events one after the other cost one entry for 32 of them', () => {
  const see = seenOf({ seenForMs: Number.POSITIVE_INFINITY, seenEntriesMax: 10 });
  for (let n = 1; n < 320; n++) see(`${origin}-${n}`);
  expect(see(`${origin}-1`)).toBe('seen');
});

test('an event that was seen is needed again when its record came since the move, and only then', () => {
  const see = seenOf();
  see('1', { record: 'r' });
  see('2', { record: 's' });
  expect(see('1', { record: 'r' })).toBe('seen');
  expect(see('2', { source: 'b', record: 's' })).toBe('seen');
  expect(see('3', { source: 'b', record: 'r' })).toBe('new');
  expect(see('1', { source: 'b', record: 'r' })).toBe('needed-again');
  // A search is about no record.
  expect(see('4', { source: 'b' })).toBe('new');
  expect(see('4', { source: 'b' })).toBe('seen');
  // Another move begins anew.
  expect(see('1', { source: 'a', record: 'r' })).toBe('seen');
});
