import { expect, test } from 'vitest';
import { bearer, openRooms } from '../../support/rooms.ts';

type Rooms = Awaited<ReturnType<typeof openRooms>>;

async function ask(rooms: Rooms, method: string, path: string, body?: unknown, scope = 'admin') {
  const response = await rooms.app.request(path, {
    method,
    headers: { ...bearer(scope), ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function idOf(rooms: Rooms, indicator: string, provider: string): Promise<string> {
  const { body } = await ask(
    rooms,
    'GET',
    `/indicators?q=${encodeURIComponent(indicator)}&provider=${provider}&nolog=1`,
  );
  return String((body['data'] as Record<string, unknown>[])[0]?.['id']);
}

test('a record is shown with its evidence: who says what of the same value', async () => {
  await using rooms = await openRooms();
  await rooms.submit(
    { indicator: 'example.com', provider: 'a', confidence: 9, tags: 'malware' },
    { indicator: 'example.com', provider: 'b', confidence: 3 },
    { indicator: 'www.example.com', provider: 'b' },
  );
  const id = await idOf(rooms, 'example.com', 'a');
  const { status, body } = await ask(rooms, 'GET', `/indicators/${id}`);
  expect(status).toBe(200);
  expect(body).toMatchObject({ id, indicator: 'example.com', provider: 'a', confidence: 9 });
  expect(body['evidence']).toMatchObject([
    { provider: 'a', confidence: 9, tags: ['malware'], origin: rooms.identity.nodeId },
    { provider: 'b', confidence: 3 },
  ]);
});

test('a record names those of related values', async () => {
  await using rooms = await openRooms();
  await rooms.submit(
    { indicator: 'http://www.example.com/a', provider: 'a' },
    { indicator: 'www.example.com', provider: 'b' },
    { indicator: 'example.com', provider: 'c' },
    { indicator: 'example.org', provider: 'c' },
  );
  const url = await ask(rooms, 'GET', `/indicators/${await idOf(rooms, 'http://www.example.com/a', 'a')}`);
  expect(url.body['related']).toEqual([
    {
      match: 'host',
      id: await idOf(rooms, 'www.example.com', 'b'),
      indicator: 'www.example.com',
      itype: 'fqdn',
      provider: 'b',
    },
  ]);
  const name = await ask(rooms, 'GET', `/indicators/${await idOf(rooms, 'example.com', 'c')}`);
  expect(name.body['related']).toMatchObject([
    { match: 'subdomain', indicator: 'www.example.com' },
    { match: 'url', indicator: 'http://www.example.com/a' },
  ]);
});

test('what takes back something that never came is no answer', async () => {
  await using rooms = await openRooms();
  const key = { itype: 'fqdn', indicator: 'example.com', provider: 'a', group: 'everyone' } as const;
  await rooms.intake.say([{ kind: 'retract', body: { ...key, reason: 'wrong' } }]);
  for (const query of ['q=example.com', 'nofeed=1', 'q=*.com,example.com', 'nofeed=1&sort=indicator'])
    expect((await ask(rooms, 'GET', `/indicators?${query}`)).body['data']).toEqual([]);
});

test('what is no id, or nobody’s, is a problem that says so', async () => {
  await using rooms = await openRooms();
  expect(await ask(rooms, 'GET', '/indicators/x')).toMatchObject({
    status: 400,
    body: { detail: expect.stringMatching(/^id: allowed are 32 hex digits/) },
  });
  expect((await ask(rooms, 'GET', `/indicators/${'0'.repeat(32)}`)).status).toBe(404);
  expect((await ask(rooms, 'DELETE', `/indicators/${'0'.repeat(32)}`)).status).toBe(404);
});

test('a retracted statement stays in answers, marked, until its provider says it again', async () => {
  await using rooms = await openRooms();
  await rooms.submit({ indicator: 'example.com', provider: 'write', confidence: 9 });
  const id = await idOf(rooms, 'example.com', 'write');
  const retracted = await ask(
    rooms,
    'DELETE',
    `/indicators/${id}?reason=false%20positive`,
    undefined,
    'write',
  );
  expect(retracted).toMatchObject({
    status: 200,
    body: { id, provider: 'write', reason: 'false positive', ack: { wanted: 1, reached: 'local' } },
  });
  const { body } = await ask(rooms, 'GET', '/indicators?q=example.com');
  expect(body['data']).toMatchObject([
    { id, retracted: { reason: 'false positive', time: expect.stringMatching(/^2026-01-02T03:04:05/) } },
  ]);
  expect((await ask(rooms, 'GET', '/indicators')).body['data']).toEqual([]);
  rooms.clock.advance(1_000);
  await rooms.submit({ indicator: 'example.com', provider: 'write', confidence: 9 });
  const again = (await ask(rooms, 'GET', '/indicators?q=example.com')).body['data'] as object[];
  expect(again[0]).not.toHaveProperty('retracted');
});

test('only its provider, or an admin, takes a statement back', async () => {
  await using rooms = await openRooms();
  await rooms.submit({ indicator: 'example.com', provider: 'somebody' });
  const id = await idOf(rooms, 'example.com', 'somebody');
  const path = `/indicators/${id}`;
  expect(await ask(rooms, 'DELETE', path, undefined, 'write')).toMatchObject({
    status: 403,
    body: { detail: expect.stringMatching(/somebody's statement/) },
  });
  expect((await ask(rooms, 'DELETE', path, undefined, 'read')).status).toBe(403);
  expect((await ask(rooms, 'DELETE', `${path}?reason=`)).status).toBe(400);
  expect((await ask(rooms, 'DELETE', `${path}?reason=${'x'.repeat(300)}`)).status).toBe(400);
  expect((await ask(rooms, 'DELETE', path)).status).toBe(200);
});

test('sightings add up under the sensor’s name, whether the indicator is known or not', async () => {
  await using rooms = await openRooms();
  const time = '2026-01-01T00:00:00Z';
  const first = await ask(
    rooms,
    'POST',
    '/sightings',
    [{ indicator: 'example[.]com', count: 3, time }],
    'write',
  );
  expect(first).toMatchObject({ status: 201, body: { accepted: 1, refused: [], ack: { reached: 'local' } } });
  await ask(rooms, 'POST', '/sightings', { indicator: 'example.com' }, 'write');
  const { body } = await ask(rooms, 'GET', '/indicators?q=example.com');
  expect(body['data']).toMatchObject([
    { provider: 'write', count: 0, sightings: { count: 4, lasttime: '2026-01-02T03:04:05.000Z' } },
  ]);
});

test.each([
  [{ indicator: 'example.com', count: 0 }, 'out-of-range'],
  [{ indicator: 'example.com', time: 'yesterday' }, 'bad-time'],
  [{ indicator: 'example.com', confidence: 3 }, 'unknown-field'],
  [{ count: 1 }, 'no-indicator'],
  [7, 'not-a-row'],
  [{ indicator: 7 }, 'wrong-type'],
])('a sighting %j is refused as %s, and costs no other', async (row, code) => {
  await using rooms = await openRooms();
  const { status, body } = await ask(rooms, 'POST', '/sightings', [row, 'example.com'], 'write');
  expect(status).toBe(201);
  expect(body).toMatchObject({ accepted: 1, refused: [{ row: 1, code, reason: expect.any(String) }] });
});

test('sightings and retractions have topics of their own on the stream', async () => {
  await using rooms = await openRooms();
  await rooms.submit({ indicator: 'example.com', provider: 'test' });
  await ask(rooms, 'POST', '/sightings', ['example.com'], 'write');
  await ask(rooms, 'DELETE', `/indicators/${await idOf(rooms, 'example.com', 'test')}`);
  const { messages } = await rooms.streamLog.next(0, {}, new AbortController().signal);
  expect(
    messages.map(({ zeromqTopic, json }) => [zeromqTopic, (JSON.parse(json) as { type: string }).type]),
  ).toEqual([
    ['indicator/fqdn/amber/', 'tocsin.indicator.created'],
    ['sighting/fqdn/amber/', 'tocsin.sighting'],
    ['retract/fqdn/amber/', 'tocsin.retract'],
  ]);
});
