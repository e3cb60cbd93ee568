import { connect } from 'node:net';
import type { FleetNode } from '../../e2e/fleet.ts';
import { openLineReader } from './chunked-lines.ts';
import type { Answer, Publisher } from './side.ts';

/** Before a node is tried that was just lost. */
const againMs = 10;

type Message = { readonly body: Buffer; readonly rows: number; readonly answered: (answer: Answer) => void };
/** A message on a connection: it is answered once all of its rows are. */
type Sent = { readonly message: Message; readonly lastRow: number; unmet: boolean };
type Line = {
  readonly rows?: { readonly last: number };
  readonly refused?: readonly unknown[];
  readonly ack?: { readonly reason?: string };
  readonly error?: unknown;
};

/**
 * One connection to the first of the nodes, over which rows go and answers come; when it ends, one to the next node, with all
 * that is not answered yet. HTTP/1.1 by hand, as in http-connection.ts.
 */
export function openStreamPublisher(nodes: readonly FleetNode[], ack: string): Publisher {
  const unanswered = new Set<Message>();
  let at = 0;
  let closed = false;
  let connection = open();

  function open(): { send(message: Message): void; close(): void } {
    const node = nodes[at % nodes.length];
    if (node === undefined) throw new Error('no nodes');
    const { hostname, port, host } = new URL(node.url);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    const sent: Sent[] = [];
    let pending: Buffer[] = [];
    let lastRow = 0;
    let over = false;

    function lose(): void {
      if (over) return;
      over = true;
      socket.destroy();
      if (closed) return;
      at++;
      setTimeout(() => {
        if (closed) return;
        connection = open();
        for (const message of unanswered) connection.send(message);
      }, againMs);
    }

    function hear(text: string): void {
      const { rows, refused, ack: reached, error }: Line = JSON.parse(text);
      if (error !== undefined) {
        lose();
        return;
      }
      if (refused?.length !== 0) throw new Error(`rows were refused: ${text}`);
      for (let first = sent[0]; first !== undefined; first = sent[0]) {
        if (reached?.reason !== undefined) first.unmet = true;
        if (first.lastRow > (rows?.last ?? 0)) break;
        sent.shift();
        if (unanswered.delete(first.message)) first.message.answered(first.unmet ? 'unmet' : 'acknowledged');
      }
    }

    /** What is sent in one turn leaves in one chunk. */
    function flush(): void {
      let bytes = 0;
      for (const part of pending) bytes += part.length;
      socket.cork();
      socket.write(`${bytes.toString(16)}\r\n`, 'latin1');
      for (const part of pending) socket.write(part);
      socket.write('\r\n', 'latin1');
      socket.uncork();
      pending = [];
    }

    socket.write(
      `POST /indicators?ack=${ack}&provider=bench HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${node.token}\r\n` +
        'content-type: application/x-ndjson\r\naccept: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n',
      'latin1',
    );
    socket.on('data', openLineReader(hear));
    // 'close' follows, and is what counts.
    socket.on('error', () => undefined);
    socket.on('close', lose);
    return {
      send(message) {
        if (over) return;
        lastRow += message.rows;
        sent.push({ message, lastRow, unmet: false });
        if (pending.length === 0) process.nextTick(flush);
        pending.push(message.body);
      },
      close: () => socket.destroy(),
    };
  }

  return {
    framing: 'lines',
    publish(body, answered) {
      let rows = 0;
      for (let end = body.indexOf(0x0a); end !== -1; end = body.indexOf(0x0a, end + 1)) rows++;
      const message = { body, rows, answered };
      unanswered.add(message);
      connection.send(message);
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      connection.close();
    },
  };
}
