import { expect, test } from 'vitest';
import { bearer, openRooms } from '../../support/rooms.ts';

type Rooms = Awaited<ReturnType<typeof openRooms>>;
type SearchRow = {
  readonly row: number;
  readonly value?: string;
  readonly indicator?: string;
  readonly itype?: string;
  readonly records?: readonly Readonly<Record<string, unknown>>[];
  readonly more?: true;
  readonly refused?: { readonly code: string; readonly reason: string };
};
type Answer = { readonly meta: Readonly<Record<string, unknown>>; readonly data: readonly SearchRow[] };

const json = 'application/json';

function post(
  rooms: Rooms,
  body: string | Uint8Array,
  query = '',
  type = json,
  headers: Record<string, string> = {},
) {
  return rooms.app.request(`/indicators/search${query}`, {
    method: 'POST',
    headers: { ...bearer('read'), ...(type !== '' && { 'content-type': type }), ...headers },
    body: body as string,
  });
}

async function search(rooms: Rooms, values: unknown, query = ''): Promise<Answer> {
  const response = await post(rooms, JSON.stringify(values), query);
  expect(response.status).toBe(200);
  return (await response.json()) as Answer;
}

const indicators = (row: SearchRow | undefined) => row?.records?.map(({ indicator }) => indicator);

async function openWorld(): Promise<Rooms> {
  const rooms = await openRooms();
  await rooms.submit(
    { indicator: '192.0.2.0/24', confidence: 9 },
    { indicator: '192.0.2.7', tags: 'c2' },
    { indicator: '192.0.2.7', provider: 'other' },
    'example.com',
    'www.example.com',
    'http://www.example.com/login',
    { indicator: 'd41d8cd98f00b204e9800998ecf8427e' },
  );
  return rooms;
}

test('each value has its row: canonical, with its records, with none, or refused', async () => {
  await using rooms = await openWorld();
  const { meta, data } = await search(rooms, {
    indicators: [
      'hxxp://WWW[.]example[.]com/login',
      'nothing at all',
      '192.0.2.7',
      'example.org',
      'D41D8CD98F00B204E9800998ECF8427E',
      7,
      { indicator: 'example.com' },
      '*.example.com',
    ],
  });
  expect(meta).toEqual({
    mode: 'search',
    defaults: { limit: 100, related: 'none' },
    count: 8,
    found: 4,
    refused: 3,
  });
  expect(data.map(({ row }) => row)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(data[0]).toMatchObject({
    value: 'hxxp://WWW[.]example[.]com/login',
    indicator: 'http://www.example.com/login',
    itype: 'url',
    records: [{ match: 'exact', indicator: 'http://www.example.com/login', provider: 'test' }],
  });
  expect(data[1]).toEqual({
    row: 2,
    value: 'nothing at all',
    refused: { code: 'whitespace', reason: expect.stringContaining('no indicator') },
  });
  expect(data[2]?.records?.map(({ provider }) => provider)).toEqual(['other', 'test']);
  expect(data[3]).toEqual({
    row: 4,
    value: 'example.org',
    indicator: 'example.org',
    itype: 'fqdn',
    records: [],
  });
  expect(indicators(data[4])).toEqual(['d41d8cd98f00b204e9800998ecf8427e']);
  expect(data[5]).toMatchObject({ row: 6, refused: { code: 'wrong-type' } });
  expect(indicators(data[6])).toEqual(['example.com']);
  expect(data[7]).toMatchObject({ refused: { code: 'pattern', reason: expect.stringContaining('as q') } });
});

test('related records are there when they are asked for, and filters narrow all', async () => {
  await using rooms = await openWorld();
  const values = ['192.0.2.7', '192.0.2.8', 'example.com', 'http://www.example.com/', 'example.com'];
  const wide = await search(rooms, values, '?related=all');
  expect(wide.data.map(indicators)).toEqual([
    ['192.0.2.7', '192.0.2.7', '192.0.2.0/24'],
    ['192.0.2.0/24'],
    ['example.com', 'www.example.com', 'http://www.example.com/login'],
    ['www.example.com'],
    ['example.com', 'www.example.com', 'http://www.example.com/login'],
  ]);
  const covers = await search(rooms, values, '?related=covers&confidence=9');
  expect(covers.data.map(indicators)).toEqual([['192.0.2.0/24'], ['192.0.2.0/24'], [], [], []]);
  const urls = await search(rooms, values, '?related=all&itype=url');
  expect(urls.data.map(indicators)).toEqual([
    [],
    [],
    ['http://www.example.com/login'],
    [],
    ['http://www.example.com/login'],
  ]);
  const asn = await search(rooms, ['64500'], '?itype=asn');
  expect(asn.data).toMatchObject([{ indicator: 'AS64500', itype: 'asn', records: [] }]);
});

test('a value with more records than are asked for says so', async () => {
  await using rooms = await openRooms();
  await rooms.submit(
    ...Array.from({ length: 12 }, (_, i) => ({ indicator: '192.0.2.7', provider: `p${i}` })),
    'example.com',
  );
  const { data } = await search(rooms, ['192.0.2.7', 'example.com'], '?limit=5');
  expect(data[0]?.records).toHaveLength(5);
  expect(data.map(({ more }) => more)).toEqual([true, undefined]);
});

test('all values together have a cap, and those that it cut say so', async () => {
  await using rooms = await openRooms();
  await rooms.submit(...Array.from({ length: 60 }, (_, i) => `h${i}.example.com`));
  const { data } = await search(rooms, Array(1_000).fill('example.com'), '?related=subdomain');
  expect(data.reduce((sum, { records }) => sum + (records?.length ?? 0), 0)).toBe(20_000);
  expect(data[0]).toMatchObject({ records: { length: 60 } });
  expect(data[0]?.more).toBeUndefined();
  expect(data.at(-1)).toMatchObject({ records: [], more: true });
});

test.each([
  ['text/plain', '192.0.2.7\r\n\n  example.com  \nnothing at all', [1, 3, 4]],
  ['text/plain; charset=utf-8', '\ufeff192.0.2.7\nexample.com\nnothing at all\n', [1, 2, 3]],
  ['application/x-ndjson', '"192.0.2.7"\n{"indicator":"example.com"}\n{"indicator":\n', [1, 2, 3]],
  ['application/json', '["192.0.2.7","example.com",null]', [1, 2, 3]],
])('%s is taken, with the lines that values stand in', async (type, body, rows) => {
  await using rooms = await openWorld();
  const { data } = (await (await post(rooms, body, '', type)).json()) as Answer;
  expect(data.map(({ row }) => row)).toEqual(rows);
  expect(data.map((row) => indicators(row)?.length ?? -1)).toEqual([2, 1, -1]);
});

test('NDJSON by Accept has a line for each value; what is not made here is 406', async () => {
  await using rooms = await openWorld();
  const accept = (type: string) => post(rooms, '["192.0.2.7","x"]', '', json, { accept: type });
  const lines = await accept('application/x-ndjson');
  expect(lines.headers.get('content-type')).toBe('application/x-ndjson');
  expect(
    (await lines.text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).row),
  ).toEqual([1, 2]);
  for (const type of ['text/csv', 'image/png']) {
    const refused = await accept(type);
    expect(refused.status).toBe(406);
    expect(await refused.json()).toMatchObject({ detail: expect.stringContaining('application/x-ndjson') });
  }
});

