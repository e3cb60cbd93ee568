import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import { type Ack, type AckWish, ackDefault } from '../event/ack.ts';
import { sealBatches } from '../event/batch.ts';
import type { HybridClock } from '../event/hlc.ts';
import type { Identity } from '../event/identity.ts';
import { type Entry, eventId, type Saying, type SeqRange } from '../event/types.ts';
import { emptyHeld } from '../event/vector.ts';
import { type ObservationDefaults, parseObservation } from '../indicator/observation.ts';
import { parseSighting, type SightingDefaults } from '../indicator/statement.ts';
import type { Statement } from '../indicator/types.ts';
import { accept, type Parsed } from '../parsed.ts';
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

/** What became of what was said. */
export type Said = {
  /** Where the events are safe, beside this node's store. */
  readonly ack: Ack;
  /** Ids of the first and last event; absent when nothing was said. */
  readonly events?: { readonly first: string; readonly last: string };
};

/** What became of a submission, row by row. */
export type SubmitOutcome = Said & {
  readonly accepted: number;
  readonly created: number;
  readonly updated: number;
  readonly refused: readonly RefusedRow[];
};

export interface Intake {
  /**
   * Parses rows, makes events of this node out of the good ones, and resolves once they are in the store and the wish is
   * met, or could not be met in time: then `ack` has a reason. Rejects with IntakeError: BUSY when too much waits already and STOPPED, with nothing taken; BROKEN once the store has failed, when
   * the first rows of a large submission may be stored, and the later ones are not.
   */
  submit(rows: readonly Row[], defaults: ObservationDefaults, wish?: AckWish): Promise<SubmitOutcome>;
  /** The same for rows of sightings. */
  sight(rows: readonly Row[], defaults: SightingDefaults, wish?: AckWish): Promise<SubmitOutcome>;
  /** Makes events of this node out of statements that are checked already, as `submit` does. */
  say(sayings: readonly Saying[], wish?: AckWish): Promise<Said>;
  /** Whether so many rows more would be taken now, or be refused as BUSY. */
  hasRoomFor(rows: number): boolean;
  /** Makes events of this node out of what a snapshot did not know; resolves once they are in the store. */
  restate(sayings: readonly Saying[]): Promise<void>;
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
  readonly sayings: readonly Saying[];
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
      const changes = await write(group.flatMap(({ sayings }) => sayings));
      let start = 0;
      for (const { sayings, resolve } of group) {
        resolve(changes.slice(start, start + sayings.length));
        start += sayings.length;
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

  async function write(sayings: readonly Saying[]): Promise<readonly Change[]> {
    const entries = sayings.map(({ kind, body }) => ({ hlc: hybridClock.now(), kind, body }) as Entry);
    const { changes } = await store.commit(sealBatches(identity, nextSeqOf(store, identity), entries));
    // The store skips what it holds: numbers that this node has used already, before its disk was put back to an older day.
    if (changes.length !== sayings.length) {
      throw new Error(
        'events under the same numbers came back from peers; after a restart the node goes on behind them',
      );
    }
    return changes;
  }

  function commit(sayings: readonly Saying[]): Promise<readonly Change[]> {
    if (broken) return Promise.reject(broken);
    return new Promise((resolve, reject) => {
      waiting.push({ sayings, resolve, reject });
      if (!writing) void writeAll();
    });
  }

  async function take(rows: readonly Row[], parse: ParseRow, wish: AckWish): Promise<SubmitOutcome> {
    const { statements, refused } = await parseRows(rows, parse);
    const { changes, ...said } = await commitAll(statements, wish);
    const created = changes.filter((change) => 'outcome' in change && change.outcome === 'created').length;
    const accepted = changes.length;
    return { accepted, created, updated: accepted - created, refused, ...said };
  }

  async function commitAll(
    sayings: readonly Saying[],
    wish: AckWish,
  ): Promise<Said & { readonly changes: readonly Change[] }> {
    const changes = (await Promise.all(slices(sayings, limits.rowsPerCommit).map(commit))).flat();
    const [first, last] = [numbered(changes.at(0)), numbered(changes.at(-1))];
    if (first === undefined || last === undefined)
      return { ack: { wanted: wish, reached: 'local' }, changes };
    const ack = await acknowledged({ from: first.seq, to: last.seq }, wish);
    return { ack, events: { first: eventId(first), last: eventId(last) }, changes };
  }

  /** Refuses work when too much waits, or none can be taken; and remembers it, so that a stop waits for it. */
  async function admit<T>(rows: number, work: () => Promise<T>): Promise<T> {
    if (broken) throw broken;
    if (stopped) throw new IntakeError('STOPPED', 'the node is stopping; ask another one');
    if (!hasRoomFor(rows)) {
      throw new IntakeError('BUSY', `${queuedRows} rows wait already; try again in a moment`);
    }
    queuedRows += rows;
    const submission = work();
    submissions.add(submission);
    try {
      return await submission;
    } finally {
      queuedRows -= rows;
      submissions.delete(submission);
    }
  }

  function observing(defaults: ObservationDefaults): ParseRow {
    return (value) => {
      const parsed = parseObservation(value, defaults, clock.wallMs());
      return parsed.ok ? accept({ kind: 'observe', body: parsed.value }) : parsed;
    };
  }

  function sighting(defaults: SightingDefaults): ParseRow {
    return (value) => {
      const parsed = parseSighting(value, defaults, clock.wallMs());
      return parsed.ok ? accept({ kind: 'sight', body: parsed.value }) : parsed;
    };
  }

  function hasRoomFor(rows: number): boolean {
    return queuedRows + rows <= limits.queuedRowsMax;
  }

  return {
    hasRoomFor,
    submit: (rows, defaults, wish = ackDefault) =>
      admit(rows.length, () => take(rows, observing(defaults), wish)),
    sight: (rows, defaults, wish = ackDefault) =>
      admit(rows.length, () => take(rows, sighting(defaults), wish)),
    say: (sayings, wish = ackDefault) =>
      admit(sayings.length, async () => {
        const { changes: _, ...said } = await commitAll(sayings, wish);
        return said;
      }),
    async restate(sayings) {
      await commit(sayings);
    },
    async stop() {
      stopped = true;
      await Promise.allSettled(submissions);
    },
  };
}

/** What was committed here has a number of this node. */
function numbered(change: Change | undefined) {
  return change !== undefined && 'seq' in change.event ? change.event : undefined;
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
  const more = waiting.findIndex(({ sayings }, i) => {
    rows += sayings.length;
    return i > 0 && rows > limits.rowsPerCommit;
  });
  return waiting.splice(0, more === -1 ? waiting.length : more);
}

function slices<T>(items: readonly T[], lengthMax: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / lengthMax) }, (_, i) =>
    items.slice(i * lengthMax, (i + 1) * lengthMax),
  );
}

type ParseRow = (value: unknown) => Parsed<Statement, string>;

async function parseRows(
  rows: readonly Row[],
  parse: ParseRow,
): Promise<{ readonly statements: readonly Statement[]; readonly refused: readonly RefusedRow[] }> {
  const statements: Statement[] = [];
  const refused: RefusedRow[] = [];
  for (const [i, row] of rows.entries()) {
    // A large submission must not keep the node from its peers.
    if (i > 0 && i % limits.rowsPerTurn === 0) await nextTurn();
    if ('refusal' in row) {
      refused.push({ row: row.row, ...row.refusal });
      continue;
    }
    const parsed = parse(row.value);
    if (parsed.ok) statements.push(parsed.value);
    else refused.push({ row: row.row, code: parsed.code, reason: parsed.reason });
  }
  return { statements, refused };
}
