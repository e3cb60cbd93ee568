import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { serverLimits, startServer } from '../../../src/facade/server.ts';
import { bearer, manualClock, openRooms } from '../../support/rooms.ts';

async function serve() {
  const rooms = await openRooms();
  const server = await startServer(rooms.app.fetch, '127.0.0.1', 0, rooms.clock);
  return {
    ...rooms,
    server,
    url: server.url,
    port: Number(new URL(server.url).port),
    async [Symbol.asyncDispose]() {
      await server.stop();
      await rooms[Symbol.asyncDispose]();
    },
  };
}

async function rawAnswer(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(text);
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  socket.on('error', () => undefined);
  await once(socket, 'close');
  return answer;
}

test('a port that is taken is told by a code', async () => {
  await using node = await serve();
  await expect(startServer(node.app.fetch, '127.0.0.1', node.port, manualClock())).rejects.toMatchObject({
    code: 'ADDRESS_IN_USE',
  });
});

test('100 MB of body is 413, and is not held', async () => {
  await using node = await serve();
  const before = process.memoryUsage().rss;
  const outgoing = request(`${node.url}/indicators`, {
    method: 'POST',
    headers: { ...bearer('admin'), 'content-type': 'text/plain' },
  });
  const answered = once(outgoing, 'response');
  outgoing.on('error', () => undefined).setMaxListeners(0);
  const chunk = Buffer.alloc(1024 * 1024, 'a');
  let peak = before;
  for (let i = 0; i < 100 && !outgoing.destroyed; i++) {
    if (!outgoing.write(chunk))
      await Promise.race([once(outgoing, 'drain'), once(outgoing, 'close')]).catch(() => undefined);
    peak = Math.max(peak, process.memoryUsage().rss);
  }
  outgoing.end();
  const [response] = await answered;
  expect(response.statusCode).toBe(413);
  expect(response.headers['content-type']).toBe('application/problem+json');
  response.resume();
  expect(peak - before).toBeLessThan(80 * 1024 * 1024);
});

test.each([
  ['a host that is none', 'GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n', 400],
  ['no HTTP at all', 'nonsense\r\n\r\n', 400],
  ['headers without end', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(70_000)}\r\n\r\n`, 431],
  ['a backslash in the path', 'GET /a\\b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', 400],
])('%s is answered as a problem', async (_, text, status) => {
  await using node = await serve();
  const answer = await rawAnswer(node.port, text);
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(answer.toLowerCase()).toContain('content-type: application/problem+json');
});

test('a q of 1 MB is a problem that says where long values go, however often it is sent', async () => {
  await using node = await serve();
  for (const length of [17_000, 70_000, 1_048_576]) {
    const path = `/indicators?q=${'a'.repeat(length)}`;
    const answer = await rawAnswer(node.port, `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(answer).toContain('application/problem+json');
    expect(answer).toContain('POST /indicators/search');
    const response = await fetch(`${node.url}${path}`, { headers: bearer('read') });
    expect(response.status).toBe(431);
    expect(await response.json()).toMatchObject({ status: 431, detail: expect.stringContaining('16 KiB') });
  }
  const long = await fetch(`${node.url}/indicators?q=http://example.com/${'a'.repeat(8_100)}`, {
    headers: bearer('read'),
  });
  expect(await long.json()).toMatchObject({ data: [] });
});

test('stopping ends streams and idle connections at once, and twice is safe', async () => {
  await using node = await serve();
  const stream = await fetch(`${node.url}/stream`, { headers: bearer('stream') });
  const body = stream.body?.getReader();
  await body?.read();
  await (await fetch(`${node.url}/ping`, { headers: bearer('read') })).text();
  const started = performance.now();
  await Promise.all([node.server.stop(), node.server.stop()]);
  await body?.read().catch(() => undefined);
  expect(performance.now() - started).toBeLessThan(1_000);
});

test('a submission under way is answered before the server is gone', async () => {
  await using node = await serve();
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const submit = node.intake.submit.bind(node.intake);
  let entered = (): void => undefined;
  const inside = new Promise<void>((resolve) => {
    entered = resolve;
  });
  Object.assign(node.parts.intake, {
    async submit(...args: Parameters<typeof submit>) {
      entered();
      await held;
      return submit(...args);
    },
  });
  const answer = fetch(`${node.url}/indicators`, {
    method: 'POST',
    headers: { ...bearer('admin'), 'content-type': 'application/json' },
    body: '"a.example.com"',
  });
  await inside;
  const stopping = node.server.stop();
  release();
  expect((await answer).status).toBe(201);
  await stopping;
});

test('a subscriber that does not read costs no memory and stalls nobody', async () => {
  await using node = await serve();
  const slow = connect(node.port, '127.0.0.1');
  slow.pause();
  slow.on('error', () => undefined);
  slow.write(
    `GET /stream HTTP/1.1\r\nHost: x\r\nAuthorization: ${bearer('stream')['authorization']}\r\n\r\n`,
  );
  const quick = await fetch(`${node.url}/stream`, { headers: bearer('stream') });
  const body = quick.body?.getReader();
  let seen = 0;
  let text = '';
  const count = async (wanted: number): Promise<void> => {
    while (seen < wanted) {
      const chunk = await body?.read();
      if (chunk === undefined || chunk.done) throw new Error('the stream ended');
      text += Buffer.from(chunk.value).toString();
      const parts = text.split('\n\n');
      text = parts.pop() ?? '';
      seen += parts.filter((part) => part.includes('event: indicator')).length;
    }
  };
  for (let i = 0; i < 30; i++) {
    await node.submit(
      ...Array.from({ length: 500 }, (_, j) => `http://h${i}-${j}.example.com/${'x'.repeat(1_000)}`),
    );
    await count((i + 1) * 500);
  }
  expect(seen).toBe(15_000);
  slow.destroy();
  await body?.cancel();
}, 60_000);

test('a client that takes nothing is disconnected once its time is over', async () => {
  await using rooms = await openRooms();
  let left = (): void => undefined;
  const gone = new Promise<void>((resolve) => {
    left = resolve;
  });
  const server = await startServer(
    (request, bindings) => {
      bindings.outgoing?.once('close', left);
      return rooms.app.fetch(request, bindings);
    },
    '127.0.0.1',
    0,
    rooms.clock,
    { ...serverLimits, idleMsMax: 300 },
  );
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(
    `GET /stream HTTP/1.1\r\nHost: x\r\nAuthorization: ${bearer('stream')['authorization']}\r\n\r\n`,
  );
  await once(socket, 'data');
  socket.pause();
  for (let i = 0; i < 20; i++)
    await rooms.submit(
      ...Array.from({ length: 500 }, (_, j) => `http://h${i}-${j}.example.com/${'x'.repeat(2_000)}`),
    );
  await gone;
  socket.destroy();
  await server.stop();
});

test('an answer that takes longer than that is waited for', async () => {
  const server = await startServer(
    async (_, { incoming }) => {
      if (incoming !== undefined) await once(incoming.socket, 'timeout');
      return new Response('at last');
    },
    '127.0.0.1',
    0,
    manualClock(),
    { ...serverLimits, idleMsMax: 50 },
  );
  const response = await fetch(server.url);
  expect(await response.text()).toBe('at last');
  await server.stop();
});
