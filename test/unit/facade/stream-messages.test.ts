import type { z } from '@hono/zod-openapi';
import { expect, test } from 'vitest';

import { readMessage } from '../../../src/client/messages.ts';
import {
  messageSchemas,
  noticeEnvelope,
  noticeSchemas,
  recordSchema,
} from '../../../src/facade/message-schemas.ts';
import { publicRecordFields } from '../../../src/indicator/present.ts';
import { topics } from '../../../src/stream/subject.ts';
import { bearer, openRooms } from '../../support/rooms.ts';

type Message = { readonly type: string; readonly cursor: string };

/** A message that has what its schema says, and nothing else: what a schema does not know, it takes away. */
function expectFits(schema: z.ZodType, message: unknown): void {
  expect(schema.parse(message)).toEqual(message);
}

async function lines(response: Response): Promise<readonly Message[]> {
  const text = await response.text();
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

test('every message that the log can produce fits its schema, and is known to the client', async () => {
  await using rooms = await openRooms();
  const expiretime = new Date(rooms.clock.wallMs() + 60_000).toISOString();
  const full = {
    indicator: '192.0.2.7',
    tlp: 'green',
    tags: ['a', 'b'],
    confidence: 7.5,
    expiretime,
    description: 'd',
    reference: 'https://example.com/',
    portlist: '80,443',
    protocol: 'tcp',
    rdata: 'r',
    asn: 64500,
    asn_desc: 'EXAMPLE',
    cc: 'DE',
    latitude: 52.5,
    longitude: -13.4,
  };
  await rooms.store.expire(rooms.clock.wallMs());
  await rooms.submit(full, 'example.com');
  await rooms.submit(full);
  const key = { indicator: '192.0.2.7', itype: 'ipv4', provider: 'test', group: 'everyone' } as const;
  await rooms.intake.say([
    { kind: 'sight', body: { ...key, count: 3, timeMs: rooms.clock.wallMs() } },
    { kind: 'search', body: { q: '192.0.2.0/24', itype: 'ipv4', by: 'alice' } },
    { kind: 'search', body: { q: '*.example.com', by: 'bob' } },
    { kind: 'retract', body: { ...key, reason: 'mistaken' } },
  ]);
  await rooms.submit({ ...full, indicator: '192.0.2.8' });
  await rooms.store.expire(rooms.clock.wallMs() + 120_000);
  const from = rooms.streamLog.cursorAt(0);
  const answer = await rooms.app.request(`/stream/ndjson?wait=0&cursor=${from}`, {
    headers: bearer('stream'),
  });
  const messages = await lines(answer);
  for (const message of messages) {
    const schema = messageSchemas[message.type as keyof typeof messageSchemas];
    expectFits(schema, message);
    const kind = message.type.split('.')[1];
    expect(readMessage(JSON.stringify(message))).toEqual({ kind, ...message });
    expect(topics).toContain(kind);
  }
  const types = new Set(messages.map(({ type }) => type));
  expect([...types].sort()).toEqual(Object.keys(messageSchemas).sort());
});

test('what the stream says of itself fits its schema', async () => {
  await using rooms = await openRooms();
  const response = await rooms.app.request('/stream/ndjson?follow=1&cursor=none', {
    headers: bearer('stream'),
  });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const { value: opening = '' } = (await reader?.read()) ?? {};
  const [connected, reset] = opening.trimEnd().split('\n');
  expectFits(noticeEnvelope('connected'), JSON.parse(connected ?? ''));
  expectFits(noticeEnvelope('reset'), JSON.parse(reset ?? ''));
  const alive = reader?.read();
  await expect.poll(() => rooms.clock.timers).toBeGreaterThan(0);
  rooms.clock.advance(15_000);
  expectFits(noticeEnvelope('alive'), JSON.parse((await alive)?.value ?? ''));
  await reader?.cancel();
});

test('the schemas have the fields of the types', () => {
  expect(Object.keys(recordSchema.shape)).toEqual(publicRecordFields);
  type Notice = import('../../../src/stream/reading.ts').Notice;
  const kinds: readonly Notice['kind'][] = Object.keys(noticeSchemas) as (keyof typeof noticeSchemas)[];
  expect(kinds).toEqual(['connected', 'reset', 'gap', 'alive']);
});
