import type { Clock } from '../clock.ts';
import { pulledBody } from '../stream/pulled-body.ts';
import { heartbeatEveryMs } from '../stream/reading.ts';
import type { MeshEventRow } from './mesh-rows.ts';

export type MeshEventsParts = {
  /** Begins with the peers that are here; ends when the signal aborts or the mesh stops. */
  readonly events: (signal: AbortSignal) => AsyncIterator<MeshEventRow>;
  readonly clock: Clock;
  /** Ends the stream in good order. */
  readonly stopping: AbortSignal | undefined;
  /** The first byte is asked for; until then nothing is held. */
  readonly opened: () => void;
  readonly closed: () => void;
  /** Told of a fault of ours, which ends the stream. */
  readonly failed: (error: unknown) => void;
};

/**
 * What happens in the mesh as Server-Sent Events (WHATWG HTML, section 9.2): the kind as `event`, the event as
 * `data`. There are no ids: who comes back is told who is here.
 */
export function meshEventsBody(parts: MeshEventsParts): ReadableStream<Uint8Array> {
  const { events, clock, stopping, opened, closed, failed } = parts;
  const stop = new AbortController();
  const stopNow = (): void => stop.abort();
  let source: AsyncIterator<MeshEventRow> | undefined;
  let pending: Promise<IteratorResult<MeshEventRow>> | undefined;

  function open(): string {
    stopping?.addEventListener('abort', stopNow);
    if (stopping?.aborted) stopNow();
    source = events(stop.signal);
    opened();
    return ': connected\n\n';
  }

  /** What to send next; empty at the end. */
  async function following(from: AsyncIterator<MeshEventRow>): Promise<string> {
    pending ??= from.next();
    let beat: () => void = () => {};
    const silence = new Promise<undefined>((resolve) => {
      beat = () => resolve(undefined);
    });
    const timer = clock.after(heartbeatEveryMs, beat);
    try {
      const result = await Promise.race([pending, silence]);
      if (result === undefined) return ': alive\n\n';
      pending = undefined;
      if (result.done) return '';
      return `event: ${result.value.kind}\ndata: ${JSON.stringify(result.value)}\n\n`;
    } finally {
      timer.stop();
    }
  }

  function finish(): void {
    stopping?.removeEventListener('abort', stopNow);
    stopNow();
    if (source !== undefined) closed();
  }

  return pulledBody({
    next: async () => (source === undefined ? open() : following(source)),
    ended: finish,
    failed,
  });
}
