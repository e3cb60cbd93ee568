import { describe, expect, test } from 'vitest';
import { readBatch } from '../../../src/event/batch.ts';
import { bearer, openRooms, startMs } from '../../support/rooms.ts';

type Rooms = Awaited<ReturnType<typeof openRooms>>;
type Row = Readonly<Record<string, unknown>> & { readonly indicator: string; readonly match?: string };
type Answer = {
  readonly meta: {
    readonly count: number;
    readonly next?: string;
    readonly defaults: Record<string, unknown>;
  };
  readonly data: readonly Row[];
};

async function ask(rooms: Rooms, query: string): Promise<Answer> {
  const response = await rooms.app.request(`/indicators?${query}`, { headers: bearer('read') });
  expect(response.status, query).toBe(200);
  return (await response.json()) as Answer;
}

async function refusalOf(rooms: Rooms, query: string) {
  const response = await rooms.app.request(`/indicators?${query}`, { headers: bearer('admin') });
  expect(response.status, query).toBe(400);
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  return (await response.json()) as {
    readonly detail: string;
    readonly errors: readonly { parameter: string; detail: string }[];
  };
}

const world = [
  { indicator: '192.0.2.0/24', confidence: 9, cc: 'DE', asn: 64500, tlp: 'clear' },
  { indicator: '192.0.2.7', confidence: 4, cc: 'FR', asn: 64501, tlp: 'red', tags: 'c2' },
  { indicator: 'example.com', tags: 'c2,phishing', lasttime: '2025-12-01' },
  { indicator: 'www.example.com', lasttime: '2025-12-15T12:00:00Z' },
  { indicator: 'http://www.example.com/login', lasttime: '2025-12-31' },
  { indicator: 'someone@example.com' },
];

const shown = ({ data }: Answer) => data.map(({ indicator }) => indicator);

test('a domain answers with its names, URLs and mailboxes, and each says why it is there', async () => {
  await using rooms = await openRooms();
  await rooms.submit(...world);
  const answer = await ask(rooms, 'q=hxxp://www[.]example[.]com/other');
  expect(answer.data).toMatchObject([{ indicator: 'www.example.com', match: 'host' }]);
  const domain = await ask(rooms, 'q=EXAMPLE.com');
  expect(domain.meta).toMatchObject({ mode: 'query', count: 4, defaults: { limit: 500, related: 'all' } });
  expect(domain.data.map(({ match }) => match)).toEqual(['exact', 'subdomain', 'url', 'email']);
  expect(shown(await ask(rooms, 'q=example.com&related=none'))).toEqual(['example.com']);
  expect(shown(await ask(rooms, 'q=example.com&related=!email,!url'))).toEqual([
    'example.com',
    'www.example.com',
  ]);
  expect(shown(await ask(rooms, 'q=example.com&itype=url'))).toEqual(['http://www.example.com/login']);
  expect(shown(await ask(rooms, 'q=64500&itype=asn'))).toEqual([]);
  expect(shown(await ask(rooms, 'q=192.0.2.7,192.0.2.9'))).toEqual(['192.0.2.7', '192.0.2.0/24']);
});

test('the reason is the last column of a CSV; without q there is none', async () => {
  await using rooms = await openRooms();
  await rooms.submit(...world);
  const headers = { ...bearer('read'), accept: 'text/csv' };
  const csv = await (await rooms.app.request('/indicators?q=192.0.2.7', { headers })).text();
  const lines = csv.trim().split('\r\n');
  expect(lines[0]).toMatch(/,id,match$/);
  expect(lines[1]).toMatch(/,"exact"$/);
  expect(lines[2]).toMatch(/,"covers"$/);
  const all = await (await rooms.app.request('/indicators?nofeed=1', { headers })).text();
  expect(all.split('\r\n')[0]).toMatch(/,id$/);
  expect((await ask(rooms, 'nofeed=1')).meta.defaults).toEqual({ limit: 500, sort: '-reporttime' });
});

