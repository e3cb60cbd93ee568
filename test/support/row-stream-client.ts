import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { createInterface } from 'node:readline';

export type StreamAnswer = {
  readonly rows?: { readonly first: number; readonly last: number };
  readonly accepted?: number;
  readonly refused?: readonly { readonly row: number; readonly code: string }[];
  readonly events?: { readonly first: string; readonly last: string };
  readonly error?: Readonly<Record<string, unknown>>;
};

export type StreamClient = {
  readonly outgoing: ClientRequest;
  readonly incoming: IncomingMessage;
  /** The next line of the answer; undefined at its end. */
  next(): Promise<StreamAnswer | undefined>;
  /** All lines that are still to come. */
  rest(): Promise<readonly StreamAnswer[]>;
};

export const streamHeaders = { 'content-type': 'application/x-ndjson', accept: 'application/x-ndjson' };

/** Opens a submission that is answered while it is written; resolves once the answer has begun. */
export async function openRowStream(
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<StreamClient> {
  const outgoing = request(url, { method: 'POST', headers: { ...streamHeaders, ...headers } });
  outgoing.on('error', () => undefined);
  // Before a row is written.
  outgoing.flushHeaders();
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  incoming.on('error', () => undefined);
  const lines = createInterface({ input: incoming })[Symbol.asyncIterator]();
  async function next(): Promise<StreamAnswer | undefined> {
    const { value, done } = await lines.next();
    return done ? undefined : (JSON.parse(value) as StreamAnswer);
  }
  return {
    outgoing,
    incoming,
    next,
    async rest() {
      const answers: StreamAnswer[] = [];
      for (let answer = await next(); answer !== undefined; answer = await next()) answers.push(answer);
      return answers;
    },
  };
}
