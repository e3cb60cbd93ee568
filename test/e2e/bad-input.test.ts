import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Fleet, getJson, startFleet } from './fleet.ts';

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet(1);
});
afterAll(() => fleet[Symbol.asyncDispose]());

type Answer = { readonly status: number; readonly body: Record<string, unknown>; readonly type: string };

async function post(
  body: string | Uint8Array | ReadableStream,
  contentType: string,
  query = '',
): Promise<Answer> {
  const [node] = fleet.nodes;
  const response = await fetch(`${node?.url}/indicators${query}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${node?.token}`, 'content-type': contentType },
    body,
    ...(body instanceof ReadableStream && { duplex: 'half' }),
  } as RequestInit);
  return {
    status: response.status,
    type: response.headers.get('content-type') ?? '',
    body: (await response.json()) as Record<string, unknown>,
  };
}

type Refused = readonly { readonly row: number; readonly code: string; readonly reason: string }[];

test.each<[string, string, string, number, RegExp]>([
  ['a row that is no indicator', 'application/x-ndjson', '"not an indicator at all"', 2, /./],
  ['an unknown field', 'application/x-ndjson', '{"indicator":"bad.example.com","colour":"red"}', 2, /colour/],
  [
    'a wrong type',
    'application/x-ndjson',
    '{"indicator":"bad.example.com","confidence":[]}',
    2,
    /confidence/,
  ],
  ['a line that is no JSON', 'application/x-ndjson', '{"indicator":', 2, /JSON/],
  ['NUL bytes', 'text/plain', 'bad\0.example.com', 2, /./],
  ['a URL of 64 KiB', 'text/plain', `http://example.com/${'a'.repeat(65_000)}`, 2, /8192|24576|characters/],
  ['a line beyond the cap', 'text/plain', 'a'.repeat(70_000), 2, /65536/],
  ['a header row twice', 'text/csv', 'indicator,tags', 1, /header/],
])(
  '%s is refused with its row and a reason, and the good rows beside it are kept',
  async (_, type, bad, row, reason) => {
    const good = (n: number) =>
      type === 'application/x-ndjson' ? `"good${n}.example.com"` : `good${n}.example.com`;
    const body =
      type === 'text/csv'
        ? `indicator,tags\n${bad}\n${good(1)},x\n${good(2)},x\n`
        : `${good(1)}\n${bad}\n${good(2)}\n`;
    const answer = await post(body, type);
    expect(answer.status).toBe(201);
    expect(answer.body['accepted']).toBe(2);
    const refused = answer.body['refused'] as Refused;
    expect(refused).toHaveLength(1);
    expect(refused[0]?.row).toBe(row);
    expect(refused[0]?.reason).toMatch(reason);
  },
);

test('invalid UTF-8 costs its own row only', async () => {
  const body = Buffer.concat([
    Buffer.from('good1.example.com\nbad'),
    Buffer.from([0xff, 0xfe]),
    Buffer.from('.example.com\n'),
  ]);
  const answer = await post(body, 'text/plain');
  expect(answer.body).toMatchObject({ accepted: 1, refused: [{ row: 2, code: 'encoding' }] });
});

test.each<[string, string, string, number, RegExp]>([
  ['an unclosed JSON', 'application/json', '[{"indicator":"example.com"}', 400, /JSON/],
  ['JSON nested too deep', 'application/json', '['.repeat(100_000), 400, /nested/],
  ['a CSV without header', 'text/csv', 'example.com,malware\nexample.org,malware\n', 400, /indicator/],
  ['a CSV with an unknown column', 'text/csv', 'indicator,colour\nexample.com,red\n', 400, /colour/],
  ['an unknown type', 'application/pdf', 'x', 415, /text\/plain/],
  ['nothing but bad rows', 'text/plain', 'nothing here\n', 422, /./],
])('%s is refused whole, as a problem that says why', async (_, type, body, status, reason) => {
  const answer = await post(body, type);
  expect(answer).toMatchObject({ status, type: 'application/problem+json' });
  expect(String(answer.body['detail'])).toMatch(reason);
});

