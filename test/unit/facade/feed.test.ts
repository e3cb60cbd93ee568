import { gunzipSync } from 'node:zlib';
import { parse as parseCsv } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import { bearer, openRooms } from '../../support/rooms.ts';

type Rooms = Awaited<ReturnType<typeof openRooms>>;
type Answer = { readonly meta: Record<string, unknown>; readonly data: Record<string, unknown>[] };

const dayMs = 24 * 60 * 60 * 1_000;

function get(rooms: Rooms, query: string, headers: Record<string, string> = {}, method = 'GET') {
  return rooms.app.request(`/indicators${query}`, { method, headers: { ...bearer('admin'), ...headers } });
}

async function feed(rooms: Rooms, query = ''): Promise<Answer> {
  const response = await get(rooms, query);
  expect(response.status).toBe(200);
  return (await response.json()) as Answer;
}

const bad = (indicator: string, more: Record<string, unknown> = {}) => ({
  indicator,
  confidence: 9,
  ...more,
});
const names = ({ data }: Answer) => data.map(({ indicator }) => indicator);

test('an empty feed is valid in every format', async () => {
  await using rooms = await openRooms();
  expect(await feed(rooms)).toMatchObject({
    meta: { mode: 'feed', count: 0, allowlisted: { count: 0, lists: {} }, too_large: 0 },
    data: [],
  });
  expect(await (await get(rooms, '', { accept: 'application/x-ndjson' })).text()).toBe('');
  expect(await (await get(rooms, '', { accept: 'text/csv' })).text()).toMatch(/^indicator,itype,.*\r\n$/);
});

test('the answer says which defaults it applied, and no others', async () => {
  await using rooms = await openRooms();
  const { meta } = await feed(rooms);
  expect(meta['defaults']).toMatchObject({
    confidence: 8,
    days: { ipv4: 21, ipv6: 21, fqdn: 45, sha512: 45 },
    limit: 50_000,
    largest_prefix: { ipv4: 16, ipv6: 32 },
  });
  const asked = await feed(rooms, '?confidence=3&days=2&limit=5&itype=url');
  expect(asked.meta['defaults']).toEqual({});
});

test('CSV and NDJSON say in headers what JSON says in meta, and hold the same rows', async () => {
  await using rooms = await openRooms();
  await rooms.submit(
    bad('a.example.com', { tags: 'c2,x', description: '=1+1, "quoted" and more', portlist: '22,80' }),
    bad('10.0.0.1'),
    bad('http://b.example.com/ü'),
  );
  const { meta, data } = await feed(rooms);
  const lines = await get(rooms, '', { accept: 'application/x-ndjson' });
  const text = await lines.text();
  expect(
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line)),
  ).toEqual(data);
  const csv = await get(rooms, '', { accept: 'text/csv' });
  for (const response of [lines, csv]) {
    expect(response.headers.get('tocsin-mode')).toBe('feed');
    expect(response.headers.get('tocsin-allowlisted')).toBe('1');
    expect(JSON.parse(response.headers.get('tocsin-defaults') ?? '')).toEqual(meta['defaults']);
    expect(response.headers.get('vary')).toBe('accept, accept-encoding');
  }
  const rows: Record<string, string>[] = parseCsv(await csv.text(), { columns: true });
  expect(rows.map(({ indicator }) => indicator)).toEqual(names({ meta, data }));
  expect(rows[0]).toMatchObject({
    tags: 'c2,x',
    description: `'=1+1, "quoted" and more`,
    portlist: '22,80',
  });
});

