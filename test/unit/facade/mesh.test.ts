import { expect, test } from 'vitest';
import { createApp } from '../../../src/facade/app.ts';
import {
  digestSchema,
  type MeshEventRow,
  meshEventSchema,
  nodeSchema,
  type PeerRow,
  peerSchema,
  pingSchema,
} from '../../../src/facade/mesh-rows.ts';
import { bearer, openRooms } from '../../support/rooms.ts';

const id = 'ab'.repeat(16);
const time = '2026-01-02T03:04:05.678Z';

/** Events of a mesh that a test pushes; it counts the readers that it has. */
function eventSource() {
  const waiting: MeshEventRow[] = [];
  const sleepers = new Set<() => void>();
  const wake = (): void => {
    for (const each of sleepers) each();
  };
  let readers = 0;
  return {
    push(row: MeshEventRow) {
      waiting.push(row);
      wake();
    },
    get readers() {
      return readers;
    },
    async *events(signal: AbortSignal): AsyncGenerator<MeshEventRow> {
      readers++;
      signal.addEventListener('abort', wake);
      try {
        while (!signal.aborted) {
          const row = waiting.shift();
          if (row !== undefined) yield row;
          else {
            await new Promise<void>((resolve) => {
              sleepers.add(resolve);
            });
          }
        }
      } finally {
        readers--;
      }
    },
  };
}

async function withEvents() {
  const rooms = await openRooms();
  const source = eventSource();
  const app = createApp({ ...rooms.parts, mesh: { ...rooms.parts.mesh, events: source.events } });
  const follow = (bindings: object = {}) =>
    app.request('/mesh/events', { headers: bearer('read') }, bindings);
  return { rooms, source, follow, [Symbol.asyncDispose]: rooms[Symbol.asyncDispose] };
}

async function readText(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string | undefined> {
  const { value } = await reader.read();
  return value && Buffer.from(value).toString();
}

test('what /mesh, /mesh/peers, /mesh/digest and /ping answer is what their strict schemas say', async () => {
  await using rooms = await openRooms();
  await rooms.submit({ indicator: 'example.com', tags: 'malware' });
  const peer: PeerRow = {
    id,
    name: 'beta',
    endpoint: 'tcp://127.0.0.1:1',
    ready: true,
    groups: ['tocsin/1'],
    found_by: ['beacon'],
    last_heard_ms: 12,
    queued_messages: 0,
    queued_bytes: 0,
  };
  const app = createApp({ ...rooms.parts, mesh: { ...rooms.parts.mesh, peers: () => [peer] } });
  const ask = async (path: string) => (await app.request(path, { headers: bearer('read') })).json();
  expect(nodeSchema.parse(await ask('/mesh'))).toMatchObject({ name: 'node-1', records: 1 });
  expect(peerSchema.array().parse(await ask('/mesh/peers'))).toEqual([peer]);
  expect(digestSchema.parse(await ask('/mesh/digest'))).toMatchObject({ records: 1 });
  pingSchema.parse(await ask('/ping'));
});

test('/mesh/events tells each event by its kind, and that it lives while nothing happens', async () => {
  await using mesh = await withEvents();
  const response = await mesh.follow();
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const reader = response.body?.getReader();
  if (reader === undefined) throw new Error('no body');
  expect(await readText(reader)).toBe(': connected\n\n');
  const row: MeshEventRow = { kind: 'peer-exited', time, id, name: 'beta', reason: 'expired' };
  mesh.source.push(row);
  const text = (await readText(reader)) ?? '';
  expect(text).toMatch(/^event: peer-exited\ndata: \{.*\}\n\n$/);
  expect(meshEventSchema.parse(JSON.parse(text.slice(text.indexOf('{'))))).toEqual(row);

  const quiet = readText(reader);
  await new Promise((resolve) => setImmediate(resolve));
  mesh.rooms.clock.advance(15_000);
  expect(await quiet).toBe(': alive\n\n');
  // What comes behind a heartbeat is not lost.
  mesh.source.push(row);
  expect(await readText(reader)).toBe(text);
  await reader.cancel();
});

test('a reader that goes leaves no timer and no reader behind, and a shutdown ends the others', async () => {
  await using mesh = await withEvents();
  const stopping = new AbortController();
  const timers = mesh.rooms.clock.timers;
  const [one, other] = await Promise.all([mesh.follow(), mesh.follow({ stopping: stopping.signal })]);
  const readers = [one, other].map(({ body }) => body?.getReader());
  for (const reader of readers) {
    await reader?.read();
    reader?.read().catch(() => undefined);
  }
  await new Promise((resolve) => setImmediate(resolve));
  expect(mesh.source.readers).toBe(2);
  await readers[0]?.cancel();
  stopping.abort();
  expect(await readers[1]?.read()).toEqual({ done: true, value: undefined });
  await new Promise((resolve) => setImmediate(resolve));
  expect(mesh.source.readers).toBe(0);
  expect(mesh.rooms.clock.timers).toBe(timers);
});

test('the 33rd reader is told to come back; one that never read its answer counts for none', async () => {
  await using mesh = await withEvents();
  await mesh.follow();
  const readers = [];
  for (let i = 0; i < 32; i++) {
    const reader = (await mesh.follow()).body?.getReader();
    await reader?.read();
    readers.push(reader);
  }
  const refused = await mesh.follow();
  expect(refused.status).toBe(503);
  expect(refused.headers.get('retry-after')).toBe('30');
  expect(await refused.json()).toMatchObject({
    detail: '32 readers follow the mesh already; come back when one has gone',
  });
  await readers[0]?.cancel();
  expect((await mesh.follow()).status).toBe(200);
  for (const reader of readers) await reader?.cancel();
});
