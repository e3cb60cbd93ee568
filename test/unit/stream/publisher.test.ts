import { expect, test } from 'vitest';
import { Subscriber } from 'zeromq';
import { startPublisher } from '../../../src/stream/publisher.ts';
import { openRooms } from '../../support/rooms.ts';

const fail = (error: unknown): void => {
  throw error;
};

function subscribe(endpoint: string, topic: string): Subscriber {
  const socket = new Subscriber({ linger: 0, receiveTimeout: 10_000 });
  socket.connect(endpoint);
  socket.subscribe(topic);
  return socket;
}

/** A subscription takes effect some time after it was made: submit until the first message is there. */
async function settle(
  rooms: Awaited<ReturnType<typeof openRooms>>,
  socket: Subscriber,
  value: string,
): Promise<void> {
  socket.receiveTimeout = 20;
  for (;;) {
    await rooms.submit(value);
    try {
      await socket.receive();
      break;
    } catch {}
  }
  // What was submitted meanwhile may still be on its way.
  for (;;) {
    try {
      await socket.receive();
    } catch {
      break;
    }
  }
  socket.receiveTimeout = 10_000;
}

test('a subscriber gets two frames: the topic with itype and TLP, and the CloudEvent of the stream', async () => {
  await using rooms = await openRooms();
  const publisher = await startPublisher(rooms.streamLog, '127.0.0.1', 0, fail);
  const socket = subscribe(publisher.endpoint, 'indicator/ipv4/');
  await settle(rooms, socket, '192.0.2.1');
  await rooms.submit('example.com', { indicator: '192.0.2.2', tlp: 'green' });
  const [topic, json, ...rest] = await socket.receive();
  expect(topic?.toString()).toBe('indicator/ipv4/green/');
  expect(rest).toEqual([]);
  const event = JSON.parse(String(json));
  expect(event).toMatchObject({
    specversion: '1.0',
    type: 'tocsin.indicator.created',
    data: { indicator: '192.0.2.2' },
  });
  expect(await rooms.streamLog.resume(event.cursor)).toBe(rooms.streamLog.lastPosition());
  socket.close();
  await publisher.stop();
});

test('a burst of 20,000 reaches a subscriber that reads, each once and in order', async () => {
  await using rooms = await openRooms();
  const publisher = await startPublisher(rooms.streamLog, '127.0.0.1', 0, fail);
  const socket = subscribe(publisher.endpoint, 'indicator/fqdn/');
  await settle(rooms, socket, 'first.example.com');
  const submitted = rooms.submit(...Array.from({ length: 20_000 }, (_, i) => `h${i}.example.com`));
  for (let i = 0; i < 20_000; i++) {
    const [, json] = await socket.receive();
    const { indicator } = JSON.parse(String(json)).data;
    if (indicator !== `h${i}.example.com`) throw new Error(`message ${i} is ${indicator}`);
  }
  await submitted;
  socket.close();
  await publisher.stop();
});

test('an address in use, and one of another machine, are told by their codes and what to do', async () => {
  await using rooms = await openRooms();
  const publisher = await startPublisher(rooms.streamLog, '127.0.0.1', 0, fail);
  const port = Number(publisher.endpoint.split(':').at(-1));
  await expect(startPublisher(rooms.streamLog, '127.0.0.1', port, fail)).rejects.toMatchObject({
    code: 'ADDRESS_IN_USE',
  });
  await expect(startPublisher(rooms.streamLog, '192.0.2.1', 0, fail)).rejects.toMatchObject({
    code: 'BIND_FAILED',
    message: expect.stringContaining('--stream-host'),
  });
  await Promise.all([publisher.stop(), publisher.stop()]);
});

test('an IPv6 address is bound', async () => {
  await using rooms = await openRooms();
  const publisher = await startPublisher(rooms.streamLog, '::1', 0, fail);
  expect(publisher.endpoint).toMatch(/^tcp:\/\/\[::1\]:\d+$/);
  await publisher.stop();
});

test('a store that cannot be read is told, and ends nothing else', async () => {
  await using rooms = await openRooms();
  let told: (error: unknown) => void = () => undefined;
  const failing = new Promise((resolve) => {
    told = resolve;
  });
  const log = { ...rooms.streamLog, stopped: false, next: () => Promise.reject(new Error('disk')) };
  const publisher = await startPublisher(log, '127.0.0.1', 0, told);
  const socket = subscribe(publisher.endpoint, 'indicator/');
  expect(await failing).toEqual(new Error('disk'));
  socket.close();
  await publisher.stop();
});

test('the stream is read only while somebody subscribes', async () => {
  await using rooms = await openRooms();
  let reads = 0;
  const log = {
    ...rooms.streamLog,
    stopped: false,
    next: (...of: Parameters<typeof rooms.streamLog.next>) => {
      reads++;
      return rooms.streamLog.next(...of);
    },
  };
  const publisher = await startPublisher(log, '127.0.0.1', 0, fail);
  await rooms.submit('example.com');
  expect(reads).toBe(0);
  const socket = subscribe(publisher.endpoint, 'indicator/');
  await settle(rooms, socket, 'example.net');
  expect(reads).toBeGreaterThan(0);
  socket.close();
  // The subscription is gone some time after the socket: then one more read sees it.
  for (let before = -1; before !== reads; ) {
    before = reads;
    await rooms.submit('example.org');
    await new Promise((resolve) => setImmediate(resolve));
  }
  await publisher.stop();
});