describe('validators', () => {
  test('the same records give the same tag for as long as nothing changes, on another node too', async () => {
    await using rooms = await openRooms();
    await using other = await openRooms();
    for (const one of [rooms, other]) await one.submit(bad('a.example.com'), bad('b.example.com'));
    const tag = async (one: Rooms, headers = {}) => (await get(one, '', headers)).headers.get('etag');
    const first = await tag(rooms);
    expect(first).toMatch(/^W\/"[0-9a-f]{32}"$/);
    expect(await tag(other)).toBe(first);
    rooms.clock.advance(60_000);
    expect(await tag(rooms)).toBe(first);
    expect(await tag(rooms, { accept: 'text/csv' })).not.toBe(first);
    expect(await tag(rooms, { 'accept-encoding': 'gzip' })).toBe(`${first?.slice(0, -1)}-gzip"`);
    await rooms.submit(bad('c.example.com'));
    expect(await tag(rooms)).not.toBe(first);
  });

  test('who has it already is answered 304, without a body', async () => {
    await using rooms = await openRooms();
    await rooms.submit(bad('a.example.com'));
    for (const accept of ['application/json', 'text/csv', 'application/x-ndjson']) {
      const first = await get(rooms, '', { accept });
      const etag = first.headers.get('etag') ?? '';
      const modified = first.headers.get('last-modified') ?? '';
      await first.text();
      for (const condition of [{ 'if-none-match': etag }, { 'if-modified-since': modified }]) {
        for (const method of ['GET', 'HEAD']) {
          const again = await get(rooms, '', { accept, ...condition }, method);
          expect(again.status).toBe(304);
          expect(again.headers.get('etag')).toBe(etag);
          expect(again.headers.get('last-modified')).toBe(modified);
          expect(await again.text()).toBe('');
        }
      }
      rooms.clock.advance(5_000);
      await rooms.submit(bad(`${accept.replaceAll(/\W/g, '-')}.example.com`));
      for (const condition of [{ 'if-none-match': etag }, { 'if-modified-since': modified }])
        expect((await get(rooms, '', { accept, ...condition })).status).toBe(200);
    }
  });

  test('what is no longer in it is a change: of a retraction, an expiry, the allowlist', async () => {
    await using rooms = await openRooms();
    const expiretime = new Date(rooms.clock.wallMs() + 60_000).toISOString();
    await rooms.submit(bad('a.example.com', { expiretime }), bad('b.example.com'), bad('c.example.com'));
    const seen = new Set<string>();
    const look = async () => seen.add((await get(rooms, '')).headers.get('etag') ?? '');
    await look();
    rooms.clock.advance(60_000);
    await look();
    expect(names(await feed(rooms))).toEqual(['b.example.com', 'c.example.com']);
    await rooms.submit({ indicator: 'b.example.com', tags: 'allowlist', provider: 'ops' });
    await look();
    expect(names(await feed(rooms))).toEqual(['c.example.com']);
    const [record] = await rooms.store.byValue('fqdn', 'c.example.com');
    const { data } = (await (await get(rooms, '?q=c.example.com')).json()) as Answer;
    expect(record).toBeDefined();
    const taken = await rooms.app.request(`/indicators/${data[0]?.['id']}`, {
      method: 'DELETE',
      headers: bearer('admin'),
    });
    expect(taken.status).toBe(200);
    await look();
    expect(names(await feed(rooms))).toEqual([]);
    expect(seen.size).toBe(4);
  });
});

test('what sensors saw is added to the row of a value, and makes no row by itself', async () => {
  await using rooms = await openRooms();
  await rooms.submit(bad('a.example.com'));
  await feed(rooms);
  const seen = await rooms.app.request('/sightings', {
    method: 'POST',
    headers: { ...bearer('admin'), 'content-type': 'application/json' },
    body: JSON.stringify([
      { indicator: 'a.example.com', count: 3 },
      { indicator: 'b.example.com', count: 4 },
    ]),
  });
  expect(seen.status).toBe(201);
  expect((await feed(rooms)).data).toMatchObject([{ indicator: 'a.example.com', sightings: 3, count: 1 }]);
});

test('HEAD answers with the headers of GET', async () => {
  await using rooms = await openRooms();
  await rooms.submit(bad('a.example.com'));
  const whole = await get(rooms, '');
  const head = await get(rooms, '', {}, 'HEAD');
  expect(head.status).toBe(200);
  expect(await head.text()).toBe('');
  for (const name of ['etag', 'last-modified', 'content-type', 'vary', 'tocsin-allowlisted'])
    expect(head.headers.get(name)).toBe(whole.headers.get(name));
});

test('gzip is the same bytes, compressed, in both modes', async () => {
  await using rooms = await openRooms();
  await rooms.submit(...Array.from({ length: 3_000 }, (_, i) => bad(`h${i}.example.com`)));
  for (const query of ['', '?nofeed=1&limit=1000']) {
    const plain = await (await get(rooms, query)).text();
    const response = await get(rooms, query, { 'accept-encoding': 'br, gzip' });
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect(gunzipSync(Buffer.from(await response.arrayBuffer())).toString()).toBe(plain);
  }
  expect((await get(rooms, '', { 'accept-encoding': 'identity;q=0' })).status).toBe(406);
});

test('pages by limit and cursor are the feed, cut', async () => {
  await using rooms = await openRooms();
  await rooms.submit(...Array.from({ length: 25 }, (_, i) => bad(`h${i}.example.com`)), bad('10.0.0.1'));
  const whole = await feed(rooms);
  const shown: unknown[] = [];
  let allowlisted = 0;
  let next: unknown;
  do {
    const page = await feed(rooms, `?limit=10${next === undefined ? '' : `&cursor=${next}`}`);
    shown.push(...page.data);
    allowlisted += (page.meta['allowlisted'] as { count: number }).count;
    next = page.meta['next'];
  } while (next !== undefined);
  expect(shown).toEqual(whole.data);
  expect(allowlisted).toBe(1);
  const [first] = await Promise.all([feed(rooms, '?limit=10')]);
  const stray = await get(rooms, `?limit=10&itype=fqdn&cursor=${first.meta['next']}`);
  expect(stray.status).toBe(400);
});

