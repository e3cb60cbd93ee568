import { expect, test } from 'vitest';
import { bearer, openRooms } from '../../support/rooms.ts';

type Rooms = Awaited<ReturnType<typeof openRooms>>;

const json = { 'content-type': 'application/json' };

function post(rooms: Rooms, body: string, headers: Record<string, string> = json, query = '') {
  return rooms.app.request(`/indicators${query}`, {
    method: 'POST',
    headers: { ...bearer('admin'), ...headers },
    body,
  });
}

function get(rooms: Rooms, path: string, headers: Record<string, string> = {}, method = 'GET') {
  return rooms.app.request(path, { method, headers: { ...bearer('admin'), ...headers } });
}

async function expectProblem(response: Response, status: number): Promise<Record<string, unknown>> {
  expect(response.status).toBe(status);
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const problem = (await response.json()) as Record<string, unknown>;
  expect(problem).toMatchObject({
    type: 'about:blank',
    title: expect.any(String),
    status,
    detail: expect.any(String),
  });
  expect(problem['detail']).not.toMatch(/\n\s+at /);
  return problem;
}

/** Every route: which scopes let a token in. `open` needs none. */
const routes = [
  ['GET', '/health/live', 'open'],
  ['GET', '/health/ready', 'open'],
  ['GET', '/openapi.json', 'open'],
  ['GET', '/docs', 'open'],
  ['GET', '/docs/swagger-ui.css', 'open'],
  ['GET', '/ping', 'read feed write stream admin'],
  ['POST', '/indicators', 'write admin'],
  ['GET', '/indicators', 'read feed admin'],
  ['GET', '/indicators?q=example.com', 'read admin'],
  ['GET', '/indicators?nofeed=1', 'read admin'],
  ['POST', '/sightings', 'write admin'],
  ['GET', '/tags', 'read feed admin'],
  ['GET', '/providers', 'read feed admin'],
  ['GET', '/itypes', 'read feed admin'],
  ['GET', '/confidence', 'read feed admin'],
  ['GET', '/stats', 'read feed admin'],
  ['POST', '/indicators/search', 'read admin'],
  ['GET', '/stream', 'stream admin'],
  ['GET', '/mesh', 'read admin'],
  ['GET', '/mesh/peers', 'read admin'],
  ['GET', '/mesh/digest', 'read admin'],
  ['GET', '/mesh/events', 'read admin'],
  ['GET', '/metrics', 'read admin'],
  ['GET', '/webhooks', 'admin'],
] as const;

for (const [method, path, allowed] of routes) {
  test(`${method} ${path} answers ${allowed === 'open' ? 'without a token' : `tokens of ${allowed}`}`, async () => {
    await using rooms = await openRooms();
    const ask = async (headers: Record<string, string>) => {
      const response = await rooms.app.request(path, {
        method,
        headers: { ...headers, ...(method === 'POST' && json) },
        ...(method === 'POST' && { body: '[]' }),
      });
      await response.body?.cancel();
      return response;
    };
    const without = await ask({});
    if (allowed === 'open') {
      expect(without.status).toBe(200);
      return;
    }
    expect(without.status).toBe(401);
    expect(without.headers.get('www-authenticate')).toMatch(/^Bearer/);
    expect((await ask({ authorization: 'Bearer no-such-token-here' })).status).toBe(401);
    for (const scope of ['read', 'feed', 'write', 'stream', 'admin']) {
      const { status } = await ask(bearer(scope));
      expect([scope, status]).toEqual([scope, allowed.split(' ').includes(scope) ? 200 : 403]);
    }
  });
}

test('metrics are the text that they are handed in, under its own media type', async () => {
  await using rooms = await openRooms();
  const response = await get(rooms, '/metrics');
  expect(response.headers.get('content-type')).toBe(rooms.parts.metrics.contentType);
  expect(await response.text()).toBe(await rooms.parts.metrics.text());
  await expectProblem(await get(rooms, '/metrics?x=1'), 400);
});

