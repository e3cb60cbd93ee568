import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { bearer } from '../../support/rooms.ts';
import { serveRooms } from '../../support/served-rooms.ts';

type Event = { id: string; type: string; cursor: string; source: string; data: Record<string, unknown> };

/** A client that keeps what comes until it is asked for. */
function open(port: number, query = '', headers: Record<string, string> = bearer('stream')) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/stream/ws${query}`, { headers });
  const frames: Event[] = [];
  let came = (): void => undefined;
  socket.on('message', (data, isBinary) => {
    expect(isBinary).toBe(false);
    frames.push(JSON.parse(String(data)));
    came();
  });
  const closed = once(socket, 'close') as Promise<[code: number, reason: Buffer]>;
  return {
    socket,
    closed,
    async next(): Promise<Event> {
      while (frames.length === 0) {
        await new Promise<void>((resolve) => {
          came = resolve;
        });
      }
      const [frame] = frames.splice(0, 1);
      if (frame === undefined) throw new Error('no frame');
      return frame;
    },
  };
}

/** What the server answers instead of becoming a WebSocket. */
async function refusal(port: number, query: string, headers: Record<string, string>) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/stream/ws${query}`, { headers });
  socket.on('error', () => undefined);
  const [, response] = await once(socket, 'unexpected-response');
  let text = '';
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode, headers: response.headers, problem: JSON.parse(text) };
}

test('frames are the CloudEvents of the stream, and a cursor goes on where it ended', async () => {
  await using node = await serveRooms();
  const first = open(node.port, '?itype=ipv4');
  const connected = await first.next();
  expect(connected).toMatchObject({ type: 'tocsin.stream.connected', source: node.identity.nodeId });
  await node.submit('a.example.com', '192.0.2.1');
  const created = await first.next();
  expect(created).toMatchObject({ type: 'tocsin.indicator.created', data: { indicator: '192.0.2.1' } });
  first.socket.close();
  expect((await first.closed)[0]).toBe(1005);
  await node.submit('192.0.2.2');
  const second = open(node.port, `?itype=ipv4&cursor=${created.cursor}`);
  expect(await second.next()).toMatchObject({ type: 'tocsin.stream.connected' });
  expect(await second.next()).toMatchObject({ data: { indicator: '192.0.2.2' } });
  second.socket.terminate();
  await second.closed;
  await expect.poll(() => node.readers.now().get('websocket')).toBe(0);
  expect(node.clock.timers).toBe(0);
});

test('twenty thousand changes come each once and in order, also to one that begins at the first', async () => {
  await using node = await serveRooms();
  const live = open(node.port);
  const { data } = await live.next();
  const values = Array.from({ length: 20_000 }, (_, i) => `h${i}.example.com`);
  for (let i = 0; i < values.length; i += 1_000) await node.submit(...values.slice(i, i + 1_000));
  const later = open(node.port, `?cursor=${data['first']}`);
  await later.next();
  for (const { next } of [live, later]) {
    for (const value of values) {
      const { indicator } = (await next()).data;
      if (indicator !== value) throw new Error(`${indicator} instead of ${value}`);
    }
  }
  for (const { socket, closed } of [live, later]) {
    socket.terminate();
    await closed;
  }
}, 30_000);

test.each([
  ['without a token', '', {}, 401],
  ['with a token that may not read it', '', bearer('read'), 403],
  ['with a parameter that is wrong', '?itype=nonsense', bearer('stream'), 400],
  ['with a parameter that there is not', '?days=3', bearer('stream'), 400],
  ['with a value to watch that is none', '?q=%20', bearer('stream'), 400],
  ['with a ticket that is none', '?ticket=x', {}, 401],
])('%s it is refused in HTTP', async (_, query, headers, status) => {
  await using node = await serveRooms();
  const refused = await refusal(node.port, query, headers as Record<string, string>);
  expect(refused.status).toBe(status);
  expect(refused.headers['content-type']).toBe('application/problem+json');
  expect(refused.problem).toMatchObject({ status, detail: expect.any(String), instance: '/stream/ws' });
});

test('when there are as many readers as it takes, one more is told when to come back', async () => {
  await using node = await serveRooms();
  Object.assign(node.readers, { isFull: () => true });
  const refused = await refusal(node.port, '', bearer('stream'));
  expect(refused.status).toBe(503);
  expect(refused.headers['retry-after']).toBe('30');
});

test('a request that asks for no WebSocket is told to', async () => {
  await using node = await serveRooms();
  const response = await fetch(`${node.url}/stream/ws`, { headers: bearer('stream') });
  expect([response.status, response.headers.get('upgrade')]).toEqual([426, 'websocket']);
  expect(await response.json()).toMatchObject({ status: 426, detail: expect.stringContaining('ws://') });
});

/** Writes a request by hand and reads all of the answer. */
async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(text);
  let answer = '';
  for await (const chunk of socket) answer += chunk;
  return answer;
}

test('a handshake that is none is refused in HTTP', async () => {
  await using node = await serveRooms();
  const answer = await raw(
    node.port,
    `GET /stream/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Authorization: ${bearer('stream')['authorization']}\r\n\r\n`,
  );
  expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
  expect(answer).toContain('application/problem+json');
});

