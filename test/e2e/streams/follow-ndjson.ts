import type { Follow, FollowOptions, StreamEvent } from './follow.ts';

const waitS = 5;

/** One long poll after another. */
export const followNdjson: Follow = async (options) => {
  let { cursor } = options;
  for (;;) {
    const answer = await poll(options, cursor, waitS);
    cursor = answer.cursor;
    options.placed(cursor);
    for (const event of answer.events) options.hear(event);
  }
};

type Answer = { readonly events: readonly StreamEvent[]; readonly cursor: string };

export async function poll(
  { url, headers, signal }: Pick<FollowOptions, 'url' | 'headers' | 'signal'>,
  cursor: string | undefined,
  wait: number,
): Promise<Answer> {
  const query = new URLSearchParams({ wait: String(wait), ...(cursor !== undefined && { cursor }) });
  const response = await fetch(`${url}/stream/ndjson?${query}`, { headers, signal });
  const text = await response.text();
  if (!response.ok) throw new Error(`GET /stream/ndjson answers ${response.status}: ${text}`);
  const events = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as StreamEvent)
    .filter(({ type }) => type !== 'tocsin.stream.connected' && type !== 'tocsin.stream.alive');
  return { events, cursor: response.headers.get('tocsin-cursor') ?? '' };
}
