import { describe, expect, test } from 'vitest';
import { bearer, openRooms } from '../../support/rooms.ts';

type Rooms = Awaited<ReturnType<typeof openRooms>>;
type Row = { readonly id: string; readonly q: string; readonly itype?: string; readonly by: string };
type Answer = {
  readonly meta: { readonly count: number; readonly next?: string };
  readonly data: readonly Row[];
};

async function ask(rooms: Rooms, path: string, scope = 'read', init: RequestInit = {}): Promise<Response> {
  const headers = { ...bearer(scope), ...(init.headers as Record<string, string>) };
  const answer = await rooms.app.request(path, { ...init, headers });
  // What is said of a question is not waited for.
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  return answer;
}

async function searches(rooms: Rooms, query = ''): Promise<Answer> {
  const answer = await ask(rooms, `/searches${query}`);
  expect(answer.status).toBe(200);
  return (await answer.json()) as Answer;
}

describe('a search', () => {
  test('is a question with q, as it was understood, with who asked and at which node', async () => {
    await using rooms = await openRooms();
    await ask(rooms, '/indicators?q=hxxp://Example[.]com/Login');
    rooms.clock.advance(1_000);
    await ask(rooms, '/indicators?q=*Login*', 'admin');
    const { meta, data } = await searches(rooms);
    expect(meta).toEqual({ count: 2 });
    expect(data).toEqual([
      {
        id: `${rooms.identity.nodeId}-2`,
        time: '2026-01-02T03:04:06.000Z',
        q: '*login*',
        by: 'admin',
        node: rooms.identity.nodeId,
      },
      {
        id: `${rooms.identity.nodeId}-1`,
        time: '2026-01-02T03:04:05.000Z',
        q: 'http://example.com/Login',
        itype: 'url',
        by: 'read',
        node: rooms.identity.nodeId,
      },
    ]);
  });

  test('is each value of a body that is an indicator, and of a list', async () => {
    await using rooms = await openRooms();
    const headers = { 'content-type': 'text/plain' };
    await ask(rooms, '/indicators/search', 'read', {
      method: 'POST',
      headers,
      body: 'a.test\nno indicator\n192.0.2.1\n',
    });
    await ask(rooms, '/indicators?q=b.test,192.0.2.2');
    const { data } = await searches(rooms);
    expect(data.map(({ q }) => q).toSorted()).toEqual(['192.0.2.1', '192.0.2.2', 'a.test', 'b.test']);
  });

  test('is no feed, no question without q, no further page, nothing refused, and nothing with nolog', async () => {
    await using rooms = await openRooms();
    await rooms.submit('a.test', 'b.a.test');
    const first = await ask(rooms, '/indicators?q=a.test&limit=1&nolog=1');
    const { meta } = (await first.json()) as Answer;
    expect(meta.next).toBeDefined();
    expect((await ask(rooms, `/indicators?q=a.test&limit=1&cursor=${meta.next}`)).status).toBe(200);
    expect((await ask(rooms, '/indicators', 'feed')).status).toBe(200);
    expect((await ask(rooms, '/indicators?nofeed=1')).status).toBe(200);
    expect((await ask(rooms, '/indicators?q=a.test', 'feed')).status).toBe(403);
    expect((await ask(rooms, '/indicators?q=no+indicator')).status).toBe(400);
    const body = { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'a.test' };
    expect((await ask(rooms, '/indicators/search?nolog=1', 'read', body)).status).toBe(200);
    expect((await searches(rooms)).data).toEqual([]);
    expect(rooms.store.vector().get(rooms.identity.nodeId)?.upTo).toBe(2);
  });

  test('is in no feed and in no answer about indicators', async () => {
    await using rooms = await openRooms();
    await ask(rooms, '/indicators?q=only-asked.test');
    expect((await searches(rooms)).data).toHaveLength(1);
    for (const path of [
      '/indicators?confidence=0',
      '/indicators?nofeed=1',
      '/indicators?q=only-asked.test',
      '/stats',
    ])
      expect(JSON.stringify(await (await ask(rooms, path)).json())).not.toContain(
        '"indicator":"only-asked.test"',
      );
    expect(rooms.store.count()).toBe(0);
  });
});

