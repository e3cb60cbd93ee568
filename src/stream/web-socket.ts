import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import type { Clock } from '../clock.ts';
import { linesOf } from './lines.ts';
import { createReading, heartbeatEveryMs, type ReadingRequest } from './reading.ts';
import type { BodyParts } from './sse.ts';

export const webSocketLimits = {
  /** No message of a reader is needed; this is room for a client library's greeting, which is dropped. */
  messageBytesMax: 1_024,
  /** A peer that has not answered so many pings is gone. */
  unansweredPingsMax: 2,
  /** A reader that takes nothing for so long is let go. */
  stuckMs: 60_000,
  /** What the peer is given to answer that the socket closes. */
  closeMs: 2_000,
  /** What is handed to the socket before it is waited for, in UTF-16 units. */
  charactersAtOnce: 64 * 1024,
} as const;

/** RFC 6455, section 7.4.1. */
const closeCodes = { done: 1000, goingAway: 1001, internalError: 1011 } as const;

/**
 * The stream over a WebSocket, a JSON text frame each. What comes next is read when what came before is written, so a slow
 * reader holds no more than one step. Ends by itself when the reader goes, when the stream ends, or when the log stops.
 */
export function serveWebSocket(
  socket: WebSocket,
  /** Under the socket, to write frames in one go. */
  raw: Pick<Duplex, 'cork' | 'uncork'>,
  parts: BodyParts & { readonly clock: Clock },
  request: ReadingRequest,
): void {
  const { log, clock, readers, failed } = parts;
  const reading = createReading(parts, 'websocket', request);
  let unanswered = 0;
  let beating = clock.after(heartbeatEveryMs, beat);

  function beat(): void {
    if (unanswered >= webSocketLimits.unansweredPingsMax) {
      socket.terminate();
      return;
    }
    unanswered++;
    socket.ping();
    beating = clock.after(heartbeatEveryMs, beat);
  }

  async function pump(): Promise<number> {
    for (let isGap = false; socket.readyState === WebSocket.OPEN; ) {
      const next = await reading.next();
      if (next.length === 0) return isGap ? closeCodes.done : closeCodes.goingAway;
      isGap = next.some(({ kind }) => kind === 'gap');
      await send(next.flatMap((part) => linesOf(part, log.nodeId, clock)));
    }
    return closeCodes.done;
  }

  async function send(lines: readonly string[]): Promise<void> {
    for (let from = 0; from < lines.length && socket.readyState === WebSocket.OPEN; ) {
      let to = from;
      for (let characters = 0; to < lines.length && characters < webSocketLimits.charactersAtOnce; to++)
        characters += lines[to]?.length ?? 0;
      await written(lines.slice(from, to));
      from = to;
    }
  }

  /** Resolves when the system has taken them, or the socket is gone. */
  function written(lines: readonly string[]): Promise<void> {
    return new Promise((resolve) => {
      const timer = clock.after(webSocketLimits.stuckMs, () => {
        readers.count('stuck');
        socket.terminate();
      });
      function done(): void {
        timer.stop();
        resolve();
      }
      raw.cork();
      for (const line of lines.slice(0, -1)) socket.send(line);
      socket.send(lines.at(-1) ?? '', done);
      raw.uncork();
    });
  }

  function close(code: number): void {
    beating.stop();
    socket.close(code);
  }

  socket.on('pong', () => {
    unanswered = 0;
  });
  // What is wrong with it is told to the peer by ws itself; `close` follows.
  socket.on('error', () => undefined);
  socket.on('close', () => {
    beating.stop();
    reading.stop();
  });
  pump().then(close, (error: unknown) => {
    failed(error);
    close(closeCodes.internalError);
  });
}
