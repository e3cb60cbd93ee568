import { setTimeout as pass } from 'node:timers/promises';
import type { openRooms } from '../../../support/rooms.ts';
import { bearer } from '../../../support/rooms.ts';

type Rooms = Awaited<ReturnType<typeof openRooms>>;

/** Steps the clock until something is so, slowly enough for what real sockets do meanwhile; fails after a deadline. */
export async function until(
  rooms: Rooms | readonly Rooms[],
  what: string,
  isSo: () => boolean | Promise<boolean>,
  stepMs = 100,
  deadlineMs = 25_000,
): Promise<void> {
  const endMs = Date.now() + deadlineMs;
  while (!(await isSo())) {
    if (Date.now() > endMs) throw new Error(`${what}: not within ${deadlineMs} ms`);
    for (const { clock } of [rooms].flat()) clock.advance(stepMs);
    await pass(2);
  }
}

export async function ask(
  { app }: Rooms,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> {
  const response = await app.request(path, {
    method,
    headers: { ...bearer('admin'), ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
}

/** A webhook that this node delivers, with its secret. */
export async function makeWebhook(rooms: Rooms, url: string, more: Record<string, unknown> = {}) {
  rooms.setOwner(true);
  const made = await ask(rooms, 'POST', '/webhooks', { name: 'siem', url, kinds: ['indicator'], ...more });
  if (made.status !== 201) throw new Error(JSON.stringify(made.body));
  return { id: String(made.body['id']), secret: String(made.body['secret']) };
}