test('a body of 100 MB is cut off at the cap, announced or not', async () => {
  const chunk = Buffer.alloc(1024 * 1024, 'a');
  let sent = 0;
  const body = new ReadableStream({
    pull(controller) {
      if (sent++ < 100) controller.enqueue(chunk);
      else controller.close();
    },
  });
  const answer = await post(body, 'text/plain').catch((error: unknown) => error);
  // The connection may be gone before the client has read the answer; the node never took the rest.
  if (!(answer instanceof Error)) expect(answer).toMatchObject({ status: 413 });
  expect(sent).toBeLessThan(100);
  const announced = await post(Buffer.alloc(17 * 1024 * 1024, 'a'), 'text/plain').catch(
    (error: unknown) => error,
  );
  if (!(announced instanceof Error)) expect(announced).toMatchObject({ status: 413 });
});

test.each<[string, string]>([
  ['/indicators?limit=-1', 'limit'],
  ['/indicators?colour=red', 'colour'],
  ['/indicators?itype=ipv5', 'itype'],
  ['/indicators?confidence=11', 'confidence'],
  ['/indicators?q=example.com&q=example.org', 'q'],
  ['/indicators?nofeed=1&cursor=garbage', 'cursor'],
  ['/indicators?q=example.com&nofeed=0', 'nofeed'],
  ['/indicators?q=example.com&related=everything', 'related'],
  ['/indicators?sort=lasttime', 'sort'],
  ['/indicators?observed=2026-01-02,2026-01-01', 'observed'],
  ['/indicators?asn=x', 'asn'],
  ['/indicators?cc=xyz', 'cc'],
  ['/indicators?tlp=purple', 'tlp'],
  ['/stream?days=1', 'days'],
])('%s is a problem that names the parameter', async (path, parameter) => {
  const [node] = fleet.nodes;
  if (node === undefined) throw new Error('no node');
  const problem = await getJson(node, path);
  expect(problem).toMatchObject({ status: 400 });
  expect(problem['errors']).toMatchObject([{ parameter }]);
});

test('a q of 1 MB and a search of too many values are problems that say what is allowed', async () => {
  const [node] = fleet.nodes;
  if (node === undefined) throw new Error('no node');
  const long = await getJson(node, `/indicators?q=${'a'.repeat(1_048_576)}`);
  expect(long).toMatchObject({ status: 431, detail: expect.stringContaining('/indicators/search') });
  const response = await fetch(`${node.url}/indicators/search`, {
    method: 'POST',
    headers: { authorization: `Bearer ${node.token}`, 'content-type': 'text/plain' },
    body: 'example.com\n'.repeat(1_001),
  });
  expect(await response.json()).toMatchObject({ status: 400, errors: [{ parameter: 'indicators' }] });
});

test('without a token only health and documentation answer', async () => {
  const [node] = fleet.nodes;
  const status = async (path: string) => (await fetch(`${node?.url}${path}`)).status;
  for (const path of ['/health/live', '/health/ready', '/docs', '/docs/swagger-ui.css', '/openapi.json']) {
    expect(await status(path), path).toBe(200);
  }
  for (const path of [
    '/indicators',
    '/stream',
    '/mesh',
    '/mesh/peers',
    '/mesh/digest',
    '/mesh/events',
    '/ping',
    '/nothing',
  ]) {
    expect(await status(path), path).toBe(401);
  }
});

test('after all this the node still runs and holds the good rows', async () => {
  const [node] = fleet.nodes;
  if (node === undefined) throw new Error('no node');
  const found = await getJson(node, '/indicators?q=good1.example.com');
  expect(found['data']).toMatchObject([{ indicator: 'good1.example.com', itype: 'fqdn' }]);
});
