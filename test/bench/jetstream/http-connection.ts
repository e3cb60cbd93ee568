import { connect, type Socket } from 'node:net';

export type HttpAnswer = { readonly status: number; readonly body: string };

export type HttpConnection = {
  /** False when it has ended, and takes nothing more. */
  readonly isOpen: () => boolean;
  send(request: readonly Uint8Array[], answered: (answer: HttpAnswer) => void): void;
  close(): void;
};

const headEnd = Buffer.from('\r\n\r\n');

/**
 * HTTP/1.1 by hand, with requests that do not wait for the answer before (RFC 9112, 9.3.2). Node's own client spends more on a
 * request than the servers do, on the same two cores. `lost` is told once, when the connection ends for whatever reason.
 */
export function openHttpConnection(host: string, port: number, lost: () => void): HttpConnection {
  const socket: Socket = connect({ host, port, noDelay: true });
  const waiting: ((answer: HttpAnswer) => void)[] = [];
  let held: Buffer = Buffer.alloc(0);
  let open = true;
  let corked = false;

  function read(): void {
    let at = 0;
    for (;;) {
      const bodyAt = held.indexOf(headEnd, at);
      if (bodyAt === -1) break;
      const head = held.toString('latin1', at, bodyAt);
      const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
      if (length === undefined) throw new Error(`an answer without its length: ${head}`);
      const bodyStart = bodyAt + headEnd.length;
      const end = bodyStart + Number(length);
      if (held.length < end) break;
      const answered = waiting.shift();
      answered?.({ status: Number(head.slice(9, 12)), body: held.toString('utf8', bodyStart, end) });
      at = end;
    }
    if (at > 0) held = held.subarray(at);
  }

  socket.on('data', (chunk: Buffer) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    read();
  });
  // 'close' follows, and is what counts.
  socket.on('error', () => undefined);
  socket.on('close', () => {
    open = false;
    lost();
  });

  return {
    isOpen: () => open,
    send(request, answered) {
      waiting.push(answered);
      // What is sent in one turn leaves in one packet.
      if (!corked) {
        corked = true;
        socket.cork();
        process.nextTick(() => {
          corked = false;
          socket.uncork();
        });
      }
      for (const part of request) socket.write(part);
    },
    close() {
      open = false;
      socket.destroy();
    },
  };
}
