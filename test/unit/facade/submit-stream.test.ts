import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { serverLimits, startServer } from '../../../src/facade/server.ts';
import { submitStreamLimits } from '../../../src/facade/submit-stream.ts';
import { IntakeError } from '../../../src/intake/intake.ts';
import { bearer, openRooms } from '../../support/rooms.ts';
import { openRowStream, streamHeaders } from '../../support/row-stream-client.ts';

async function serve(limits: Partial<Record<keyof typeof serverLimits, number>> = {}) {
  const rooms = await openRooms();
  const server = await startServer(rooms.app.fetch, '127.0.0.1', 0, rooms.clock, {
    ...serverLimits,
    ...limits,
  });
  const { submit } = rooms.intake;
  return {
    ...rooms,
    server,
    port: Number(new URL(server.url).port),
    url: `${server.url}/indicators`,
    /** Puts something before each submission. */
    before(act: (rows: number) => Promise<void>) {
      Object.assign(rooms.parts.intake, {
        async submit(...args: Parameters<typeof submit>) {
          await act(args[0].length);
          return submit(...args);
        },
      });
    },
    async [Symbol.asyncDispose]() {
      await server.stop();
      await rooms[Symbol.asyncDispose]();
    },
  };
}

const head =
  `POST /indicators HTTP/1.1\r\nHost: x\r\nAuthorization: ${bearer('write')['authorization']}\r\n` +
  `Content-Type: application/x-ndjson\r\nAccept: application/x-ndjson\r\n`;

const chunk = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;

