import { expect, test } from 'vitest';
import { createShouts } from '../../../src/doors/shouts.ts';
import { manualClock } from '../../support/rooms.ts';

const text = (content: Uint8Array): string => Buffer.from(content).toString();

/** Peers whose outboxes a test fills and empties. */
function openShouts() {
  const clock = manualClock();
  const heard = new Map<string, string[]>();
  const outboxes = new Map<string, number>();
  const counts: Record<string, number> = {};
  const shouts = createShouts<string>({
    shoutTo(peer, content) {
      const outbox = outboxes.get(peer) ?? 0;
      outboxes.set(peer, outbox + 1);
      if (!heard.has(peer)) heard.set(peer, []);
      heard.get(peer)?.push(text(content));
      return true;
    },
    queuedMessages: (peer) => outboxes.get(peer) ?? 0,
    clock,
    count: (what, number) => {
      counts[what] = (counts[what] ?? 0) + number;
    },
  });
  const tell = (...texts: readonly string[]): void => {
    for (const each of texts) shouts.tell(() => Buffer.from(each));
  };
  return { clock, heard, outboxes, counts, shouts, tell };
}

async function turns(number = 50): Promise<void> {
  for (let i = 0; i < number; i++) await new Promise((resolve) => setImmediate(resolve));
}

test('a peer hears what is told once it is there, in order and once; without peers nothing is made', async () => {
  const { shouts, tell, heard, counts } = openShouts();
  shouts.tell(() => {
    throw new Error('nobody is there');
  });
  shouts.joined('a');
  tell('1', '2');
  shouts.joined('b');
  tell('3');
  await turns();
  shouts.left('a');
  tell('4');
  await turns();
  expect(heard.get('a')).toEqual(['1', '2', '3']);
  expect(heard.get('b')).toEqual(['3', '4']);
  expect(counts).toEqual({ shouted: 5 });
});

test('a peer with a full outbox waits, costs the others nothing, and misses only what is too far behind', async () => {
  const { shouts, tell, heard, outboxes, counts, clock } = openShouts();
  outboxes.set('slow', 10_000);
  shouts.joined('slow');
  shouts.joined('quick');
  const all = Array.from({ length: 30_000 }, (_, i) => String(i));
  for (let i = 0; i < all.length; i += 500) {
    tell(...all.slice(i, i + 500));
    outboxes.set('quick', 0);
    await turns(4);
  }
  expect(heard.get('quick')).toEqual(all);
  expect(heard.get('slow')).toBeUndefined();
  for (let i = 0; i < 300; i++) {
    outboxes.set('slow', 0);
    clock.advance(20);
    await turns(2);
  }
  const got = heard.get('slow') ?? [];
  expect(got).toEqual(all.slice(all.length - got.length));
  expect(got.length).toBeGreaterThanOrEqual(20_000);
  expect(counts['missed']).toBe(all.length - got.length);
  shouts.stop();
});
