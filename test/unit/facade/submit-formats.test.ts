import { expect, test } from 'vitest';
import { bearer, openRooms } from '../../support/rooms.ts';

type Rooms = Awaited<ReturnType<typeof openRooms>>;
type Shown = { readonly indicator: string; readonly itype: string; readonly portlist?: string };

async function submit(rooms: Rooms, type: string, body: string, query = ''): Promise<unknown> {
  const headers = { ...bearer('admin'), 'content-type': type };
  const response = await rooms.app.request(`/indicators${query}`, { method: 'POST', headers, body });
  return response.json();
}

async function ask(rooms: Rooms, query: string): Promise<readonly Shown[]> {
  const response = await rooms.app.request(`/indicators?${query}`, { headers: bearer('admin') });
  const { data } = (await response.json()) as { readonly data: readonly Shown[] };
  return data;
}

test.each([
  [
    'text/plain',
    '# list\nhxxp://one[.]example/ # seen\n\n0.0.0.0 two.example\n||three.example^\n192.0.2.0/24 ; net\n',
  ],
  [
    'application/json',
    '{"meta":{},"data":["http://one.example/","two.example",{"indicator":"three.example"},"192.0.2.0/24"]}',
  ],
  [
    'application/x-ndjson',
    '"http://one.example/"\n"two.example"\r\n\n{"indicator":"three.example"}\n"192.0.2.0/24"',
  ],
  [
    'text/csv',
    '# made 2026\r\n# indicator,tags\r\n"http://one.example/",a,\r\ntwo.example\r\nthree.example,"b,c"\r\n192.0.2.0/24,\r\n# END\r\n',
  ],
])('%s: what stands around the rows costs none of them', async (type, body) => {
  await using rooms = await openRooms();
  expect(await submit(rooms, type, body)).toMatchObject({ accepted: 4, created: 4, refused: [] });
  const found = await ask(rooms, 'nofeed=1');
  expect(found.map(({ indicator }) => indicator).sort()).toEqual([
    '192.0.2.0/24',
    'http://one.example/',
    'three.example',
    'two.example',
  ]);
});

test('an address is found with the port that it came with, with another, and without', async () => {
  await using rooms = await openRooms();
  await submit(rooms, 'text/plain', '198.51.100.7:443\n[2001:db8::1]:8443\nexample.com:8080\n');
  for (const [q, indicator, portlist] of [
    ['198.51.100.7:443', '198.51.100.7', '443'],
    ['198.51.100[.]7:80', '198.51.100.7', '443'],
    ['198.51.100.7', '198.51.100.7', '443'],
    ['[2001:db8::1]:1', '2001:db8::1', '8443'],
    ['example.com:1', 'example.com', '8080'],
  ]) {
    const found = await ask(rooms, `q=${encodeURIComponent(q ?? '')}`);
    expect(found.find((record) => record.indicator === indicator)).toMatchObject({ portlist });
  }
});

test('fuzzy hashes, fingerprints and wallets are stored, asked for, and told from other hashes', async () => {
  await using rooms = await openRooms();
  const ssdeep = '768:AXGBicFlgVNhBGcL6wCrFQEv:AXGHsNhxLsr2C';
  const digits = 'd41d8cd98f00b204e9800998ecf8427e';
  const wallet = 'BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4';
  await submit(
    rooms,
    'application/json',
    JSON.stringify([ssdeep, digits, wallet, { indicator: digits, itype: 'ja3' }]),
  );
  const kinds = async (query: string) => (await ask(rooms, query)).map(({ itype }) => itype);
  expect(await kinds(`q=${encodeURIComponent(ssdeep)}`)).toEqual(['ssdeep']);
  expect(await kinds(`q=${wallet.toLowerCase()}`)).toEqual(['btc']);
  expect(await kinds(`q=${digits}&itype=ja3`)).toEqual(['ja3']);
  expect(await kinds(`q=${digits}`)).toContain('md5');
});
