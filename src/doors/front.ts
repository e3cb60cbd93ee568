import { once } from 'node:events';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../clock.ts';
import { doorLimits as limits } from './limits.ts';

/**
 * A TCP port before a ZeroMQ socket on loopback, which hands on bytes both ways and can stop to. libzmq cannot: where a socket
 * is read no further and its queue is full, a connection that ends with a PING in it ends the whole process
 * (stream_engine_base.cpp, "Assertion failed: !_io_error"; libzmq #3937, #4767), and any sender may send PINGs and end.
 */
export interface Front {
  readonly port: number;
  /** Reads no further: TCP holds the senders up, and so their own high-water marks. */
  pause(): void;
  resume(): void;
  /** Takes nobody in and reads nothing more; resolves once the socket has all that was read. */
  stop(): Promise<void>;
}

type Behind = { readonly host: string; readonly port: number };

/** Rejects with the system's error when it cannot listen. `onRefused` is told of a connection that was too many. */
export async function startFront(
  at: { readonly host: string; readonly port: number },
  behind: Behind,
  clock: Clock,
  onRefused: () => void,
): Promise<Front> {
  const pairs = new Map<Socket, Socket>();
  let paused = false;
  let stopping = false;

  function join(sender: Socket): void {
    const socket = createConnection(behind);
    pairs.set(sender, socket);
    sender.setNoDelay(true).setKeepAlive(true, 60_000);
    socket.setNoDelay(true);
    if (paused) sender.pause();
    sender.on('data', (bytes) => {
      if (!socket.write(bytes)) sender.pause();
    });
    socket.on('drain', () => {
      if (!paused && !stopping) sender.resume();
    });
    socket.on('data', (bytes) => sender.write(bytes));
    // What was read of a sender that is gone is still handed on.
    sender.on('error', ignore).on('close', () => socket.end());
    socket.on('error', ignore).on('close', () => {
      pairs.delete(sender);
      sender.destroy();
    });
  }

  const server = createServer((sender) => {
    if (stopping || pairs.size >= limits.connectionsMax) {
      sender.on('error', ignore).destroy();
      if (!stopping) onRefused();
    } else join(sender);
  });
  await listen(server, at);
  const address = server.address();

  async function stopAll(): Promise<void> {
    stopping = true;
    server.close();
    const sockets = [...pairs.entries()].map(([sender, socket]) => {
      sender.pause();
      const closed = once(socket, 'close');
      socket.end();
      return closed;
    });
    const timer = clock.after(limits.closeMsMax, () => {
      for (const socket of pairs.values()) socket.destroy();
    });
    await Promise.all(sockets);
    timer.stop();
  }

  let stopped: Promise<void> | undefined;
  return {
    port: typeof address === 'object' && address !== null ? address.port : at.port,
    pause() {
      paused = true;
      for (const sender of pairs.keys()) sender.pause();
    },
    resume() {
      paused = false;
      if (stopping) return;
      for (const [sender, socket] of pairs) if (!socket.writableNeedDrain) sender.resume();
    },
    stop() {
      stopped ??= stopAll();
      return stopped;
    },
  };
}

/** A connection that fails also closes, and that is acted on. */
function ignore(): void {}

async function listen(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  server.listen(port, host);
  await once(server, 'listening');
}
