import { afterEach, describe, expect, test } from 'vitest';
import { context, Push } from 'zeromq';
import { systemClock } from '../../../mesh/clock.ts';
import { curvePairOf } from '../../../mesh/security/curve.ts';
import { createGatekeeper } from '../../../mesh/transport/gatekeeper.ts';
import { type PullDoor, PullError, startPull } from '../../../src/doors/pull.ts';
import type { Intake } from '../../../src/intake/intake.ts';
import { openRooms } from '../../support/rooms.ts';

// Real sockets of ZeroMQ, a real store; only the log is a list.

type Rooms = Awaited<ReturnType<typeof openRooms>>;

const opened: { close(): void }[] = [];
afterEach(() => {
  for (const socket of opened.splice(0)) socket.close();
});

function push(endpoint: string, options: ConstructorParameters<typeof Push>[0] = {}): Push {
  const socket = new Push({ linger: 0, sendTimeout: 10_000, ...options });
  opened.push(socket);
  socket.connect(endpoint);
  return socket;
}

async function open(rooms: Rooms, intake: Pick<Intake, 'submit' | 'hasRoomFor'> = rooms.intake) {
  const warnings: Record<string, unknown>[] = [];
  const door = await startPull(
    { intake, clock: systemClock, provider: 'pull', warn: (_, details) => warnings.push(details) },
    { host: '127.0.0.1', port: 0 },
  );
  return { door, warnings };
}