/** A gate that opens once. */
function gate() {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

test('each group of rows is answered on the same connection while more can come', async () => {
  await using node = await serve();
  const stream = await openRowStream(`${node.url}?tags=malware`, bearer('write'));
  expect(stream.incoming.statusCode).toBe(200);
  expect(stream.incoming.headers).toMatchObject({
    'content-type': 'application/x-ndjson',
    'x-content-type-options': 'nosniff',
  });
  stream.outgoing.write('"a.example.com"\n');
  expect(await stream.next()).toEqual({
    rows: { first: 1, last: 1 },
    accepted: 1,
    created: 1,
    updated: 0,
    refused: [],
    ack: { wanted: 1, reached: 'local' },
    events: { first: expect.stringMatching(/-1$/), last: expect.stringMatching(/-1$/) },
  });
  stream.outgoing.write('\n{"indicator":\n"b.example.com"\n"a.example.com"\n"half');
  expect(await stream.next()).toMatchObject({
    rows: { first: 3, last: 5 },
    accepted: 2,
    created: 1,
    updated: 1,
    refused: [{ row: 3, code: 'bad-json' }],
  });
  stream.outgoing.end('.example.com"');
  expect(await stream.rest()).toMatchObject([{ rows: { first: 6, last: 6 }, accepted: 1 }]);
  const found = await node.store.count();
  expect(found).toBe(3);
});

test('many writes of one turn are one group', async () => {
  await using node = await serve();
  const stream = await openRowStream(node.url, bearer('write'));
  for (let i = 0; i < 20; i++) stream.outgoing.write(`"h${i}.example.com"\n`);
  stream.outgoing.end();
  const answers = await stream.rest();
  expect(answers.at(-1)?.rows?.last).toBe(20);
  expect(answers.length).toBeLessThan(5);
});

test('a stream has no limit of bytes or rows, and its answers come in the order of the rows', async () => {
  await using node = await serve();
  const stream = await openRowStream(`${node.url}?ack=local`, bearer('write'));
  const rows = 60_000;
  const answered = stream.rest();
  let text = '';
  for (let i = 0; i < rows; i++) {
    // All but a few are refused: what is measured is the stream, not the store.
    text += i % 1_000 === 0 ? `"h${i}.example.com"\n` : `"${'x'.repeat(400)}"\n`;
    if (text.length < 64 * 1024) continue;
    if (!stream.outgoing.write(text)) await once(stream.outgoing, 'drain');
    text = '';
  }
  stream.outgoing.end(text);
  const answers = await answered;
  let last = 0;
  for (const answer of answers) {
    expect(answer.rows?.first).toBe(last + 1);
    last = answer.rows?.last ?? 0;
  }
  expect(last).toBe(rows);
  expect(answers.reduce((sum, { accepted = 0 }) => sum + accepted, 0)).toBe(rows / 1_000);
  expect(answers.flatMap(({ refused = [] }) => refused).length).toBe(rows - rows / 1_000);
}, 60_000);

test('several groups are under way at once', async () => {
  await using node = await serve();
  const held = gate();
  let entered = 0;
  node.before(async () => {
    entered += 1;
    await held.opened;
  });
  const stream = await openRowStream(node.url, bearer('write'));
  for (let i = 1; i <= 3; i++) {
    stream.outgoing.write(`"h${i}.example.com"\n`);
    await expect.poll(() => entered).toBe(i);
  }
  held.open();
  expect(await stream.next()).toMatchObject({ rows: { first: 1, last: 1 } });
  expect(await stream.next()).toMatchObject({ rows: { first: 2, last: 2 } });
  stream.outgoing.end();
  expect(await stream.rest()).toMatchObject([{ rows: { first: 3, last: 3 } }]);
});

test('what is not answered is bounded: beyond it the body is not read', async () => {
  await using node = await serve();
  const held = gate();
  let taken = 0;
  node.before(async (rows) => {
    taken += rows;
    await held.opened;
  });
  const stream = await openRowStream(node.url, bearer('write'));
  const text = `"${'x'.repeat(300)}"\n`.repeat(1_000);
  let sent = 0;
  const answered = stream.rest();
  while (stream.outgoing.write(text) || (await drained(stream.outgoing))) sent += 1_000;
  expect(taken).toBeGreaterThanOrEqual(submitStreamLimits.rowsMax);
  expect(taken).toBeLessThan(submitStreamLimits.rowsMax + 20_000);
  held.open();
  stream.outgoing.end();
  const answers = await answered;
  expect(answers.at(-1)?.rows?.last).toBeGreaterThan(sent);
}, 30_000);

/** False when it does not within a while, in which nothing else goes on. */
async function drained(outgoing: NodeJS.EventEmitter): Promise<boolean> {
  return Promise.race([
    once(outgoing, 'drain').then(() => true),
    new Promise<boolean>((resolve) => setTimeout(resolve, 500, false)),
  ]);
}

test('a busy node is waited for', async () => {
  await using node = await serve();
  let busy = true;
  Object.assign(node.parts.intake, { hasRoomFor: () => !busy });
  const stream = await openRowStream(node.url, bearer('write'));
  stream.outgoing.write('"a.example.com"\n');
  await expect.poll(() => node.clock.timers).toBeGreaterThan(0);
  busy = false;
  node.clock.advance(submitStreamLimits.busyMs);
  expect(await stream.next()).toMatchObject({ accepted: 1 });
  stream.outgoing.end();
  expect(await stream.rest()).toEqual([]);
});

test('a store that broke ends the stream with why, behind the answers that came before', async () => {
  await using node = await serve();
  const held = gate();
  let groups = 0;
  node.before(async () => {
    groups += 1;
    if (groups > 1) throw new IntakeError('BROKEN', 'the disk is full');
    await held.opened;
  });
  const stream = await openRowStream(node.url, bearer('write'));
  stream.outgoing.write('"a.example.com"\n');
  await expect.poll(() => groups).toBe(1);
  stream.outgoing.write('"b.example.com"\n');
  await expect.poll(() => groups).toBe(2);
  held.open();
  expect(await stream.rest()).toMatchObject([
    { rows: { first: 1, last: 1 } },
    { error: { status: 503, code: 'BROKEN', detail: 'the disk is full', type: 'about:blank' } },
  ]);
});

test('a fault of ours is told and logged under the same id', async () => {
  await using node = await serve();
  node.before(() => Promise.reject(new Error('a bug')));
  const stream = await openRowStream(node.url, bearer('write'));
  stream.outgoing.write('"a.example.com"\n');
  expect(await stream.rest()).toMatchObject([{ error: { status: 500, request_id: expect.any(String) } }]);
  expect(node.errors).toHaveLength(1);
});

test('when the intake stops, what it took is answered, and the last line says so', async () => {
  await using node = await serve();
  const stream = await openRowStream(node.url, bearer('write'));
  stream.outgoing.write('"a.example.com"\n');
  await stream.next();
  await node.intake.stop();
  stream.outgoing.write('"b.example.com"\n');
  expect(await stream.rest()).toMatchObject([{ error: { status: 503, code: 'STOPPED' } }]);
});

test('the server stops with idle and with busy streams, and answers what was taken', async () => {
  await using node = await serve();
  const idle = await openRowStream(node.url, bearer('write'));
  const held = gate();
  let entered = 0;
  node.before(async () => {
    entered += 1;
    await held.opened;
  });
  const busy = await openRowStream(node.url, bearer('write'));
  busy.outgoing.write('"a.example.com"\n"b');
  await expect.poll(() => entered).toBe(1);
  const started = performance.now();
  const stopped = node.server.stop();
  expect(await idle.rest()).toMatchObject([{ error: { code: 'STOPPED' } }]);
  held.open();
  expect(await busy.rest()).toMatchObject([
    { rows: { first: 1, last: 1 }, accepted: 1 },
    { error: { code: 'STOPPED' } },
  ]);
  await stopped;
  expect(performance.now() - started).toBeLessThan(3_000);
});

test('of a client that goes away, the whole lines that came are stored', async () => {
  await using node = await serve();
  const socket = connect(node.port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(
    `${head}Transfer-Encoding: chunked\r\n\r\n${chunk('"a.example.com"\n"b.example.com"\n"c.exam')}`,
  );
  await once(socket, 'data');
  socket.destroy();
  await expect.poll(() => node.store.count()).toBe(2);
  expect(node.errors).toEqual([]);
});

test('what had come before a client went away is stored, although there was no room for it then', async () => {
  await using node = await serve();
  const held = gate();
  let taken = 0;
  node.before(async (rows) => {
    taken += rows;
    await held.opened;
  });
  const socket = connect(node.port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n`);
  await once(socket, 'data');
  const rows = submitStreamLimits.rowsMax + 2_000;
  for (let i = 0; i < rows; i += 1_000) socket.write(chunk('1\n'.repeat(1_000)));
  await expect.poll(() => taken).toBeGreaterThanOrEqual(submitStreamLimits.rowsMax);
  socket.end();
  held.open();
  await expect.poll(() => taken).toBe(rows);
});

test('a client that never reads its answers holds no more than the caps, and is let go', async () => {
  await using node = await serve({ idleMsMax: 400 });
  const socket = connect(node.port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.pause();
  socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n`);
  // Refusals are answers of many bytes for few.
  const rows = chunk('"x y"\n'.repeat(2_000));
  let gone = false;
  const closed = new Promise<void>((resolve) => {
    socket.on('close', () => {
      gone = true;
      resolve();
    });
  });
  let sent = 0;
  while (!gone && sent < 1_000) {
    sent += 1;
    if (!socket.write(rows))
      await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), closed]);
  }
  await closed;
  expect(sent).toBeLessThan(1_000);
}, 30_000);

