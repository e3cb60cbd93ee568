import { expect, test } from 'vitest';
import { runDay } from './mesh-day.ts';
import { runStorm } from './mesh-storm.ts';

const seeds = 300;
const parts = 3;

// The mesh alone, under drawn faults; a failure is replayed by `npm run sim -- --mesh --seed N`.
for (let part = 0; part < parts; part++) {
  const first = (part * seeds) / parts + 1;
  const last = ((part + 1) * seeds) / parts;
  test(`seeds ${first} to ${last}: views are equal once the faults end, events alternate, and nothing is left`, {
    timeout: 600_000,
  }, async () => {
    for (let seed = first; seed <= last; seed++) {
      const { problems } = await runStorm(seed);
      expect(problems, `npm run sim -- --mesh --seed ${seed}`).toEqual([]);
    }
  });
}

test('a storm that is run twice gives the same trace', async () => {
  const [first, again, other] = [await runStorm(7), await runStorm(7), await runStorm(8)];
  expect(again).toEqual(first);
  expect(other.trace).not.toBe(first.trace);
});

// The whole day of 300 nodes is `npm run sim -- --day`.
test('40 nodes over six hours, one in ten replaced every hour: views agree after each change, and nothing is left', {
  timeout: 600_000,
}, async () => {
  const { problems, hours } = await runDay({ seed: 1, nodes: 40, hours: 6, slowness: 8 });
  expect(problems).toEqual([]);
  // What waits is a few timers for each node, and what the network carries.
  for (const { timers } of hours) expect(timers).toBeLessThan(40 * 4);
});
