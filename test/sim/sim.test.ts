import { expect, test } from 'vitest';
import { runSeed } from './world.ts';

const seeds = 1_000;
const parts = 4;

// Whole fleets under drawn faults; a failure is replayed by `npm run sim -- --seed N`.
for (let part = 0; part < parts; part++) {
  const first = (part * seeds) / parts + 1;
  const last = ((part + 1) * seeds) / parts;
  test(`seeds ${first} to ${last}: five nodes agree once the faults end, and apply each event once`, {
    timeout: 600_000,
  }, async () => {
    for (let seed = first; seed <= last; seed++) {
      const { problems } = await runSeed(seed);
      expect(problems, `npm run sim -- --seed ${seed}`).toEqual([]);
    }
  });
}

test('a seed that is run twice gives the same trace, another seed another one', async () => {
  const [first, again, other] = [await runSeed(7), await runSeed(7), await runSeed(8)];
  expect(again).toEqual(first);
  expect(other.trace).not.toBe(first.trace);
});
