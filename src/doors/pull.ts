import { setImmediate as nextTurn } from 'node:timers/promises';
import { Pull } from 'zeromq';
import type { Clock } from '../clock.ts';
import { standardDefaults } from '../indicator/observation.ts';
import type { Intake } from '../intake/intake.ts';
import { readJsonMessage } from '../intake/json-message.ts';
import type { Row } from '../intake/row.ts';
import { lockOptions, type StreamLock } from '../stream/lock.ts';
import { type Front, startFront } from './front.ts';
import { doorLimits as limits } from './limits.ts';
import { createTally, type Warn } from './tally.ts';

export type PullDoor = {
  readonly endpoint: string;
  /** Messages and rows that came, rows that were accepted, and refusals by their codes. */
  counters(): ReadonlyMap<string, number>;
  /** Reads nothing more; resolves once all that was read is stored. */
  stop(): Promise<void>;
};

/** Why the socket could not be bound; the message says what to do. */
export class PullError extends Error {
  readonly code = 'BIND_FAILED';
}

export type PullParts = {
  readonly intake: Pick<Intake, 'submit' | 'hasRoomFor'>;
  readonly clock: Clock;
  readonly warn: Warn;
  /** Of rows that name none. */
  readonly provider: string;
  /** Without it, whoever reaches the port is a sensor. */
  readonly lock?: StreamLock | undefined;
};

/** Only the front is reached from other machines. */
const behind = '127.0.0.1';
/** A row that waits here is safe nowhere: its sender is not told, so nobody waits for another node. */
const wish = 'local';

/**
 * A ZeroMQ PULL socket that takes indicators of sensors: a message is one frame of JSON, one indicator, an array or NDJSON.
 * While they come faster than they are stored it reads no further, so that the senders' high-water marks hold. What is wrong
 * with a message or a row costs nothing else. Rejects with PullError.
 */
export async function startPull(
  parts: PullParts,
  at: { readonly host: string; readonly port: number },
): Promise<PullDoor> {
  const { intake, clock, lock } = parts;
  const defaults = { ...standardDefaults, provider: parts.provider };
  const tally = createTally(clock, parts.warn, 'what came by ZeroMQ PULL was refused');
  const socket = new Pull({
    linger: 0,
    // Never full (see front.ts): what is in it was handed on by the front, and that stops in time.
    receiveHighWaterMark: 0,
    maxMessageSize: limits.messageBytesMax,
    handshakeInterval: limits.handshakeMsMax,
    ...lockOptions(lock),
  });
  if (lock !== undefined) {
    for (const kind of ['auth', 'protocol'] as const) {
      socket.events.on(`handshake:error:${kind}`, () => {
        tally.refuse('wrong-key', 'a sensor without the stream key, or with another one, was turned away');
      });
    }
  }
  /** Messages that are not on their way into the store yet, and the rows of the first one, once they are read. */
  const line: Buffer[] = [];
  let first: readonly Row[] | undefined;
  let held = { messages: 0, bytes: 0 };
  let rowsInFlight = 0;
  let isPaused = false;
  let retry: { stop(): void } | undefined;
  let onEmpty: () => void = () => undefined;

  async function read(): Promise<void> {
    while (!socket.closed) {
      let frames: Buffer[];
      try {
        frames = await socket.receive();
      } catch (cause) {
        if (socket.closed) return;
        throw cause;
      }
      take(frames);
    }
  }

  function take([frame, ...more]: readonly Buffer[]): void {
    tally.count('messages');
    if (frame === undefined || more.length > 0) {
      tally.refuse('many-frames', `${more.length + 1} frames; a message is one frame of JSON`);
      return;
    }
    line.push(frame);
    held = { messages: held.messages + 1, bytes: held.bytes + frame.byteLength };
    if (held.messages >= limits.heldMessagesMax || held.bytes >= limits.heldBytesMax) pause();
    pump();
  }

  function pause(): void {
    if (!isPaused) tally.count('paused');
    isPaused = true;
    front.pause();
  }

  function pump(): void {
    retry?.stop();
    retry = undefined;
    for (let frame = line[0]; frame !== undefined; frame = line[0]) {
      if (rowsInFlight >= limits.rowsInFlightMax) return;
      first ??= rowsOf(frame);
      if (!intake.hasRoomFor(first.length)) {
        retry = clock.after(limits.busyMs, pump);
        return;
      }
      line.shift();
      void submit(first, frame.byteLength);
      first = undefined;
    }
  }

  function rowsOf(frame: Buffer): readonly Row[] {
    const rows = readJsonMessage(frame);
    if (rows.ok) return rows.value;
    tally.refuse(rows.code, rows.reason);
    return [];
  }

  async function submit(rows: readonly Row[], bytes: number): Promise<void> {
    rowsInFlight += rows.length;
    try {
      const { accepted, refused } = await intake.submit(rows, defaults, wish);
      tally.count('rows', rows.length);
      tally.count('accepted', accepted);
      for (const { code, reason } of refused) tally.refuse(code, reason);
    } catch (error) {
      tally.refuse('not-stored', error instanceof Error ? error.message : String(error), rows.length);
    }
    rowsInFlight -= rows.length;
    held = { messages: held.messages - 1, bytes: held.bytes - bytes };
    if (held.messages === 0) onEmpty();
    if (isPaused && held.messages <= limits.heldMessagesMax / 2 && held.bytes <= limits.heldBytesMax / 2) {
      isPaused = false;
      front.resume();
    }
    pump();
  }

  let front: Front;
  try {
    await socket.bind(`tcp://${behind}:*`);
    const port = Number(socket.lastEndpoint?.split(':').at(-1));
    front = await startFront(at, { host: behind, port }, clock, () =>
      tally.refuse('connections-max', `${limits.connectionsMax} sensors are connected; no more are taken`),
    );
  } catch (cause) {
    socket.close();
    throw new PullError(
      `indicators cannot be taken at ${endpointOf(at)} (${(cause as Error).message}): name another with --pull-host and --pull-port`,
      { cause },
    );
  }
  const reading = read();

  async function stopAll(): Promise<void> {
    await front.stop();
    while (socket.readable) await nextTurn();
    // The message that made the socket empty is handed over in a turn of its own.
    await nextTurn();
    if (held.messages > 0) {
      await new Promise<void>((resolve) => {
        onEmpty = resolve;
      });
    }
    retry?.stop();
    socket.close();
    await reading;
  }

  let stopping: Promise<void> | undefined;
  return {
    endpoint: endpointOf({ host: at.host, port: front.port }),
    counters: tally.counters,
    stop() {
      stopping ??= stopAll();
      return stopping;
    },
  };
}

function endpointOf({ host, port }: { readonly host: string; readonly port: number }): string {
  return `tcp://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
