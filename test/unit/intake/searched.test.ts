import { expect, test } from 'vitest';
import type { Search } from '../../../src/event/document.ts';
import { createSearched } from '../../../src/intake/searched.ts';
import { manualClock } from '../../support/rooms.ts';

function open(say?: () => Promise<never>) {
  const clock = manualClock();
  const heard: Search[] = [];
  const searched = createSearched({
    clock,
    intake: {
      async say(sayings) {
        await say?.();
        for (const saying of sayings) if (saying.kind === 'search') heard.push(saying.body);
        return { ack: { wanted: 'local', reached: 'local' } };
      },
    },
  });
  const counts = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return Object.fromEntries(searched.counters());
  };
  return { clock, searched, heard, counts };
}

const asked = (q: string, by = 'alice'): Search => ({ q, by });
const many = (number: number, name: string) =>
  Array.from({ length: number }, (_, i) => asked(`${name}${i}.example.com`));

test('the same question of the same person is said once a minute', async () => {
  const { clock, searched, heard, counts } = open();
  searched.said([asked('a.test'), asked('a.test'), asked('b.test'), asked('a.test', 'bob')]);
  clock.advance(59_999);
  searched.said([asked('a.test')]);
  expect(await counts()).toEqual({ said: 3, repeated: 2 });
  clock.advance(1);
  searched.said([asked('a.test')]);
  expect(await counts()).toEqual({ said: 4, repeated: 2 });
  expect(heard.map(({ q, by }) => `${by} ${q}`)).toEqual([
    'alice a.test',
    'alice b.test',
    'bob a.test',
    'alice a.test',
  ]);
});

test('what a program asks without end is dropped beyond a burst and fifty a second', async () => {
  const { clock, searched, counts } = open();
  searched.said(many(2_500, 'a'));
  expect(await counts()).toEqual({ said: 2_000, dropped: 500 });
  clock.advance(1_000);
  searched.said(many(60, 'b'));
  expect(await counts()).toEqual({ said: 2_050, dropped: 510 });
});

test('a node that takes nothing drops them, and nobody is told', async () => {
  const { searched, counts } = open(() => Promise.reject(new Error('stopping')));
  searched.said([asked('a.test')]);
  expect(await counts()).toEqual({ dropped: 1 });
});

test('what is remembered of questions is bounded', async () => {
  const { clock, searched, counts } = open();
  for (let i = 0; i < 25; i++) {
    searched.said(many(1_000, `n${i}-`));
    clock.advance(1);
  }
  const { repeated = 0 } = await counts();
  expect(repeated).toBe(0);
  // The newest 20,000 are remembered, the oldest are not.
  searched.said([asked('n24-0.example.com'), asked('n0-0.example.com')]);
  expect((await counts())['repeated']).toBe(1);
});
