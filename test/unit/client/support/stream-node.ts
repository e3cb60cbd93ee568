import type { ServerResponse } from 'node:http';

import { type ClientOptions, createClient, type StreamState } from '../../../../src/client/client.ts';
import { manualClock } from '../../../support/rooms.ts';

/** What a node writes into a stream of Server-Sent Events. */

export const nodeA = 'aa'.repeat(16);
export const nodeB = 'bb'.repeat(16);

export function openStream(response: ServerResponse, ...pieces: readonly string[]): ServerResponse {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
  for (const piece of pieces) response.write(piece);
  return response;
}

export const connected = (cursor: string): string =>
  `id: ${cursor}\nevent: connected\ndata: {"first":"c0","last":"${cursor}"}\n\n`;

/** The heartbeat: a place and no event. */
export const alive = (cursor: string): string => `: alive\nid: ${cursor}\n\n`;

export const control = (name: string, data: object): string =>
  `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

export function recordOf(n: number, changed: Record<string, unknown> = {}) {
  return {
    id: String(n).padStart(32, '0'),
    indicator: `${n}.example.com`,
    itype: 'fqdn',
    provider: 'alpha',
    group: 'everyone',
    tlp: 'amber',
    confidence: 8,
    tags: ['a', 'b'],
    count: 1,
    firsttime: '2026-01-02T03:04:05Z',
    lasttime: '2026-01-02T03:04:05Z',
    reporttime: '2026-01-02T03:04:05Z',
    ...changed,
  };
}

export function envelope(n: number, changed: Record<string, unknown> = {}) {
  return {
    specversion: '1.0',
    id: `${nodeA}-${n}`,
    type: 'tocsin.indicator.created',
    source: nodeA,
    time: '2026-01-02T03:04:05Z',
    datacontenttype: 'application/json',
    cursor: `c${n}`,
    data: recordOf(n),
    ...changed,
  };
}

/** The n-th event of the first node's, at cursor `c<n>` unless changed. */
export function message(n: number, changed: Record<string, unknown> = {}): string {
  const whole = envelope(n, changed);
  return `id: ${whole.cursor}\nevent: indicator\ndata: ${JSON.stringify(whole)}\n\n`;
}

/** A client whose waits are drawn as long as they can be, and pass at once. */
export function testClient(nodes: ClientOptions['nodes'], options: Partial<ClientOptions> = {}) {
  const clock = manualClock();
  const states: StreamState[] = [];
  const client = createClient({ nodes, clock, random: () => 1, ...options });
  return {
    client,
    clock,
    states,
    onState(state: StreamState): void {
      states.push(state);
      // The wait begins when this has returned.
      if ('waitMs' in state) setImmediate(() => clock.advance(state.waitMs));
    },
  };
}