test('no value is an empty answer', async () => {
  await using rooms = await openWorld();
  for (const [type, body] of [
    [json, '[]'],
    [json, '{"indicators":[]}'],
    ['text/plain', ''],
    ['text/plain', '\n\n'],
  ] as const) {
    const response = await post(rooms, body, '', type);
    expect(await response.json()).toMatchObject({ meta: { count: 0, found: 0 }, data: [] });
  }
});

const many = JSON.stringify(Array(1_001).fill('example.com'));

test.each<[string, string, string, number, RegExp]>([
  [json, '', '{"indicators":"example.com"}', 400, /"indicators": \[/],
  [json, '', '{"indicators":["a.test.com"],"limit":5}', 400, /indicators/],
  [json, '', '"example.com"', 400, /indicators/],
  [json, '', '{"indicators":[', 400, /never closed/],
  [json, '', '['.repeat(1_000), 400, /nested/],
  [json, '', many, 400, /1001 values; allowed are up to 1000/],
  ['text/plain', '', 'example.com\n'.repeat(1_001), 400, /up to 1000/],
  ['text/csv', '', 'indicator\nexample.com\n', 415, /text\/plain/],
  ['', '', 'example.com', 415, /allowed are/],
  [json, '?limit=0', '[]', 400, /1 to 1000/],
  [json, '?limit=1001', '[]', 400, /1 to 1000/],
  [json, '?related=parents', '[]', 400, /covers/],
  [json, '?cursor=x', '[]', 400, /no such parameter/],
  [json, '?tags=a&tags=b', '[]', 400, /once/],
])('%s %s %.40s is %i', async (type, query, body, status, reason) => {
  await using rooms = await openWorld();
  const response = await post(rooms, new TextEncoder().encode(body), query, type);
  expect(response.status).toBe(status);
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const problem = (await response.json()) as { readonly detail: string; readonly errors?: unknown };
  expect(problem.detail).toMatch(reason);
  if (status === 400) expect(problem.errors).toMatchObject([{ parameter: expect.any(String) }]);
});

test('a body beyond the cap is 413', async () => {
  await using rooms = await openWorld();
  const response = await post(rooms, '[]', '', json, { 'content-length': String(9 * 1024 * 1024) });
  expect(response.status).toBe(413);
});