test('nothing found is an empty answer', async () => {
  await using rooms = await openRooms();
  for (const q of [
    'example.org',
    '10.0.0.1',
    '2001:db8::/32',
    '*.example.org',
    'a'.repeat(64),
    'http://x.test/',
  ])
    expect(await ask(rooms, `q=${q}`)).toMatchObject({ meta: { count: 0 }, data: [] });
});

test('what has expired is in a query as long as it is stored', async () => {
  await using rooms = await openRooms();
  await rooms.submit({ indicator: 'example.com', expiretime: new Date(startMs + 1_000).toISOString() });
  rooms.clock.advance(60_000);
  expect(shown(await ask(rooms, 'q=example.com'))).toEqual(['example.com']);
});

describe('a filter', () => {
  test.each([
    ['asn=AS64500', ['192.0.2.0/24']],
    ['asn=64500,64501', ['192.0.2.7', '192.0.2.0/24']],
    ['asn=!64500&itype=ipv4', ['192.0.2.7']],
    ['cc=de', ['192.0.2.0/24']],
    ['cc=!de&itype=ipv4', ['192.0.2.7']],
    ['tlp=red', ['192.0.2.7']],
    ['tlp=white,TLP:RED', ['192.0.2.7', '192.0.2.0/24']],
    ['tags=c2,!phishing', ['192.0.2.7']],
    ['itype=!ipv4,!fqdn,!url', ['someone@example.com']],
    ['observed=2025-12-01,2025-12-01', ['example.com']],
    ['observed=2025-12-15T12:00:00Z,2025-12-15T12:00:00Z', ['www.example.com']],
    ['observed=,2025-12-15', ['www.example.com', 'example.com']],
    ['observed=2025-12-15T12:00:01Z,2025-12-31T00:00:00Z', ['http://www.example.com/login']],
    ['reported=2026-01-02,&itype=email', ['someone@example.com']],
    ['reported=,2026-01-01', []],
    ['days=1&itype=email', ['someone@example.com']],
    ['observed=2025-12-01,2025-12-31&days=1&itype=url', ['http://www.example.com/login']],
  ])('%s', async (query, expected) => {
    await using rooms = await openRooms();
    await rooms.submit(...world);
    expect(shown(await ask(rooms, `nofeed=1&${query}`)).sort()).toEqual([...expected].sort());
  });
});

test('a feed takes the same filters, and a window of its own gives way to the one that is asked for', async () => {
  await using rooms = await openRooms();
  await rooms.submit(
    { indicator: 'old.example.com', confidence: 9, lasttime: '2025-06-01', cc: 'DE', tlp: 'clear' },
    { indicator: 'new.example.com', confidence: 9, lasttime: '2026-01-01', cc: 'FR', asn: 64500 },
  );
  const feed = async (query: string) => [...shown(await ask(rooms, query))].sort();
  expect(await feed('')).toEqual(['new.example.com']);
  expect(await feed('observed=2025-01-01,2025-12-31&confidence=1')).toEqual(['old.example.com']);
  expect(await feed('observed=,2025-12-31&confidence=1')).toEqual(['old.example.com']);
  expect(await feed('observed=2025-01-01,&confidence=1')).toEqual(['new.example.com', 'old.example.com']);
  expect(await feed('reported=2026-01-02,')).toEqual(['new.example.com']);
  expect(await feed('reported=,2026-01-01')).toEqual([]);
  expect(await feed('days=365&cc=de&tlp=clear&confidence=1')).toEqual(['old.example.com']);
  expect(await feed('days=365&asn=64500')).toEqual(['new.example.com']);
});