test('a missing scope is named', async () => {
  await using rooms = await openRooms();
  const problem = await expectProblem(await rooms.app.request('/mesh', { headers: bearer('feed') }), 403);
  expect(problem['detail']).toContain('read');
});

test('an unknown path is 401 without a token and 404 with one', async () => {
  await using rooms = await openRooms();
  await expectProblem(await rooms.app.request('/nothing'), 401);
  await expectProblem(await get(rooms, '/nothing'), 404);
  await expectProblem(await get(rooms, '/docs/../../etc/passwd'), 404);
  await expectProblem(await get(rooms, '/docs/package.json'), 404);
});

test('a method that a path does not have is 405 with what it has', async () => {
  await using rooms = await openRooms();
  for (const [method, path, allow] of [
    ['DELETE', '/indicators', ['GET', 'HEAD', 'POST']],
    ['POST', '/mesh', ['GET', 'HEAD']],
    ['PUT', '/health/live', ['GET', 'HEAD']],
  ] as const) {
    const response = await get(rooms, path, {}, method);
    await expectProblem(response, 405);
    expect(response.headers.get('allow')?.split(', ').sort()).toEqual([...allow].sort());
  }
});

test('a trailing slash answers the same, for GET and POST', async () => {
  await using rooms = await openRooms();
  expect((await get(rooms, '/ping/')).status).toBe(200);
  expect((await get(rooms, '/indicators/?q=example.com')).status).toBe(200);
  const posted = await rooms.app.request('/indicators/', {
    method: 'POST',
    headers: { ...bearer('admin'), ...json },
    body: '"example.com"',
  });
  expect(posted.status).toBe(201);
  expect((await rooms.app.request('/health/live/')).status).toBe(200);
});

test('HEAD answers as GET does, without a body, and holds nothing', async () => {
  await using rooms = await openRooms();
  for (const path of ['/indicators', '/mesh', '/health/live', '/stream']) {
    const response = await get(rooms, path, {}, 'HEAD');
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('');
  }
  expect(rooms.clock.timers).toBe(0);
});

test('an unexpected error is 500 with a request id, logged, and says nothing of its cause', async () => {
  await using rooms = await openRooms();
  Object.assign(rooms.parts.store, { digest: () => Promise.reject(new Error('secret path /x')) });
  const problem = await expectProblem(await get(rooms, '/mesh/digest'), 500);
  expect(JSON.stringify(problem)).not.toContain('secret');
  expect(problem['detail']).toMatch(/[0-9a-f-]{36}/);
  expect(rooms.errors).toHaveLength(1);
});

test.each([
  ['/indicators?foo=1', 'foo'],
  ['/indicators?days=1&days=2', 'days'],
  ['/indicators?days=soon', 'days'],
  ['/indicators?itype=hostname', 'itype'],
  ['/indicators?confidence=11', 'confidence'],
  ['/indicators?confidence=7,3', 'confidence'],
  ['/indicators?limit=0', 'limit'],
  ['/indicators?limit=1e3', 'limit'],
  ['/indicators?limit=100000000', 'limit'],
  ['/indicators?nofeed=1&limit=10001', 'limit'],
  ['/indicators?nofeed=yes', 'nofeed'],
  ['/indicators?tags=', 'tags'],
  ['/indicators?q=', 'q'],
  ['/indicators?q=not%20an%20indicator', 'q'],
  ['/indicators?cursor=abc', 'cursor'],
  ['/indicators?nofeed=1&cursor=abc', 'cursor'],
  ['/stream?days=1', 'days'],
  ['/stream?itype=x', 'itype'],
  ['/stream?cursor=a&cursor=b', 'cursor'],
  ['/mesh?x=1', 'x'],
  ['/ping?x=1', 'x'],
])('%s is 400 and names %s', async (path, parameter) => {
  await using rooms = await openRooms();
  const problem = await expectProblem(await get(rooms, path), 400);
  expect(problem['errors']).toEqual([{ parameter, detail: expect.any(String) }]);
});

