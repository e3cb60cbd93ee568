import { describe, expect, test } from 'vitest';
import { createHeard, providerOf } from '../../../src/doors/heard.ts';
import { createTally } from '../../../src/doors/tally.ts';
import { openRooms } from '../../support/rooms.ts';

const stranger = { id: 'CC'.repeat(16), name: 'sensor' };
const bytes = (text: string): readonly Uint8Array[] => [Buffer.from(text)];

async function open(place: number) {
  const rooms = await openRooms();
  const warnings: Record<string, unknown>[] = [];
  const tally = createTally(rooms.clock, (_, details) => warnings.push(details), 'refused');
  const { intake, store, clock } = rooms;
  const heard = createHeard({ intake, store, clock, tally, placeOf: () => place });
  return {
    rooms,
    heard,
    warnings,
    counts: () => Object.fromEntries(tally.counters()),
    [Symbol.asyncDispose]: () => rooms[Symbol.asyncDispose](),
  };
}

describe('what a foreign peer shouts', () => {
  test('is taken by the owner, as the word of that peer, for everyone', async () => {
    await using node = await open(0);
    node.heard.shout(
      stranger,
      bytes('[{"indicator":"192.0.2.1","provider":"cert","group":"team","tlp":"red"},"example.com"]'),
    );
    await node.heard.stop();
    const [record] = await node.rooms.store.byValue('ipv4', '192.0.2.1');
    expect(record).toMatchObject({ provider: 'sensor', group: 'everyone', tlp: 'red', count: 1 });
    expect(await node.rooms.store.byValue('fqdn', 'example.com')).toHaveLength(1);
    expect(node.counts()).toEqual({ heard: 1, rows: 2, accepted: 2 });
  });

  test('is taken by the next in line when the owner has not stored it by then, and only what it has not', async () => {
    await using node = await open(2);
    node.heard.shout(stranger, bytes('["one.example.com","two.example.com"]'));
    // The owner stored the first of them, which has come by replication.
    await node.rooms.intake.submit([{ row: 1, value: 'one.example.com' }], {
      provider: 'sensor',
      group: 'everyone',
      tlp: 'amber',
      confidence: 5,
      tags: [],
    });
    node.rooms.clock.advance(5_999);
    expect(node.rooms.store.count()).toBe(1);
    node.rooms.clock.advance(1);
    await node.heard.stop();
    expect(node.counts()).toMatchObject({ heard: 1, 'taken-over': 1, accepted: 1 });
    expect(await node.rooms.store.byValue('fqdn', 'one.example.com')).toMatchObject([{ count: 1 }]);
    expect(await node.rooms.store.byValue('fqdn', 'two.example.com')).toMatchObject([{ count: 1 }]);
    expect(node.rooms.clock.timers).toBe(0);
  });

  test('is watched for in bounds, and forgotten when the node stops', async () => {
    await using node = await open(1);
    for (let i = 0; i < 1_500; i++) node.heard.shout(stranger, bytes(`"h${i}.example.com"`));
    expect(node.counts()).toEqual({ heard: 1_500, unwatched: 500 });
    await node.heard.stop();
    expect(node.rooms.clock.timers).toBe(0);
    expect(node.rooms.store.count()).toBe(0);
  });

  test('is refused with a reason when it is no JSON, of several frames, or too much', async () => {
    await using node = await open(0);
    node.heard.shout(stranger, bytes('no JSON'));
    node.heard.shout(stranger, [...bytes('"a.example.com"'), ...bytes('"b.example.com"')]);
    node.heard.shout(stranger, []);
    node.heard.whisper(stranger, bytes('{"indicator":"nothing that is one","more":1}'));
    const many = JSON.stringify(Array.from({ length: 20_001 }, (_, i) => `h${i}.example.com`));
    node.heard.whisper(stranger, bytes(many));
    await node.heard.stop();
    expect(node.counts()).toMatchObject({ 'bad-json': 1, 'many-frames': 2, busy: 20_001, rows: 1 });
    expect(node.rooms.store.count()).toBe(0);
  });
});

test.each([
  ['honeypot-7', 'honeypot-7'],
  ['honey pot/7', 'honey-pot-7'],
  ['  ', 'zyre-cccccccc'],
  ['日本', 'zyre-cccccccc'],
  ['a'.repeat(255), 'a'.repeat(64)],
])('a peer called %j is the provider %s', (name, provider) => {
  expect(providerOf({ ...stranger, name })).toBe(provider);
});
