import { createParser, type EventSourceMessage } from 'eventsource-parser';

import { CliError, exitCodes } from './exit.ts';
import { expectOk, type NodeClient } from './http-client.ts';
import type { Io } from './io.ts';
import { printable } from './printable.ts';
import type { ShownRecord } from './records.ts';

/** One event of the stream, in characters; a record is a few thousand at most. */
const eventCharactersMax = 1024 * 1024;
const firstWaitMs = 500;
const longestWaitMs = 10_000;

/**
 * The events of a stream (`/stream`, `/mesh/events`), for ever. A connection that is lost is made anew after the last event
 * that was seen (`Last-Event-ID`), and the person is told on standard error. Throws a CliError when the first connection
 * fails, or when the node refuses a later one.
 */
export async function* followStream(
  client: NodeClient,
  path: string,
  query: URLSearchParams,
  io: Io,
): AsyncGenerator<ShownRecord> {
  let cursor: string | undefined;
  let waitMs = firstWaitMs;
  let body = await open(client, path, query, cursor);
  for (;;) {
    let why = 'the node closed it';
    try {
      for await (const message of readMessages(body)) {
        waitMs = firstWaitMs;
        if (message.id !== undefined) cursor = message.id;
        if (message.event === 'connected') {
          // Until the first event, this is where a broken stream goes on without loss.
          cursor ??= textIn(message, 'last');
        } else if (message.event === 'gap') {
          // We were too slow for the node's buffer. It disconnects; its cursor is where the stream goes on.
          cursor = textIn(message, 'cursor') ?? cursor;
        } else if (message.event === 'reset') {
          cursor = textIn(message, 'last');
          await tell('The node cannot go back to where the stream stopped: some events are not shown.');
        } else {
          const event = parseEvent(message.data);
          if (event !== undefined) yield event;
        }
      }
    } catch (error) {
      why = error instanceof Error ? error.message : String(error);
    }
    body = await reopen(why);
  }

  async function reopen(reason: string): Promise<AsyncIterable<Uint8Array>> {
    let why = reason;
    for (;;) {
      const from = cursor === undefined ? '' : ` after ${cursor}`;
      await tell(`The stream ended (${why}); connecting again${from} in ${waitMs / 1_000} s.`);
      await io.sleep(waitMs);
      waitMs = Math.min(waitMs * 2, longestWaitMs);
      try {
        return await open(client, path, query, cursor);
      } catch (error) {
        // A node that restarts is away for a moment; a node that refuses us will refuse us again.
        if (!(error instanceof CliError) || error.exitCode !== exitCodes.unreachable) throw error;
        why = error.message;
      }
    }
  }

  function tell(sentence: string): Promise<void> {
    // A stream goes on without the reader of its remarks.
    return io.stderr.write(`${printable(sentence)}\n`).catch(() => undefined);
  }
}

async function open(
  client: NodeClient,
  path: string,
  query: URLSearchParams,
  cursor: string | undefined,
): Promise<AsyncIterable<Uint8Array>> {
  const headers = {
    accept: 'text/event-stream',
    ...(cursor === undefined ? {} : { 'last-event-id': cursor }),
  };
  const response = await expectOk(await client.send(path, { query, headers }));
  if (response.body === null) throw new CliError(exitCodes.unreachable, `${client.url}${path} sent nothing.`);
  return response.body;
}

/** Server-sent events (WHATWG HTML 9.2) out of the bytes of a body. */
async function* readMessages(body: AsyncIterable<Uint8Array>): AsyncGenerator<EventSourceMessage> {
  const messages: EventSourceMessage[] = [];
  const parser = createParser({
    onEvent: (message) => messages.push(message),
    maxBufferSize: eventCharactersMax,
  });
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    parser.feed(decoder.decode(chunk, { stream: true }));
    yield* messages.splice(0);
  }
}

function parseEvent(data: string): ShownRecord | undefined {
  try {
    const event: unknown = JSON.parse(data);
    return typeof event === 'object' && event !== null ? { ...event } : undefined;
  } catch {
    return undefined;
  }
}

function textIn(message: EventSourceMessage, name: string): string | undefined {
  const text = parseEvent(message.data)?.[name];
  return typeof text === 'string' ? text : undefined;
}