/** Waits for what a door has counted, with a deadline. */
async function counted(door: PullDoor, what: string, number: number): Promise<void> {
  const endMs = Date.now() + 20_000;
  while ((door.counters().get(what) ?? 0) < number) {
    if (Date.now() > endMs) throw new Error(`${what}: ${JSON.stringify([...door.counters()])}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('ZeroMQ PULL', () => {
  test('takes one indicator, an array and NDJSON, each in one frame, and the provider of a row stands', async () => {
    await using rooms = await openRooms();
    const { door } = await open(rooms);
    const sensor = push(door.endpoint);
    await sensor.send('{"indicator":"192.0.2.1","provider":"honeypot-7","tlp":"green"}');
    await sensor.send('[{"indicator":"one.example.com"},"two.example.com"]');
    await sensor.send('{"indicator":"three.example.com"}\n{"indicator":"four.example.com"}\n');
    await counted(door, 'accepted', 5);
    expect(await rooms.store.byValue('ipv4', '192.0.2.1')).toMatchObject([
      { provider: 'honeypot-7', tlp: 'green', count: 1 },
    ]);
    for (const name of ['one', 'two', 'three', 'four'])
      expect(await rooms.store.byValue('fqdn', `${name}.example.com`)).toMatchObject([{ provider: 'pull' }]);
    await door.stop();
  });

  test('refuses what is wrong by its code, says each reason once a minute, and goes on', async () => {
    await using rooms = await openRooms();
    const { door, warnings } = await open(rooms);
    const sensor = push(door.endpoint);
    await sensor.send('this is no JSON');
    for (let i = 0; i < 5; i++) await sensor.send('{"indicator":"no indicator at all"}');
    await sensor.send(['{"indicator":"192.0.2.1"}', 'a second frame']);
    await sensor.send(Buffer.from([0xff, 0x00, 0xfe]));
    await sensor.send('');
    await sensor.send(
      '{"indicator":"fine.example.com"}\nnot a line of JSON\n{"indicator":"too.example.com"}',
    );
    await counted(door, 'accepted', 2);
    const counts = Object.fromEntries(door.counters());
    expect(counts).toMatchObject({ messages: 10, 'many-frames': 1, accepted: 2 });
    expect(counts['bad-json']).toBe(4);
    const codes = warnings.map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
    expect(codes).toEqual(expect.arrayContaining(['bad-json', 'many-frames']));
    await door.stop();
  });

  test('ends the connection of a frame that is too large, and that of nobody else', async () => {
    await using rooms = await openRooms();
    const { door } = await open(rooms);
    const other = push(door.endpoint);
    await other.send('"before.example.com"');
    await counted(door, 'accepted', 1);
    const sensor = push(door.endpoint, { reconnectInterval: 20 });
    await sensor.send(Buffer.alloc(1024 * 1024 + 1, 0x20));
    await sensor.send(
      Buffer.concat([Buffer.from('"'), Buffer.from('at-limit.example.com"'.padEnd(1024 * 1024 - 1))]),
    );
    await other.send('"after.example.com"');
    await counted(door, 'accepted', 2);
    expect(await rooms.store.byValue('fqdn', 'after.example.com')).toHaveLength(1);
    expect(door.counters().get('messages')).toBeLessThanOrEqual(3);
    await door.stop();
  });

  test('while intake has no room the sender is held up at its high-water mark; then everything comes, once', async () => {
    await using rooms = await openRooms();
    let hasRoom = false;
    const { door } = await open(rooms, { ...rooms.intake, hasRoomFor: () => hasRoom });
    const sensor = push(door.endpoint, { sendTimeout: 500, sendHighWaterMark: 10 });
    const padding = 'x'.repeat(2_000);
    let sent = 0;
    try {
      for (;;) {
        await sensor.send(JSON.stringify({ indicator: `h${sent}.example.com`, description: padding }));
        sent++;
      }
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe('EAGAIN');
    }
    expect(door.counters().get('paused')).toBe(1);
    // What the door holds, and what the sockets in between do.
    expect(sent * 2_000).toBeLessThan(48 * 1024 * 1024);
    hasRoom = true;
    await counted(door, 'accepted', sent);
    expect(rooms.store.count()).toBe(sent);
    await door.stop();
  }, 60_000);

  test('a sender that sends PINGs, is held up and goes away ends nothing', async () => {
    await using rooms = await openRooms();
    let hasRoom = false;
    const { door } = await open(rooms, { ...rooms.intake, hasRoomFor: () => hasRoom });
    // With its own queue full and no PONG coming, it gives the connection up and dials anew, again and again.
    const sensor = push(door.endpoint, {
      heartbeatInterval: 20,
      heartbeatTimeout: 100,
      reconnectInterval: 20,
      sendTimeout: 1_000,
      sendHighWaterMark: 100,
    });
    const padding = 'x'.repeat(1_000);
    await expect(
      (async () => {
        for (let i = 0; ; i++)
          await sensor.send(JSON.stringify({ indicator: `h${i}.example.com`, description: padding }));
      })(),
    ).rejects.toMatchObject({ code: 'EAGAIN' });
    hasRoom = true;
    await counted(door, 'accepted', 5_000);
    await door.stop();
  }, 60_000);

  test('when it stops, what it has read is stored first', async () => {
    await using rooms = await openRooms();
    const { door } = await open(rooms);
    const sensor = push(door.endpoint);
    await sensor.send('"first.example.com"');
    await counted(door, 'messages', 1);
    for (let i = 0; i < 2_000; i++) await sensor.send(`"h${i}.example.com"`);
    await Promise.all([door.stop(), door.stop()]);
    const { messages = 0, accepted } = Object.fromEntries(door.counters());
    expect(messages).toBeGreaterThan(0);
    expect(accepted).toBe(messages);
    expect(rooms.store.count()).toBe(messages);
  });

  test('a store that takes nothing more is told once, and ends nothing', async () => {
    await using rooms = await openRooms();
    const { door, warnings } = await open(rooms, {
      hasRoomFor: () => true,
      submit: () => Promise.reject(new Error('the disk is full')),
    });
    const sensor = push(door.endpoint);
    for (let i = 0; i < 3; i++) await sensor.send('"example.com"');
    await counted(door, 'not-stored', 3);
    expect(warnings).toEqual([{ code: 'not-stored', reason: 'the disk is full', rows: 1 }]);
    await door.stop();
  });

  test('a port that is taken, and an address of another machine, are told with what to do', async () => {
    await using rooms = await openRooms();
    const { door } = await open(rooms);
    const port = Number(door.endpoint.split(':').at(-1));
    const parts = { intake: rooms.intake, clock: systemClock, provider: 'pull', warn: () => undefined };
    for (const at of [
      { host: '127.0.0.1', port },
      { host: '192.0.2.1', port: 0 },
    ]) {
      const refused = startPull(parts, at);
      await expect(refused).rejects.toBeInstanceOf(PullError);
      await expect(refused).rejects.toThrow(/--pull-host and --pull-port/);
    }
    await door.stop();
  });

  test('with a stream key only its pair gets in', async () => {
    await using rooms = await openRooms();
    const [pair, wrong] = [1, 2].map((fill) => curvePairOf(new Uint8Array(32).fill(fill)));
    if (pair === undefined || wrong === undefined) throw new Error('no pair');
    const gate = await createGatekeeper(context).admit(pair.publicKey);
    const door = await startPull(
      {
        intake: rooms.intake,
        clock: systemClock,
        provider: 'pull',
        warn: () => undefined,
        lock: { secretKey: pair.secretKey, domain: gate.domain },
      },
      { host: '127.0.0.1', port: 0 },
    );
    const curve = ({ publicKey, secretKey }: typeof pair) => ({
      curveServerKey: pair.publicKey,
      curvePublicKey: publicKey,
      curveSecretKey: secretKey,
    });
    await push(door.endpoint).send('"open.example.com"');
    await push(door.endpoint, curve(wrong)).send('"wrong.example.com"');
    await counted(door, 'wrong-key', 2);
    await push(door.endpoint, curve(pair)).send('"right.example.com"');
    await counted(door, 'accepted', 1);
    expect(await rooms.store.byValue('fqdn', 'right.example.com')).toHaveLength(1);
    expect(rooms.store.count()).toBe(1);
    await door.stop();
    gate.close();
  });
});
