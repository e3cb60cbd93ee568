import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import { type Ack, type AckWish, ackDefault } from '../event/ack.ts';
import { sealBatches } from '../event/batch.ts';
import type { HybridClock } from '../event/hlc.ts';
import type { Identity } from '../event/identity.ts';
import { eventId, type SeqRange } from '../event/types.ts';
import { emptyHeld } from '../event/vector.ts';
import { type ObservationDefaults, parseObservation } from '../indicator/observation.ts';
import type { Observation } from '../indicator/types.ts';
import type { Change, IndicatorStore } from '../store/store.ts';
import { intakeLimits as limits } from './limits.ts';
import type { Row } from './row.ts';

export type IntakeErrorCode = 'BUSY' | 'STOPPED' | 'BROKEN';

export class IntakeError extends Error {
  readonly code: IntakeErrorCode;
  constructor(code: IntakeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'IntakeError';
    this.code = code;
  }
}

export type RefusedRow = { readonly row: number; readonly code: string; readonly reason: string };

/** What became of a submission, row by row. */
export type SubmitOutcome = {
  readonly accepted: number;
  readonly created: number;
  readonly updated: number;
  readonly refused: readonly RefusedRow[];
  /** Where the events are safe, beside this node's store. */
  readonly ack: Ack;
  /** Ids of the first and last event; absent when nothing was accepted. */
  readonly events?: { readonly first: string; readonly last: string };
};

export interface Intake {
  /**
   * Parses rows, makes events of this node out of the good ones, and resolves once they are in the store and the wish is
   * met, or could not be met in time: then `ack` has a reason. Rejects with IntakeError: BUSY when too much waits already and STOPPED, with nothing taken; BROKEN once the store has failed, when
   * the first rows of a large submission may be stored, and the later ones are not.
   */
  submit(rows: readonly Row[], defaults: ObservationDefaults, wish?: AckWish): Promise<SubmitOutcome>;
  /** Makes events of this node out of what a snapshot did not know; resolves once they are in the store. */
  restate(observations: readonly Observation[]): Promise<void>;
  /** Takes nothing more, and waits for what it took. */
  stop(): Promise<void>;
}

export type IntakeParts = {
  readonly store: IndicatorStore;
  readonly identity: Identity;
  readonly hybridClock: HybridClock;
  readonly clock: Clock;
  /** Resolves once `range` of this node's events is where it is wished, or cannot be in time. */
  readonly acknowledged: (range: SeqRange, wish: AckWish) => Promise<Ack>;
};

type Waiting = {
  readonly observations: readonly Observation[];
  readonly resolve: (changes: readonly Change[]) => void;
  readonly reject: (error: unknown) => void;
};

