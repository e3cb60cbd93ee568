import { expect, test } from 'vitest';
import type { AckWish } from '../../../src/event/ack.ts';
import { createAckWaiters } from '../../../src/replicate/ack-waiters.ts';
import { answerLate, answerWish, othersWanted } from '../../../src/replicate/acks.ts';
import { manualClock } from '../../support/rooms.ts';

const range = { from: 3, to: 5 };
const view = (peers: number, held: number, settled = true, cutOff = false) => ({
  peers,
  settled,
  cutOff,
  holders: () => held,
});

test.each<[AckWish, number, number]>([
  ['local', 5, 0],
  [1, 0, 0],
  [1, 5, 1],
  [2, 1, 2],
  ['majority', 0, 0],
  ['majority', 1, 1],
  ['majority', 2, 1],
  ['majority', 3, 2],
  ['majority', 4, 2],
  ['all', 4, 4],
])('%s in a mesh with %i peers means %i other nodes', (wish, peers, others) => {
  expect(othersWanted(wish, { peers, cutOff: false })).toBe(others);
});

test('a wish is answered once it is met, with what was reached', () => {
  expect(answerWish(range, 'local', view(3, 0))).toEqual({ wanted: 'local', reached: 'local' });
  expect(answerWish(range, 1, view(3, 0))).toBeUndefined();
  expect(answerWish(range, 1, view(3, 2))).toEqual({ wanted: 1, reached: 2 });
  expect(answerWish(range, 'majority', view(3, 1))).toBeUndefined();
});

test('a node alone answers at once, but not before it knows that it is alone', () => {
  expect(answerWish(range, 1, view(0, 0))).toEqual({ wanted: 1, reached: 'local' });
  expect(answerWish(range, 1, view(0, 0, false))).toBeUndefined();
});

test('a node whose last peer went without a goodbye does not pass for one that is alone', () => {
  for (const wish of [1, 'majority', 'all'] as const)
    expect(answerWish(range, wish, view(0, 0, true, true))).toBeUndefined();
  expect(answerWish(range, 'local', view(0, 0, true, true))).toEqual({ wanted: 'local', reached: 'local' });
  expect(answerLate(range, 1, view(0, 0, true, true), 'after 5 ms')).toEqual({
    wanted: 1,
    reached: 'local',
    reason: 'the other nodes have gone without a goodbye and none is in reach; it is stored here',
  });
});

test('a wish that is not met says what was reached, and why', () => {
  expect(answerLate(range, 2, view(1, 1), 'after 5 ms')).toEqual({
    wanted: 2,
    reached: 1,
    reason: '2 other nodes asked for, and the mesh has 1',
  });
  expect(answerLate(range, 1, view(2, 0), 'after 5 ms')).toEqual({
    wanted: 1,
    reached: 'local',
    reason: '0 of 1 other node had it after 5 ms; it is stored here',
  });
});

test('waiters are answered by a check, by the time, or by the end, and leave no timer', async () => {
  const clock = manualClock();
  let held = 0;
  const waiters = createAckWaiters({ ...view(2, 0), holders: () => held }, clock);
  const late = waiters.wait(range, 2, 100);
  const met = waiters.wait(range, 1, 200);
  const ended = waiters.wait(range, 'all', 300);
  held = 1;
  waiters.check();
  expect(await met).toEqual({ wanted: 1, reached: 1 });
  clock.advance(100);
  expect(await late).toMatchObject({
    wanted: 2,
    reached: 1,
    reason: expect.stringContaining('after 100 ms'),
  });
  waiters.stop();
  expect(await ended).toMatchObject({ reached: 1, reason: expect.stringContaining('when the node stopped') });
  expect(await waiters.wait(range, 2, 100)).toMatchObject({ reached: 1, reason: expect.any(String) });
  expect(clock.timers).toBe(0);
});