test('answers are sorted as is asked', async () => {
  await using rooms = await openRooms();
  await rooms.submit(...world);
  expect(shown(await ask(rooms, 'q=192.0.2.0/24&sort=confidence'))).toEqual(['192.0.2.7', '192.0.2.0/24']);
  expect(shown(await ask(rooms, 'q=192.0.2.0/24&sort=-confidence'))).toEqual(['192.0.2.0/24', '192.0.2.7']);
  expect(shown(await ask(rooms, 'nofeed=1&sort=indicator'))).toEqual([
    'someone@example.com',
    'example.com',
    'www.example.com',
    '192.0.2.0/24',
    '192.0.2.7',
    'http://www.example.com/login',
  ]);
});

test.each([
  ['q=example.com&nofeed=0', 'nofeed', /leave it out/],
  ['related=covers', 'related', /with q/],
  ['nofeed=1&related=covers', 'related', /with q/],
  ['q=example.com&related=parents', 'related', /covers, inside, subdomain, url, email, host.*all, or none/],
  ['q=example.com&related=url,!url', 'related', /both/],
  ['sort=lasttime', 'sort', /nofeed=1/],
  ['q=example.com&sort=age', 'sort', /reporttime, lasttime, confidence, indicator/],
  ['nofeed=1&sort=confidence', 'sort', /-reporttime.*indicator/],
  ['nofeed=1&days=1&reported=2026-01-01,', 'days', /reported/],
  ['hours=1&observed=2026-01-01,', 'hours', /observed/],
  ['nofeed=1&reported=2026-01-02,2026-01-01', 'reported', /before the start/],
  ['observed=', 'observed', /start,end/],
  ['observed=,', 'observed', /start,end/],
  ['observed=2026-01-01', 'observed', /start,end/],
  ['observed=soon,', 'observed', /soon.*RFC 3339/],
  ['observed=2026-02-30,', 'observed', /RFC 3339/],
  ['asn=AS0', 'asn', /AS64500/],
  ['asn=example', 'asn', /64500/],
  ['cc=Germany', 'cc', /two letters/],
  ['tlp=purple', 'tlp', /clear, green, amber, amber\+strict, red/],
  ['tags=a,!a', 'tags', /both/],
  ['tags=!', 'tags', /1 to 100/],
  [`tags=${'a,'.repeat(101)}`, 'tags', /1 to 100/],
  ['itype=ipv4,!ipv4', 'itype', /both/],
  ['nolog=perhaps', 'nolog', /0 and 1/],
  ['nofeed=1&limit=-1', 'limit', /1 to/],
  ['q=example.com&limit=10001', 'limit', /10000/],
  ['confidence=-1', 'confidence', /0 to 10/],
  ['days=-1', 'days', /0 to/],
  ['q=example.com&colour=red', 'colour', /no such parameter/],
  ['q=example.com&q=example.org', 'q', /once/],
  ['q=%20', 'q', /empty/],
  ['q=,', 'q', /./],
  ['q=nothing%20at%20all', 'q', /no indicator/],
  ['q=example.com,nothing', 'q', /nothing.*no indicator/],
  ['q=192.0.2.*', 'q', /192\.0\.2\.0\/24/],
  ['q=*', 'q', /nofeed=1/],
  ['q=192.0.2.1/24', 'q', /did you mean 192\.0\.2\.0\/24/],
  ['q=m%C3%BCller*', 'q', /punycode/],
  [`q=${'a'.repeat(300)}*`, 'q', /256/],
  [
    `q=${Array.from({ length: 101 }, (_, i) => `h${i}.test.com`).join()}`,
    'q',
    /1 to 100.*indicators\/search/,
  ],
  [`q=${'a'.repeat(24_577)}`, 'q', /24576/],
  [`q=example.com&cursor=${'a'.repeat(20_001)}`, 'cursor', /no cursor/],
  ['q=example.com&cursor=garbage', 'cursor', /no cursor/],
])('%s is refused, and %s is named with what is allowed', async (query, parameter, allowed) => {
  await using rooms = await openRooms();
  const { errors, detail } = await refusalOf(rooms, query);
  expect(errors).toEqual([{ parameter, detail: expect.stringMatching(allowed) }]);
  expect(detail).toContain(parameter);
  expect(detail.length).toBeLessThan(1_000);
});

