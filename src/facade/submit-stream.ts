import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AckWish } from '../event/ack.ts';
import type { ObservationDefaults } from '../indicator/observation.ts';
import { IntakeError } from '../intake/intake.ts';
import { createRowStream, type RowGroup } from '../intake/row-stream.ts';
import { problemOfIntake } from './intake-problem.ts';
import type { FacadeParts } from './parts.ts';
import { Problem, problemText } from './problem.ts';

export const submitStreamLimits = {
  /**
   * What was taken and is not answered yet. Beyond it the body is not read, and TCP slows the client down; as it is when the
   * client does not read its answers.
   */
  groupsMax: 1_000,
  rowsMax: 10_000,
  charactersMax: 4 * 1024 * 1024,
  /** How long a stream waits before it asks again whether a busy node has room. */
  busyMs: 20,
  /** TCP asks an idle client so often whether it is still there: nothing else would tell of a machine that lost its power. */
  keepAliveMs: 30_000,
} as const;

/** Node's two halves of an exchange: web streams cost more than a row does. */
export type Exchange = {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  /** Ends the stream in good order. */
  readonly stopping: AbortSignal;
};

type StreamParts = Pick<FacadeParts, 'intake' | 'clock' | 'onError'>;

/** A group whose answer stands in line; undefined as long as it is not known. */
type Place = RowGroup & { answer: string | Problem | undefined };

/**
 * Takes NDJSON as it comes, and answers each group of rows by a line as soon as it is where it is wished, in the order of the
 * rows. The status is sent before any row is known: 200. What ends the stream early is its last line, `{"error":problem}`;
 * what no line has answered was not acknowledged. Of a client that goes away, the whole lines that came are stored. Resolves
 * when all has been answered, or cannot be; never rejects.
 */
export async function answerStream(
  { incoming, outgoing, stopping }: Exchange,
  { intake, clock, onError }: StreamParts,
  defaults: ObservationDefaults,
  wish: AckWish,
): Promise<void> {
  const limits = submitStreamLimits;
  const stream = createRowStream();
  const line: Place[] = [];
  const held = { rows: 0, characters: 0 };
  let problem: Problem | undefined;
  let flushing = false;
  let wake = (): void => undefined;

  /** Resolves at the next thing that happens; what it was is asked of the state. */
  function change(): Promise<void> {
    return new Promise((resolve) => {
      wake = resolve;
    });
  }
  const changed = (): void => wake();

  function isOver(): boolean {
    return problem !== undefined || stopping.aborted;
  }

  function isFull(): boolean {
    return (
      line.length >= limits.groupsMax ||
      held.rows >= limits.rowsMax ||
      held.characters >= limits.charactersMax ||
      (outgoing.writableNeedDrain && !outgoing.destroyed)
    );
  }

  /** Whether it was read to its end, and all of it taken. */
  async function readAll(): Promise<boolean> {
    while (!isOver()) {
      if (isFull()) {
        await change();
        continue;
      }
      const bytes: Buffer | null = incoming.read();
      if (bytes !== null) await takeAll(stream.push(bytes));
      else if (incoming.readableEnded) return takeAll(stream.end());
      // What follows the last line break may have been cut off.
      else if (incoming.destroyed) return true;
      else {
        await change();
        // Node hands over each chunk of one packet in a turn of its own; what came together is to be one group.
        await nextTurn();
      }
    }
    return false;
  }

  async function takeAll(groups: readonly RowGroup[]): Promise<boolean> {
    for (const [i, group] of groups.entries()) {
      // Other work gets its turn.
      if (i > 0) await nextTurn();
      while (!isOver() && !intake.hasRoomFor(group.rows.length)) {
        clock.after(limits.busyMs, changed);
        await change();
      }
      if (isOver()) return false;
      take(group);
    }
    return true;
  }

  function take(group: RowGroup): void {
    const place: Place = { ...group, answer: undefined };
    line.push(place);
    held.rows += group.rows.length;
    held.characters += group.characters;
    const answered = (answer: string | Problem): void => {
      place.answer = answer;
      // Acknowledgements are cumulative: what one of them answers leaves in one write.
      if (!flushing) process.nextTick(flush);
      flushing = true;
    };
    intake.submit(group.rows, defaults, wish).then(
      (outcome) => {
        const rows = { first: group.rows.at(0)?.row, last: group.rows.at(-1)?.row };
        answered(`${JSON.stringify({ rows, ...outcome })}\n`);
      },
      (error: unknown) => answered(problemOf(error)),
    );
  }

  function flush(): void {
    flushing = false;
    let text = '';
    for (let first = line[0]; first?.answer !== undefined; first = line[0]) {
      line.shift();
      held.rows -= first.rows.length;
      held.characters -= first.characters;
      if (typeof first.answer === 'string' && problem === undefined) text += first.answer;
      else if (typeof first.answer !== 'string') problem ??= first.answer;
    }
    if (text !== '') outgoing.write(text);
    changed();
  }

  function problemOf(error: unknown): Problem {
    if (error instanceof IntakeError) return problemOfIntake(error);
    const requestId = randomUUID();
    onError(error, requestId);
    return new Problem(500, `something went wrong here; the log has it under ${requestId}`, {
      request_id: requestId,
    });
  }

  /** Nothing has moved for a while: of an idle client that is fine, of one that does not read its answers it is not. */
  function timedOut(): void {
    if (outgoing.writableNeedDrain) outgoing.destroy();
  }

  incoming.on('readable', changed).on('end', changed).on('close', changed).on('error', changed);
  outgoing.on('drain', changed).on('close', changed).on('error', changed).on('timeout', timedOut);
  stopping.addEventListener('abort', changed);
  incoming.socket.setKeepAlive(true, limits.keepAliveMs);
  outgoing.writeHead(200, {
    'content-type': 'application/x-ndjson',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
  });
  outgoing.flushHeaders();
  const isWhole = await readAll();
  while (line.length > 0) await change();
  stopping.removeEventListener('abort', changed);
  // From here on it is a connection like any other.
  outgoing.off('timeout', timedOut);
  if (!isWhole)
    problem ??= problemOfIntake(new IntakeError('STOPPED', 'the node is stopping; ask another one'));
  outgoing.end(problem && `{"error":${problemText(problem)}}\n`);
}