test.each([
  ['GET /health/live', '', '200'],
  ['GET /ping', '', '401'],
  ['GET /stream/ws', `Authorization: ${bearer('stream')['authorization']}\r\n`, '426'],
])('%s of a client that wishes for HTTP/2 is answered in HTTP/1.1', async (line, headers, status) => {
  await using node = await serveRooms();
  const answer = await raw(
    node.port,
    `${line} HTTP/1.1\r\nHost: x\r\n${headers}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n` +
      `GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
  );
  expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual([`HTTP/1.1 ${status}`, 'HTTP/1.1 200']);
});

test('the body of a request that wishes for HTTP/2 is taken', async () => {
  await using node = await serveRooms();
  const socket = connect(node.port, '127.0.0.1');
  const body = '"a.example.com"';
  socket.write(
    `POST /indicators HTTP/1.1\r\nHost: x\r\nAuthorization: ${bearer('write')['authorization']}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${body.length}\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n${body.slice(0, 5)}`,
  );
  setImmediate(() => socket.write(body.slice(5)));
  const [answer] = await once(socket, 'data');
  expect(String(answer)).toMatch(/^HTTP\/1\.1 201 /);
  socket.destroy();
});

test('a ticket opens one WebSocket without a token, once', async () => {
  await using node = await serveRooms();
  const response = await fetch(`${node.url}/stream/ticket`, { method: 'POST', headers: bearer('stream') });
  expect(response.status).toBe(201);
  const { ticket, expires } = (await response.json()) as { ticket: string; expires: string };
  expect(Date.parse(expires) - node.clock.wallMs()).toBe(60_000);
  const client = open(node.port, `?ticket=${ticket}`, {});
  expect((await client.next()).type).toBe('tocsin.stream.connected');
  expect((await refusal(node.port, `?ticket=${ticket}`, {})).status).toBe(401);
  client.socket.terminate();
  await client.closed;
});

test('silence is broken every 15 s, with a cursor behind what was not wanted', async () => {
  await using node = await serveRooms();
  const client = open(node.port, '?itype=ipv4');
  await client.next();
  await node.submit('a.example.com');
  await expect.poll(() => node.clock.timers).toBe(2);
  node.clock.advance(15_000);
  const alive = await client.next();
  expect(alive).toMatchObject({ type: 'tocsin.stream.alive', cursor: node.streamLog.lastCursor() });
  client.socket.terminate();
  await client.closed;
});

test('a peer that does not answer two pings is gone; one that does stays', async () => {
  await using node = await serveRooms();
  const well = open(node.port);
  await well.next();
  const mute = connect(node.port, '127.0.0.1');
  mute.on('error', () => undefined);
  const gone = once(mute, 'close');
  mute.write(
    `GET /stream/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
      `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\nAuthorization: ${bearer('stream')['authorization']}\r\n\r\n`,
  );
  mute.resume();
  await expect.poll(() => node.readers.now().get('websocket')).toBe(2);
  for (let i = 0; i < 3; i++) {
    const pinged = once(well.socket, 'ping');
    node.clock.advance(15_000);
    await pinged;
    // Its pong has come once what was sent behind it is answered.
    const ponged = once(well.socket, 'pong');
    well.socket.ping();
    await ponged;
  }
  await gone;
  expect(node.readers.now().get('websocket')).toBe(1);
  expect(well.socket.readyState).toBe(WebSocket.OPEN);
  well.socket.terminate();
  await well.closed;
});

test('a reader that takes nothing for a minute is let go, and holds no more than a step', async () => {
  await using node = await serveRooms();
  const stuck = open(node.port);
  await stuck.next();
  stuck.socket.pause();
  const description = 'x'.repeat(2_000);
  const batch = (i: number) =>
    Array.from({ length: 500 }, (_, j) => ({ indicator: `h${i * 500 + j}.example.com`, description }));
  // What the kernel takes of both sides is a few MB.
  for (let i = 0; i < 20; i++) await node.submit(...batch(i));
  // Its timers: the next ping, and that of the write which does not end.
  await expect.poll(() => node.clock.timers).toBe(2);
  const other = open(node.port, `?cursor=${node.streamLog.lastCursor()}`);
  await other.next();
  node.clock.advance(60_000);
  await expect.poll(() => node.readers.now().get('websocket')).toBe(1);
  expect(node.readers.counted().get('stuck')).toBe(1);
  stuck.socket.resume();
  expect((await stuck.closed)[0]).toBe(1006);
  other.socket.terminate();
  await other.closed;
}, 30_000);

test('a message of the client is dropped, one that is too long ends it', async () => {
  await using node = await serveRooms();
  const client = open(node.port);
  await client.next();
  client.socket.send('hello');
  await node.submit('a.example.com');
  expect((await client.next()).data).toMatchObject({ indicator: 'a.example.com' });
  client.socket.send('x'.repeat(2_000));
  expect((await client.closed)[0]).toBe(1009);
});

test('a node that stops says so with 1001, also to who does not listen any more', async () => {
  await using node = await serveRooms();
  const client = open(node.port);
  await client.next();
  const stopped = node.server.stop();
  expect((await client.closed)[0]).toBe(1001);
  await stopped;
  expect(node.errors).toEqual([]);
});

test('a gap is the last frame', async () => {
  await using node = await serveRooms();
  Object.assign(node.parts.streamLog, {
    next: async (position: number) => ({ messages: [], position: position + 2, missed: 2 }),
  });
  const client = open(node.port);
  await client.next();
  const gap = await client.next();
  expect(gap).toMatchObject({ type: 'tocsin.stream.gap', cursor: gap.data['cursor'], data: { missed: 2 } });
  expect((await client.closed)[0]).toBe(1000);
  expect(node.readers.counted().get('gap')).toBe(1);
});