test('all that is wrong with a question is named at once', async () => {
  await using rooms = await openRooms();
  const { errors } = await refusalOf(rooms, 'q=example.com&limit=-1&days=soon&colour=red&cc=Germany');
  expect(errors.map(({ parameter }) => parameter).sort()).toEqual(['cc', 'colour', 'days', 'limit']);
});

test('what is asked for beyond what can be sorted is refused with the way out', async () => {
  await using rooms = await openRooms();
  const rows = Array.from({ length: 10_001 }, (_, i) => `h${i}.example.com`);
  await rooms.submit(...rows);
  const { errors } = await refusalOf(rooms, 'q=example.com&sort=-lasttime');
  expect(errors).toEqual([{ parameter: 'sort', detail: expect.stringMatching(/10000.*leave sort out/) }]);
  expect((await ask(rooms, 'q=example.com')).meta).toMatchObject({ count: 500, next: expect.any(String) });
});

/** Pages of one question, each asked of the next node in turn. */
async function pagesOver(nodes: readonly Rooms[], query: string): Promise<readonly string[]> {
  const seen: string[] = [];
  let cursor: string | undefined;
  for (let page = 0; page === 0 || cursor !== undefined; page++) {
    const node = nodes[page % nodes.length];
    if (node === undefined) throw new Error('no node');
    const answer = await ask(
      node,
      `${query}&limit=${3 + (page % 3)}${cursor === undefined ? '' : `&cursor=${cursor}`}`,
    );
    seen.push(...shown(answer));
    cursor = answer.meta.next;
  }
  return seen;
}

test('a cursor is good on any node that holds the same records, and with another limit', async () => {
  await using one = await openRooms(1);
  await using two = await openRooms(2);
  const rows = Array.from({ length: 25 }, (_, i) => `h${String(i).padStart(2, '0')}.example.com`);
  const outcome = await one.submit(...rows);
  expect(outcome.accepted).toBe(25);
  const log = await one.store.batches(one.identity.nodeId, { from: 1, to: 25 }, 1e9);
  await two.store.commit(log.map(({ bytes }) => readBatch(bytes)));
  for (const query of ['q=example.com', 'nofeed=1', 'q=example.com&sort=-lasttime', 'q=*.example.com'])
    expect([...(await pagesOver([one, two], query))].sort(), query).toEqual(rows);
});

test('a cursor of another question is refused', async () => {
  await using rooms = await openRooms();
  await rooms.submit(
    ...Array.from({ length: 9 }, (_, i) => ({ indicator: `h${i}.example.com`, tags: 'c2' })),
  );
  const questions = [
    'q=example.com',
    'q=*.example.com',
    'q=example.com&related=subdomain',
    'q=example.com&tags=c2',
    'q=example.com&sort=lasttime',
    'q=example.com&sort=-lasttime',
    'nofeed=1',
    'nofeed=1&tags=c2',
    'nofeed=1&sort=indicator',
  ];
  for (const asked of questions) {
    const { meta } = await ask(rooms, `${asked}&limit=2`);
    for (const other of questions.filter((each) => each !== asked)) {
      const { errors } = await refusalOf(rooms, `${other}&limit=2&cursor=${meta.next}`);
      expect(errors).toMatchObject([{ parameter: 'cursor' }]);
    }
    for (const broken of [
      meta.next?.slice(1),
      meta.next?.slice(0, 8),
      meta.next?.slice(0, -3),
      `A${meta.next}`,
    ]) {
      const { errors } = await refusalOf(rooms, `${asked}&limit=2&cursor=${broken}`);
      expect(errors).toMatchObject([{ parameter: 'cursor' }]);
    }
  }
});