test('without an allowlist a feed is 503, and nothing of it is given', async () => {
  await using rooms = await openRooms();
  await rooms.submit(bad('a.example.com'));
  const etag = (await get(rooms, '')).headers.get('etag') ?? '';
  rooms.setAllowlistLoaded(false);
  for (const query of ['', '?limit=1', '?q=a.example.com&explain=1']) {
    const response = await get(rooms, query, { 'if-none-match': etag });
    expect(response.status).toBe(503);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(response.headers.get('retry-after')).toMatch(/^\d+$/);
  }
  expect((await get(rooms, '?q=a.example.com')).status).toBe(200);
  rooms.setAllowlistLoaded(true);
  expect(names(await feed(rooms))).toEqual(['a.example.com']);
});

test('the allowlist is retroactive both ways, and says what it took', async () => {
  await using rooms = await openRooms();
  await rooms.submit(bad('evil.example.com'), bad('example.com'), bad('example.org'));
  expect(names(await feed(rooms))).toEqual(['example.com', 'evil.example.com', 'example.org']);
  await rooms.submit({ indicator: 'example.com', tags: 'allowlist', provider: 'ops' });
  const after = await feed(rooms, '?provider=test');
  expect(names(after)).toEqual(['example.org']);
  expect(after.meta['allowlisted']).toEqual({ count: 2, lists: { ops: 2 } });
  await rooms.submit({ indicator: 'example.com', tags: 'mistake', provider: 'ops' });
  expect(names(await feed(rooms))).toEqual(['example.com', 'evil.example.com', 'example.org']);
});

describe('explain', () => {
  const explainOf = async (rooms: Rooms, query: string) =>
    (await feed(rooms, `?explain=1&${query}`)).meta['explain'] as Record<string, unknown>[];

  test('it says why a value is in the feed, or which step keeps it out', async () => {
    await using rooms = await openRooms();
    const old = new Date(rooms.clock.wallMs() - 30 * dayMs).toISOString();
    await rooms.submit(
      bad('a.example.com', { provider: 'one' }),
      bad('old.example.com', { lasttime: new Date(rooms.clock.wallMs() - 60 * dayMs).toISOString() }),
      bad('8.0.0.0/15'),
      bad('10.0.0.1'),
      { indicator: 'faded.example.com', confidence: 8, lasttime: old },
      bad('www.example.org'),
      { indicator: 'example.org', tags: 'allowlist', provider: 'warninglist:top' },
    );
    const whys = async (value: string) => {
      const [explanation] = await explainOf(rooms, `q=${encodeURIComponent(value)}`);
      return [explanation?.['in_feed'], explanation?.['why']];
    };
    expect(await whys('a.example.com')).toEqual([true, 'confidence 9 by one, and no list keeps it out']);
    expect(await whys('unknown.example.com')).toEqual([false, 'nothing is known about it']);
    expect(await whys('old.example.com')).toEqual([false, 'no statement about it counts']);
    expect(await whys('8.0.0.0/15')).toEqual([
      false,
      'the network is larger than /16, the largest that a feed takes',
    ]);
    expect(await whys('10.0.0.1')).toEqual([false, 'allow-listed by Private-Use (RFC 1918) via 10.0.0.0/8']);
    expect(await whys('faded.example.com')).toEqual([false, 'confidence 7.55 after decay is under 8']);
    expect(await whys('www.example.org')).toEqual([false, 'allow-listed by warninglist:top via example.org']);
  });

  test('each statement says whether it counts; filters of the question are those of the feed', async () => {
    await using rooms = await openRooms();
    const now = rooms.clock.wallMs();
    await rooms.submit(
      bad('a.example.com', { provider: 'one' }),
      bad('a.example.com', { provider: 'two', lasttime: new Date(now - 60 * dayMs).toISOString() }),
      bad('a.example.com', { provider: 'three', tags: 'allowlist-context' }),
    );
    const [explanation] = await explainOf(rooms, 'q=a.example.com');
    expect(explanation?.['statements']).toEqual([
      { provider: 'one', group: 'everyone', counts: true, why: 'confidence 9, 0 days old' },
      {
        provider: 'three',
        group: 'everyone',
        counts: false,
        why: 'an entry of the allowlist, no statement about a threat',
      },
      {
        provider: 'two',
        group: 'everyone',
        counts: false,
        why: expect.stringMatching(/^too old: last observed/),
      },
    ]);
    const [filtered] = await explainOf(rooms, 'q=a.example.com&provider=two');
    expect(filtered).toMatchObject({ in_feed: false, why: 'no statement about it counts' });
    const [wide] = await explainOf(rooms, 'q=a.example.com&provider=two&days=90&confidence=5');
    expect(wide).toMatchObject({ in_feed: true });
  });

  test('it needs a value', async () => {
    await using rooms = await openRooms();
    const response = await get(rooms, '?explain=1');
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ errors: [{ parameter: 'explain' }] });
  });
});
