import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createCeilings, createFloors } from '../../../src/stream/log-times.ts';

const stepMs = 10_000;
const changes = fc.array(fc.nat(1_000_000), { maxLength: 200 });

test('a floor is never later than what comes behind, and at most a step earlier', () => {
  fc.assert(
    fc.property(changes, fc.nat(220), (times, position) => {
      const floors = createFloors();
      for (const [i, ms] of times.entries()) floors.add(i + 1, ms);
      const behind = Math.min(...times.slice(position));
      const floor = floors.behind(position);
      if (behind === Number.POSITIVE_INFINITY) return floor === behind;
      return floor <= behind && floor > behind - stepMs;
    }),
  );
});

test('what was made since a time lies behind the position that is given for it', () => {
  fc.assert(
    fc.property(changes, fc.nat(1_100_000), (times, sinceMs) => {
      const ceilings = createCeilings();
      for (const [i, ms] of times.entries()) ceilings.add(i + 1, ms);
      const first = times.findIndex((ms) => ms >= sinceMs);
      const before = ceilings.before(sinceMs);
      return first === -1 || (before !== undefined && before <= first);
    }),
  );
});

test('of a log without end what is kept is bounded, and stays right', () => {
  const floors = createFloors();
  const ceilings = createCeilings();
  const count = 100_000;
  for (let i = 1; i <= count; i++) {
    floors.add(i, i * stepMs);
    ceilings.add(i, i * stepMs);
  }
  for (const position of [0, 1, 17, 50_000, count - 1]) {
    const floor = floors.behind(position);
    expect(floor).toBeLessThanOrEqual((position + 1) * stepMs);
    expect(floor).toBeGreaterThanOrEqual((position - 300) * stepMs);
    const before = ceilings.before((position + 1) * stepMs) ?? 0;
    expect(before).toBeLessThanOrEqual(position);
    expect(before).toBeGreaterThanOrEqual(position - 300);
  }
  expect(floors.behind(count)).toBe(Number.POSITIVE_INFINITY);
});
