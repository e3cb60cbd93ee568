import { expect, test } from 'vitest';
import { createAgenda } from '../../../mesh/peer/agenda.ts';

test('whoever is to be looked at is due then, once, and not before', () => {
  const agenda = createAgenda<string>(1_000);
  agenda.look('a', 2_500);
  expect(agenda.due(2_000)).toEqual([]);
  expect(agenda.due(3_000)).toEqual(['a']);
  expect(agenda.due(4_000)).toEqual([]);
});

test('the earlier of two looks counts', () => {
  const agenda = createAgenda<string>(1_000);
  agenda.look('a', 5_000);
  agenda.look('a', 2_000);
  agenda.look('a', 9_000);
  expect(agenda.due(2_000)).toEqual(['a']);
  expect(agenda.due(10_000)).toEqual([]);
});

test('a time that is past is the next one that is asked for; a late call misses nobody', () => {
  const agenda = createAgenda<string>(1_000);
  expect(agenda.due(7_000)).toEqual([]);
  agenda.look('a', 0);
  agenda.look('b', 9_000);
  expect(agenda.due(60_000)).toEqual(['a', 'b']);
});

test('who is forgotten is never due', () => {
  const agenda = createAgenda<string>(1_000);
  agenda.look('a', 1_000);
  agenda.forget('a');
  expect(agenda.due(5_000)).toEqual([]);
});
