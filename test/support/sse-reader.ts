import { createParser } from 'eventsource-parser';

/** An event of the stream as SSE has it; `data` is its JSON. */
export type SseEvent = {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: Readonly<Record<string, unknown>>;
};

/** The events of an answer, until it ends or the caller stops. Heartbeats are left out. */
export async function* sseEvents(response: Response): AsyncGenerator<SseEvent> {
  if (!response.ok || response.body === null)
    throw new Error(`the stream answers ${response.status}: ${await response.text()}`);
  const found: SseEvent[] = [];
  const parser = createParser({
    onEvent: ({ event = 'message', id, data }) => found.push({ event, id, data: JSON.parse(data) }),
  });
  const decoder = new TextDecoder();
  for await (const chunk of response.body) {
    parser.feed(decoder.decode(chunk, { stream: true }));
    yield* found.splice(0);
  }
}
