import type { FleetNode } from '../../e2e/fleet.ts';
import { type HttpAnswer, type HttpConnection, openHttpConnection } from './http-connection.ts';
import type { Answer, Publisher } from './side.ts';

const connectionsCount = 8;
/** Before a node is tried that was just lost, or that said "later". */
const againMs = 10;

type Message = { readonly body: Buffer; readonly answered: (answer: Answer) => void };
type Target = { readonly host: string; readonly port: number; readonly head: string };

/** POSTs to the first of the nodes; when its connections end, to the next one, with all that is not answered yet. */
export function openHttpPublisher(nodes: readonly FleetNode[], ack: string): Publisher {
  const targets = nodes.map((node) => targetOf(node, ack));
  const unanswered = new Set<Message>();
  let turn = 0;
  let at = 0;
  let closed = false;
  let connections = open();

  function open(): readonly HttpConnection[] {
    const target = targets[at % targets.length];
    if (target === undefined) throw new Error('no nodes');
    const opened: HttpConnection[] = [];
    for (let i = 0; i < connectionsCount; i++) {
      opened.push(openHttpConnection(target.host, target.port, () => failOver(opened)));
    }
    return opened;
  }

  function failOver(lost: readonly HttpConnection[]): void {
    // The other connections to a dead node end as well.
    if (closed || lost !== connections) return;
    for (const connection of lost) connection.close();
    at++;
    connections = open();
    for (const message of unanswered) send(message);
  }

  function send(message: Message): void {
    const target = targets[at % targets.length];
    const used = connections;
    const connection = used[turn++ % used.length];
    if (target === undefined || connection === undefined) return;
    const head = Buffer.from(`${target.head}content-length: ${message.body.length}\r\n\r\n`, 'latin1');
    connection.send([head, message.body], (answer) => {
      // It was sent again meanwhile, and that one counts.
      if (used !== connections) return;
      settle(message, answer);
    });
  }

  function settle(message: Message, { status, body }: HttpAnswer): void {
    if (status === 503) {
      setTimeout(() => unanswered.has(message) && send(message), againMs);
      return;
    }
    if (status !== 201 && status !== 202) throw new Error(`POST answers ${status}: ${body}`);
    if (!body.includes('"refused":[]')) throw new Error(`rows were refused: ${body}`);
    // Sent again after "later" and by a fail-over, it is answered twice.
    if (!unanswered.delete(message)) return;
    message.answered(status === 201 ? 'acknowledged' : 'unmet');
  }

  return {
    framing: 'array',
    publish(body, answered) {
      const message = { body, answered };
      unanswered.add(message);
      send(message);
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      for (const connection of connections) connection.close();
    },
  };
}

function targetOf({ url, token }: FleetNode, ack: string): Target {
  const { hostname, port, host } = new URL(url);
  return {
    host: hostname,
    port: Number(port),
    head:
      `POST /indicators?ack=${ack}&provider=bench HTTP/1.1\r\nhost: ${host}\r\n` +
      `authorization: Bearer ${token}\r\ncontent-type: application/json\r\n`,
  };
}