/** The one way in: whatever enters a node from outside the mesh becomes an event here. */
export function createIntake({ store, identity, hybridClock, clock, acknowledged }: IntakeParts): Intake {
  const waiting: Waiting[] = [];
  const submissions = new Set<Promise<unknown>>();
  let queuedRows = 0;
  let writing = false;
  let stopped = false;
  let broken: IntakeError | undefined;

  /** One writer, so that seq has no gaps. What came meanwhile shares one commit, and so one sync of the disk. */
  async function writeAll(): Promise<void> {
    writing = true;
    while (waiting.length > 0) await writeGroup(takeGroup(waiting));
    writing = false;
  }

  async function writeGroup(group: readonly Waiting[]): Promise<void> {
    try {
      const changes = await write(group.flatMap(({ observations }) => observations));
      let start = 0;
      for (const { observations, resolve } of group) {
        resolve(changes.slice(start, start + observations.length));
        start += observations.length;
      }
    } catch (cause) {
      // Whether the disk has it is unknown, and a seq that was signed twice would split the mesh: stop until a restart,
      // which reads from the log what was written.
      broken = new IntakeError(
        'BROKEN',
        `this was not stored, and the node takes nothing more until it is restarted: ${messageOf(cause)}`,
        { cause },
      );
      for (const { reject } of [...group, ...waiting.splice(0)]) reject(broken);
    }
  }

  async function write(observations: readonly Observation[]): Promise<readonly Change[]> {
    const entries = observations.map((body) => ({ hlc: hybridClock.now(), body }));
    const { changes } = await store.commit(sealBatches(identity, nextSeqOf(store, identity), entries));
    // The store skips what it holds: numbers that this node has used already, before its disk was put back to an older day.
    if (changes.length !== observations.length) {
      throw new Error(
        'events under the same numbers came back from peers; after a restart the node goes on behind them',
      );
    }
    return changes;
  }

  function commit(observations: readonly Observation[]): Promise<readonly Change[]> {
    if (broken) return Promise.reject(broken);
    return new Promise((resolve, reject) => {
      waiting.push({ observations, resolve, reject });
      if (!writing) void writeAll();
    });
  }

  async function take(
    rows: readonly Row[],
    defaults: ObservationDefaults,
    wish: AckWish,
  ): Promise<SubmitOutcome> {
    queuedRows += rows.length;
    try {
      const { observations, refused } = await parseRows(rows, defaults, clock);
      const changes = (await Promise.all(slices(observations, limits.rowsPerCommit).map(commit))).flat();
      const created = changes.filter(({ outcome }) => outcome === 'created').length;
      const [first, last] = [changes.at(0)?.event, changes.at(-1)?.event];
      const ack: Ack =
        first && last
          ? await acknowledged({ from: first.seq, to: last.seq }, wish)
          : { wanted: wish, reached: 'local' };
      return {
        accepted: changes.length,
        created,
        updated: changes.length - created,
        refused,
        ack,
        ...(first && last && { events: { first: eventId(first), last: eventId(last) } }),
      };
    } finally {
      queuedRows -= rows.length;
    }
  }

  return {
    async submit(rows, defaults, wish = ackDefault) {
      if (broken) throw broken;
      if (stopped) throw new IntakeError('STOPPED', 'the node is stopping; ask another one');
      if (queuedRows + rows.length > limits.queuedRowsMax) {
        throw new IntakeError('BUSY', `${queuedRows} rows wait already; try again in a moment`);
      }
      const submission = take(rows, defaults, wish);
      submissions.add(submission);
      try {
        return await submission;
      } finally {
        submissions.delete(submission);
      }
    },
    async restate(observations) {
      await commit(observations);
    },
    async stop() {
      stopped = true;
      await Promise.allSettled(submissions);
    },
  };
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** Behind everything that the store holds of this node, its own log and what came back from peers. */
function nextSeqOf(store: IndicatorStore, { nodeId }: Identity): number {
  const { upTo, above } = store.vector().get(nodeId) ?? emptyHeld;
  return (above.at(-1)?.to ?? upTo) + 1;
}

/** What waited longest, up to what one commit may hold; at least one. */
function takeGroup(waiting: Waiting[]): readonly Waiting[] {
  let rows = 0;
  const more = waiting.findIndex(({ observations }, i) => {
    rows += observations.length;
    return i > 0 && rows > limits.rowsPerCommit;
  });
  return waiting.splice(0, more === -1 ? waiting.length : more);
}

function slices<T>(items: readonly T[], lengthMax: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / lengthMax) }, (_, i) =>
    items.slice(i * lengthMax, (i + 1) * lengthMax),
  );
}

async function parseRows(
  rows: readonly Row[],
  defaults: ObservationDefaults,
  clock: Clock,
): Promise<{ readonly observations: readonly Observation[]; readonly refused: readonly RefusedRow[] }> {
  const observations: Observation[] = [];
  const refused: RefusedRow[] = [];
  for (const [i, row] of rows.entries()) {
    // A large submission must not keep the node from its peers.
    if (i > 0 && i % limits.rowsPerTurn === 0) await nextTurn();
    if ('refusal' in row) {
      refused.push({ row: row.row, ...row.refusal });
      continue;
    }
    const parsed = parseObservation(row.value, defaults, clock.wallMs());
    if (parsed.ok) observations.push(parsed.value);
    else refused.push({ row: row.row, code: parsed.code, reason: parsed.reason });
  }
  return { observations, refused };
}
