import { Subscriber } from 'zeromq';
import type { Follow, FollowOptions, StreamEvent } from './follow.ts';
import { poll } from './follow-ndjson.ts';

/**
 * A SUB gets what comes from now on, and loses when it is slow. Each message says by its cursor where it stands: what is
 * missing before it is fetched by NDJSON. So it begins, too, and so it goes on at another node.
 */
export const followZeromq: Follow = async (options) => {
  const { url, headers, hear, placed, signal } = options;
  const mesh = (await (await fetch(`${url}/mesh`, { headers, signal })).json()) as {
    readonly endpoints: { readonly stream: string };
  };
  const socket = new Subscriber({ linger: 0 });
  try {
    const connected = new Promise((resolve) => socket.events.on('handshake', resolve));
    const lost = new Promise<never>((_, reject) => {
      socket.events.on('disconnect', () => reject(new Error('the node is gone')));
      signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
    });
    socket.connect(mesh.endpoints.stream);
    socket.subscribe('');
    await Promise.race([connected, lost]);
    let cursor = options.cursor ?? (await poll(options, undefined, 0)).cursor;
    placed(cursor);
    cursor = await heal(options, cursor, undefined);
    for (;;) {
      const [, frame] = await Promise.race([socket.receive(), lost]);
      const event = JSON.parse(String(frame)) as StreamEvent;
      if (positionOf(event.cursor) <= positionOf(cursor)) continue;
      if (positionOf(event.cursor) > positionOf(cursor) + 1) cursor = await heal(options, cursor, event);
      if (positionOf(event.cursor) <= positionOf(cursor)) continue;
      hear(event);
      cursor = event.cursor;
    }
  } finally {
    socket.close();
  }
};

/** What comes behind `cursor`, up to before `event`, or to the end that is there now. Answers where that is. */
async function heal(options: FollowOptions, from: string, before: StreamEvent | undefined): Promise<string> {
  for (let cursor = from; ; ) {
    const answer = await poll(options, cursor, 0);
    for (const event of answer.events) options.hear(event);
    cursor = answer.cursor;
    const isThere = before !== undefined && positionOf(cursor) >= positionOf(before.cursor) - 1;
    if (isThere || answer.events.length === 0) return cursor;
  }
}

/** Successive messages of one node have successive positions. */
function positionOf(cursor: string): number {
  return Number(cursor.split('.')[1]);
}