test.each([
  ['?ack=0', 'ack'],
  ['?ack=some', 'ack'],
  ['?tlp=purple', 'tlp'],
  ['?group=a&group=b', 'group'],
  ['?colour=red', 'colour'],
])('POST /indicators%s is 400 and names %s', async (query, parameter) => {
  await using rooms = await openRooms();
  const problem = await expectProblem(await post(rooms, '[]', json, query), 400);
  expect(problem['errors']).toEqual([{ parameter, detail: expect.any(String) }]);
});

test('every format of a submission is taken, and each row is answered', async () => {
  await using rooms = await openRooms();
  for (const [type, body] of [
    ['application/json', '{"indicator":"a.example.com"}'],
    ['application/json; charset=utf-8', '["b.example.com",{"indicator":"c.example.com"}]'],
    ['application/x-ndjson', '"d.example.com"\n{"indicator":"e.example.com"}\n'],
    ['text/csv', 'indicator,tags\nf.example.com,malware\n'],
    ['text/plain', 'g.example.com\nhxxp://h[.]example[.]com/x\n'],
  ] as const) {
    const response = await post(rooms, body, { 'content-type': type });
    expect(response.status).toBe(201);
    expect(await response.json()).toMatchObject({ refused: [], ack: { wanted: 1, reached: 'local' } });
  }
  expect(rooms.store.count()).toBe(8);
});

test('good rows beside bad ones are kept; only bad ones are 422 with each reason; none at all is 200', async () => {
  await using rooms = await openRooms();
  const mixed = await post(rooms, '["a.example.com","not an indicator"]');
  expect(mixed.status).toBe(201);
  expect(await mixed.json()).toMatchObject({ accepted: 1, created: 1, refused: [{ row: 2 }] });
  const none = await expectProblem(await post(rooms, '["not an indicator"]'), 422);
  expect(none).toMatchObject({
    accepted: 0,
    refused: [{ row: 1, code: expect.any(String), reason: expect.any(String) }],
  });
  expect((await post(rooms, '[]')).status).toBe(200);
});

test.each([
  ['{"a":', json, 400],
  ['tags\nx\n', { 'content-type': 'text/csv' }, 400],
  ['<x/>', { 'content-type': 'application/xml' }, 415],
])('the body %j is refused', async (body, headers, status) => {
  await using rooms = await openRooms();
  await expectProblem(await post(rooms, body, headers), status);
});

test('a body above 16 MiB is 413 and names the cap, with and without Content-Length', async () => {
  await using rooms = await openRooms();
  const chunk = new Uint8Array(1024 * 1024).fill(32);
  let sent = 0;
  const endless = new ReadableStream({
    pull(controller) {
      sent++;
      controller.enqueue(chunk);
    },
  });
  const response = await rooms.app.request('/indicators', {
    method: 'POST',
    headers: { ...bearer('admin'), ...json },
    body: endless,
    duplex: 'half',
  } as RequestInit);
  const problem = await expectProblem(response, 413);
  expect(problem['detail']).toMatch(/16 ?MiB|16777216/);
  expect(sent).toBeLessThan(20);
  await expectProblem(await post(rooms, '[]', { ...json, 'content-length': String(17 * 1024 * 1024) }), 413);
});

