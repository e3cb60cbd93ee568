/** How a reader takes the stream. */
export const transports = ['sse', 'ndjson', 'websocket'] as const;
export type Transport = (typeof transports)[number];

/** Each is a socket and some tens of KB; a dashboard, a SIEM and a sensor's agent each take one. */
export const readersMax = 2_000;

/** Who reads the stream here, in numbers. */
export interface Readers {
  isFull(): boolean;
  /** Counts one; returns the way to leave, which may be called again. */
  enter(transport: Transport): () => void;
  now(): ReadonlyMap<Transport, number>;
  /** `stuck` is a WebSocket that took nothing for too long, `refused` a reader that found no place. */
  count(what: ReaderEvent): void;
  counted(): ReadonlyMap<string, number>;
}

export type ReaderEvent = 'gap' | 'reset' | 'stuck' | 'refused';

export function createReaders(max: number = readersMax): Readers {
  const here = new Map<Transport, number>(transports.map((transport) => [transport, 0]));
  const events = new Map<ReaderEvent, number>();
  let all = 0;

  function add(transport: Transport, change: 1 | -1): void {
    all += change;
    here.set(transport, (here.get(transport) ?? 0) + change);
  }

  function count(what: ReaderEvent): void {
    events.set(what, (events.get(what) ?? 0) + 1);
  }

  return {
    isFull() {
      if (all >= max) count('refused');
      return all >= max;
    },
    enter(transport) {
      let left = false;
      add(transport, 1);
      return () => {
        if (!left) add(transport, -1);
        left = true;
      };
    },
    now: () => here,
    count,
    counted: () => events,
  };
}