test('a stream outlives the time that other requests and silent connections are given', async () => {
  await using node = await serve({
    requestMsMax: 200,
    headersMsMax: 200,
    slowCheckEveryMs: 50,
    idleMsMax: 200,
  });
  const stream = await openRowStream(node.url, bearer('write'));
  const slow = request(node.url, {
    method: 'POST',
    headers: { ...bearer('write'), 'content-type': 'text/plain' },
  });
  slow.on('error', () => undefined);
  slow.write('a.example.com\n');
  // An ordinary request is cut off by then; which it is shows that the time has come.
  await once(slow, 'close').catch(() => undefined);
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    stream.outgoing.write(`"h${i}.example.com"\n`);
    expect(await stream.next()).toMatchObject({ accepted: 1 });
  }
  stream.outgoing.end();
  expect(await stream.rest()).toEqual([]);
});

test('nonsense in the middle of the body ends the connection, and is not answered into the stream', async () => {
  await using node = await serve();
  const socket = connect(node.port, '127.0.0.1');
  socket.on('error', () => undefined);
  let answer = '';
  socket.on('data', (data) => {
    answer += data;
  });
  socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n${chunk('"a.example.com"\n')}`);
  await expect.poll(() => answer).toContain('"accepted":1');
  socket.write('no length of a chunk\r\n');
  await once(socket, 'close');
  expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
});

test('a body with a length is a stream as well, and the connection is used again', async () => {
  await using node = await serve();
  const socket = connect(node.port, '127.0.0.1');
  let answer = '';
  socket.on('data', (data) => {
    answer += data;
  });
  for (let i = 1; i <= 2; i++) {
    const body = `"h${i}.example.com"\n`;
    socket.write(`${head}Content-Length: ${body.length}\r\n\r\n${body}`);
    await expect.poll(() => answer.match(/"accepted":1/g)?.length).toBe(i);
    await expect.poll(() => answer).toMatch(/\r\n0\r\n\r\n$/);
  }
  socket.destroy();
});

test.each([
  ['without Accept, the answer comes at the end', { accept: '*/*' }, 201, 'application/json'],
  ['of another type, the answer comes at the end', { 'content-type': 'text/csv' }, 201, 'application/json'],
  ['without a token it is refused', { authorization: '' }, 401, 'application/problem+json'],
  ['with a token that may not write it is refused', bearer('read'), 403, 'application/problem+json'],
])('%s', async (_, headers, status, type) => {
  await using node = await serve();
  const response = await fetch(node.url, {
    method: 'POST',
    headers: { ...streamHeaders, ...bearer('write'), ...headers },
    body: 'content-type' in headers ? 'indicator\na.example.com' : '"a.example.com"\n',
  });
  expect([response.status, response.headers.get('content-type')]).toEqual([status, type]);
  await response.text();
});

test('a parameter that is wrong is refused before the stream begins', async () => {
  await using node = await serve();
  const response = await fetch(`${node.url}?ack=never`, {
    method: 'POST',
    headers: { ...streamHeaders, ...bearer('write') },
    body: '"a.example.com"\n',
  });
  expect(response.status).toBe(400);
  expect(response.headers.get('content-type')).toBe('application/problem+json');
});
