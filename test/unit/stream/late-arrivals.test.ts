import { expect, test } from 'vitest';
import { createLateArrivals } from '../../../src/stream/late-arrivals.ts';

test('what comes together is one stretch, and is told to who was here before its last came', () => {
  const late = createLateArrivals();
  late.add({ from: 1, to: 5, arrivedMs: 0 });
  late.add({ from: 8, to: 9, arrivedMs: 10_000 });
  late.add({ from: 20, to: 20, arrivedMs: 50_000 });
  expect(late.since(10_001)).toEqual([{ from: 20, to: 20, arrivedMs: 50_000 }]);
  expect(late.since(10_000)).toEqual([
    { from: 1, to: 9, arrivedMs: 10_000 },
    { from: 20, to: 20, arrivedMs: 50_000 },
  ]);
});

test('without end they are bounded, and none is forgotten', () => {
  const late = createLateArrivals();
  for (let i = 0; i < 5_000; i++) late.add({ from: 10 * i, to: 10 * i + 1, arrivedMs: i * 20_000 });
  const all = late.since(0);
  expect(all.length).toBeLessThanOrEqual(1_000);
  for (let i = 0; i < 5_000; i += 37) {
    const told = late.since(i * 20_000);
    expect(told.some(({ from, to }) => from <= 10 * i && 10 * i + 1 <= to)).toBe(true);
  }
});
