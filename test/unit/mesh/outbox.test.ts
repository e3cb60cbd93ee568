import { expect, test } from 'vitest';
import { zeromqTransport } from '../../../mesh/transport/zeromq.ts';

// Real sockets: what a socket takes at once and what it makes wait is its own affair.
const transport = zeromqTransport();

test('a flood arrives whole and in order, whatever of it had to wait', async () => {
  const count = 5_000;
  const heard: number[] = [];
  let finish = () => {};
  const all = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const listener = await transport.listen('tcp://127.0.0.1:*', { frameBytesMax: 1_000 });
  listener.receive((_, [number, content]) => {
    heard.push(Buffer.from(number ?? []).readUInt32BE());
    expect(content?.byteLength).toBe(300);
    if (heard.length === count) finish();
  });
  const link = transport.dial(listener.endpoint, { queueMessagesMax: count, queueBytesMax: 10_000_000 });
  const content = Buffer.alloc(300);
  for (let n = 0; n < count; n++) {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(n);
    expect(link.send([number, content])).toBe(true);
  }
  // The socket has taken some hundreds at once: those do not wait.
  expect(link.queuedMessages).toBeGreaterThan(0);
  expect(link.queuedMessages).toBeLessThan(count);
  expect(link.queuedBytes).toBe(link.queuedMessages * 304);
  await all;
  expect(heard).toEqual(Array.from({ length: count }, (_, n) => n));
  expect([link.queuedMessages, link.queuedBytes]).toEqual([0, 0]);
  await link.close(0);
  await listener.close();
});

test('a full queue takes nothing more, and closing lets go of what waits', async () => {
  // Nobody listens: libzmq holds a thousand, the rest waits here.
  const link = transport.dial('tcp://127.0.0.1:1', { queueMessagesMax: 10, queueBytesMax: 10_000 });
  let taken = 0;
  while (link.send([Buffer.alloc(1)])) {
    taken++;
    if (taken > 10_000) throw new Error('it never fills');
    if (taken % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(link.queuedMessages).toBe(10);
  await link.close(0);
  expect(link.send([Buffer.alloc(1)])).toBe(false);
  expect(link.queuedMessages).toBe(0);
});

test('what comes before the listener receives waits for it', async () => {
  const transport = zeromqTransport();
  const first = await transport.listen('tcp://127.0.0.1:*', { frameBytesMax: 1_000 });
  const link = transport.dial(first.endpoint, { queueMessagesMax: 1, queueBytesMax: 1_000 });
  link.send([Buffer.from('early')]);
  // It has left our queue: the listener's socket has it.
  while (link.queuedMessages > 0) await new Promise((resolve) => setImmediate(resolve));
  const heard = new Promise<string>((resolve) => {
    first.receive((_, [content]) => resolve(String(content)));
  });
  expect(await heard).toBe('early');
  await link.close(0);
  await first.close();
});