describe('GET /searches', () => {
  async function asked() {
    const rooms = await openRooms();
    for (const [q, scope] of [
      ['192.0.2.7', 'read'],
      ['www.example.com', 'admin'],
      ['example.com', 'read'],
      ['*example*', 'admin'],
    ] as const) {
      await ask(rooms, `/indicators?q=${q}`, scope);
      rooms.clock.advance(24 * 60 * 60 * 1_000);
    }
    return rooms;
  }
  const values = ({ data }: Answer) => data.map(({ q }) => q);

  test('is narrowed by value with what is related, by person and by time', async () => {
    await using rooms = await asked();
    expect(values(await searches(rooms, '?q=192.0.2.0/24'))).toEqual(['192.0.2.7']);
    expect(values(await searches(rooms, '?q=example.com'))).toEqual(['example.com', 'www.example.com']);
    expect(values(await searches(rooms, '?q=*example*'))).toEqual([
      '*example*',
      'example.com',
      'www.example.com',
    ]);
    expect(values(await searches(rooms, '?by=admin'))).toEqual(['*example*', 'www.example.com']);
    expect(values(await searches(rooms, '?by=!admin'))).toEqual(['example.com', '192.0.2.7']);
    expect(values(await searches(rooms, '?days=2'))).toEqual(['*example*', 'example.com']);
    expect(values(await searches(rooms, '?since=2026-01-04'))).toEqual(['*example*', 'example.com']);
  });

  test('comes in pages, and as NDJSON', async () => {
    await using rooms = await asked();
    const first = await searches(rooms, '?limit=3');
    expect(values(first)).toEqual(['*example*', 'example.com', 'www.example.com']);
    const last = await searches(rooms, `?limit=3&cursor=${first.meta.next}`);
    expect(values(last)).toEqual(['192.0.2.7']);
    expect(last.meta.next).toBeUndefined();
    const lines = await ask(rooms, '/searches?limit=1', 'read', {
      headers: { accept: 'application/x-ndjson' },
    });
    expect(lines.headers.get('tocsin-next')).toBeTruthy();
    expect((await lines.text()).split('\n')).toHaveLength(2);
  });

  test('keeps them for thirty days', async () => {
    await using rooms = await asked();
    rooms.clock.advance(26 * 24 * 60 * 60 * 1_000);
    expect(values(await searches(rooms))).toEqual(['*example*', 'example.com', 'www.example.com']);
  });

  test.each([
    ['/searches', 'feed', 403],
    ['/searches', 'stream', 403],
    ['/searches?q=no+indicator', 'read', 400],
    ['/searches?since=yesterday', 'read', 400],
    ['/searches?cursor=abc', 'read', 400],
    ['/searches?limit=1001', 'read', 400],
    ['/searches?nolog=1', 'read', 400],
  ])('%s as %s is refused with %i', async (path, scope, status) => {
    await using rooms = await openRooms();
    expect((await ask(rooms, path, scope)).status).toBe(status);
  });
});

test('an error of ours reaches the log without its words when the question asked for nolog', async () => {
  await using rooms = await openRooms();
  const failing = new Error('cannot read "secret.test"');
  Object.assign(failing, { code: 'CORRUPT_KEY', key: 'secret.test' });
  const app = (await import('../../../src/facade/app.ts')).createApp({
    ...rooms.parts,
    store: { ...rooms.store, inRanges: () => Promise.reject(failing) },
  });
  const asking = (query: string) =>
    app.request(`/indicators?q=secret.test${query}`, { headers: bearer('read') });
  expect((await asking('&nolog=1')).status).toBe(500);
  expect((await asking('')).status).toBe(500);
  const [bare, whole] = rooms.errors as (Error & { code?: string })[];
  expect(whole).toBe(failing);
  expect(bare?.code).toBe('CORRUPT_KEY');
  expect(bare?.stack).toContain('searches.test.ts');
  expect(JSON.stringify([bare?.stack, bare?.message, { ...bare }])).not.toContain('secret.test');
});