test('a feed and a query answer in JSON, CSV and NDJSON with the same rows and the mode', async () => {
  await using rooms = await openRooms();
  await post(
    rooms,
    '[{"indicator":"a.example.com","confidence":9},{"indicator":"b.example.com","confidence":9}]',
  );
  for (const query of ['', '?nofeed=1']) {
    const asJson = await get(rooms, `/indicators${query}`);
    const { meta, data } = (await asJson.json()) as { meta: Record<string, unknown>; data: unknown[] };
    expect(meta).toMatchObject({
      mode: query === '' ? 'feed' : 'query',
      count: 2,
      defaults: expect.any(Object),
    });
    expect(data).toHaveLength(2);
    const asCsv = await get(rooms, `/indicators${query}`, { accept: 'text/csv' });
    expect(asCsv.headers.get('tocsin-mode')).toBe(meta['mode']);
    expect((await asCsv.text()).trim().split('\n')).toHaveLength(3);
    const asLines = await get(rooms, `/indicators${query}`, { accept: 'application/x-ndjson' });
    expect(
      (await asLines.text())
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(data);
  }
  await expectProblem(await get(rooms, '/indicators', { accept: 'image/png' }), 406);
});

test('a query is paged by its cursor to the end, each record once', async () => {
  await using rooms = await openRooms();
  await rooms.submit(...Array.from({ length: 25 }, (_, i) => `h${i}.example.com`));
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const path: string = `/indicators?nofeed=1&limit=10${cursor === undefined ? '' : `&cursor=${cursor}`}`;
    const page = (await (await get(rooms, path)).json()) as {
      meta: { next?: string };
      data: { indicator: string }[];
    };
    seen.push(...page.data.map(({ indicator }) => indicator));
    cursor = page.meta.next;
  } while (cursor !== undefined);
  expect(new Set(seen).size).toBe(25);
  expect(seen).toHaveLength(25);
});

test('a page that ends at the longest URL can be gone on from', async () => {
  await using rooms = await openRooms();
  const long = (name: string) => `http://${name}.example.com/${'a'.repeat(8_100)}`;
  const outcome = await rooms.submit(long('a'), long('b'));
  expect(outcome.refused).toEqual([]);
  const first = await get(rooms, '/indicators?nofeed=1&limit=1');
  const { meta } = (await first.json()) as { meta: { next: string } };
  // Node refuses a request or an answer whose headers exceed 16 KiB.
  expect(meta.next.length).toBeLessThan(12_000);
  const second = await get(rooms, `/indicators?nofeed=1&limit=1&cursor=${meta.next}`);
  expect(((await second.json()) as { data: unknown[] }).data).toHaveLength(1);
});

test('readiness is 200 or 503 with the reason', async () => {
  await using rooms = await openRooms();
  expect(await (await rooms.app.request('/health/ready')).json()).toMatchObject({ ready: true });
  rooms.setReady(false);
  const response = await rooms.app.request('/health/ready');
  expect(response.status).toBe(503);
  expect(await response.json()).toMatchObject({ ready: false, reason: 'catching up' });
});

test('the mesh shows this node, its peers and its digest', async () => {
  await using rooms = await openRooms();
  await rooms.submit('a.example.com');
  const self = (await (await get(rooms, '/mesh')).json()) as Record<string, unknown>;
  expect(self).toMatchObject({
    id: rooms.identity.nodeId,
    name: 'node-1',
    ready: true,
    peers: 0,
    records: 1,
  });
  expect(await (await get(rooms, '/mesh/digest')).json()).toEqual({
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    records: 1,
    vector: { [rooms.identity.nodeId]: { up_to: 1, above: [] } },
  });
});

test('the documentation loads nothing from elsewhere', async () => {
  await using rooms = await openRooms();
  const page = await rooms.app.request('/docs');
  const html = await page.text();
  expect(html).not.toMatch(/https?:\/\//);
  expect(page.headers.get('content-security-policy')).toMatch(/default-src 'none'.*script-src 'self'/);
  expect(page.headers.get('content-security-policy')).toMatch(/frame-ancestors 'none'/);
  const files = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path ?? '');
  for (const file of files) expect((await rooms.app.request(file)).status).toBe(200);
  const start = files.find((file) => file.endsWith('start.js')) ?? '';
  // Else Swagger UI sends the document's address to validator.swagger.io.
  expect(await (await rooms.app.request(start)).text()).toMatch(/validatorUrl/);
});

test('every answer forbids guessing its type, problems and feeds too', async () => {
  await using rooms = await openRooms();
  for (const path of ['/ping', '/indicators', '/nothing', '/health/live']) {
    expect((await get(rooms, path)).headers.get('x-content-type-options')).toBe('nosniff');
  }
});
