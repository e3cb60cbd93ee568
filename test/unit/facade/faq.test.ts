import { expect, test } from 'vitest';
import { bearer, openRooms } from '../../support/rooms.ts';

type Rooms = Awaited<ReturnType<typeof openRooms>>;

async function get(rooms: Rooms, path: string) {
  const response = await rooms.app.request(path, { headers: bearer('read') });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function filled() {
  const rooms = await openRooms();
  await rooms.submit(
    { indicator: 'example.com', provider: 'a', confidence: 8.5, tags: 'malware,phishing' },
    { indicator: 'example.com', provider: 'b', confidence: 8, tags: 'malware' },
    { indicator: '192.0.2.1', provider: 'b', tags: 'scanner' },
  );
  return rooms;
}

test('tags and providers come with their records, the most frequent first', async () => {
  await using rooms = await filled();
  expect((await get(rooms, '/tags')).body).toEqual({
    meta: { total: 3 },
    data: [
      { name: 'malware', records: 2 },
      { name: 'phishing', records: 1 },
      { name: 'scanner', records: 1 },
    ],
  });
  expect((await get(rooms, '/providers?limit=1')).body).toEqual({
    meta: { total: 2 },
    data: [{ name: 'b', records: 2 }],
  });
  expect((await get(rooms, '/tags?limit=0')).status).toBe(400);
  expect((await get(rooms, '/tags?itype=fqdn')).status).toBe(400);
});

test('itypes and confidence explain themselves', async () => {
  await using rooms = await filled();
  const kinds = (await get(rooms, '/itypes')).body['data'] as Record<string, unknown>[];
  expect(kinds.find(({ name }) => name === 'fqdn')).toEqual({
    name: 'fqdn',
    records: 2,
    feed_days: 45,
    confidence_holds_days: 15,
    confidence_half_life_days: 180,
    expires_after_days: 365,
  });
  const steps = (await get(rooms, '/confidence')).body['data'] as Record<string, unknown>[];
  expect(steps.map(({ value }) => value)).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
  expect(steps[2]).toMatchObject({ meaning: expect.stringMatching(/safe to block/), records: 2 });
});

test('stats are of what holds: what is retracted counts no more', async () => {
  await using rooms = await filled();
  const found = await rooms.store.byValue('ipv4', '192.0.2.1');
  const [
    { itype, indicator, provider, group } = {
      itype: 'ipv4' as const,
      indicator: '',
      provider: '',
      group: '',
    },
  ] = found;
  await rooms.intake.say([{ kind: 'retract', body: { itype, indicator, provider, group, reason: 'wrong' } }]);
  expect((await get(rooms, '/stats')).body).toEqual({
    records: 3,
    itypes: [{ name: 'fqdn', records: 2 }],
    tags: {
      total: 2,
      data: [
        { name: 'malware', records: 2 },
        { name: 'phishing', records: 1 },
      ],
    },
    providers: {
      total: 2,
      data: [
        { name: 'a', records: 1 },
        { name: 'b', records: 1 },
      ],
    },
  });
});
