import { WebSocket } from 'ws';
import type { Follow, StreamEvent } from './follow.ts';

export const followWebSocket: Follow = ({ url, headers, cursor, hear, placed, signal }) =>
  new Promise((resolve, reject) => {
    const query = cursor === undefined ? '' : `?cursor=${encodeURIComponent(cursor)}`;
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/stream/ws${query}`, { headers });
    const end = (): void => socket.terminate();
    signal.addEventListener('abort', end);
    socket.on('message', (text) => {
      const event = JSON.parse(String(text)) as StreamEvent;
      if (event.type === 'tocsin.stream.connected') placed(cursor ?? event.cursor);
      else hear(event);
    });
    socket.on('error', reject);
    socket.on('close', () => {
      signal.removeEventListener('abort', end);
      resolve();
    });
  });
