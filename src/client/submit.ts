import { united } from './any-node.ts';
import { batchesOf, type RowBatch } from './batches.ts';
import { readText } from './body.ts';
import { sleep } from './clock.ts';
import { aborted, ClientError, strangeAnswer, wasNotTaken } from './errors.ts';
import { type Choice, queryOf } from './filters.ts';
import { ask, type ClientParts } from './http.ts';
import { clientLimits } from './limits.ts';
import type { ClientNode } from './nodes.ts';
import { type BatchOutcome, type Refusal, readOutcome } from './outcome.ts';

/** An indicator, or an object with one and what is said about it (docs/submitting.md). */
export type SubmitRow = string | { readonly indicator?: unknown; readonly [field: string]: unknown };

/** Of rows that do not state it themselves. */
export type RowDefaults = {
  readonly provider?: string | undefined;
  readonly group?: string | undefined;
  readonly tlp?: string | undefined;
  readonly tags?: Choice | undefined;
  readonly confidence?: number | string | undefined;
  readonly itype?: string | undefined;
};

export type SubmitOptions = RowDefaults & {
  /** Where a batch must be on disk before the next one is sent: `local`, `1` (the default), `2` ..., `majority`, `all`. */
  readonly ack?: number | string | undefined;
  /** Rows in one request: 500 unless stated, 50,000 at most. */
  readonly batchRows?: number | undefined;
  /** Told what became of each batch; the next one waits for it. */
  readonly onBatch?: ((batch: BatchAnswer) => void | Promise<void>) | undefined;
  /** Told why nothing moves: all nodes are busy. */
  readonly onWait?: ((waitMs: number, error: ClientError) => void | Promise<void>) | undefined;
  /** The batch under way is still answered, so that it is known what became of it; then this rejects with `aborted`. */
  readonly signal?: AbortSignal | undefined;
};

/** What became of one batch; rows are counted from 1 through the whole submission. */
export type BatchAnswer = BatchOutcome & { readonly firstRow: number; readonly rows: number };

/** What became of all rows. */
export type Submitted = {
  readonly rows: number;
  readonly accepted: number;
  readonly created: number;
  readonly updated: number;
  readonly refused: number;
  /** The first 1,000 of those that were refused. */
  readonly refusals: readonly Refusal[];
  /** Accepted and stored at one node, but not yet on as many others as wished; `ackReason` is the last reason why. */
  readonly unacknowledged: number;
  readonly ackReason?: string;
  /** Ids of the first and last event. */
  readonly events?: { readonly first: string; readonly last: string };
};

/** An iterable of rows, of whatever length: it is read as they are sent. */
export type Rows = Iterable<SubmitRow> | AsyncIterable<SubmitRow>;

/**
 * Sends rows in batches. A batch that a node answered is stored; one that it broke off on is never sent twice, as its
 * observations would count twice: then this rejects with ClientError `broken-off` or `silent`, and `onBatch` has told what was answered
 * before. A busy node is asked again after the time that it names, when no other one takes the batch meanwhile.
 */
export async function submit(parts: ClientParts, rows: Rows, options: SubmitOptions): Promise<Submitted> {
  const { batchRows = clientLimits.batchRowsDefault, onBatch, onWait, signal, ...asked } = options;
  if (!Number.isInteger(batchRows) || batchRows < 1 || batchRows > clientLimits.batchRowsMax) {
    throw new ClientError(
      'usage',
      `batchRows is ${batchRows}: allowed is a number from 1 to ${clientLimits.batchRowsMax}.`,
    );
  }
  const query = queryOf(asked);
  const refusals: Refusal[] = [];
  let sum: Submitted = {
    rows: 0,
    accepted: 0,
    created: 0,
    updated: 0,
    refused: 0,
    refusals,
    unacknowledged: 0,
  };
  for await (const batch of batchesOf(rows, batchRows, parts.clock, signal)) {
    const outcome = await patiently(batch);
    const answer = { ...outcome, firstRow: sum.rows + 1, rows: batch.rows };
    const refused = outcome.refused.map((refusal) => ({ ...refusal, row: refusal.row + sum.rows }));
    refusals.push(...refused.slice(0, clientLimits.refusalsMax - refusals.length));
    sum = added(sum, answer);
    await onBatch?.({ ...answer, refused });
  }
  if (signal?.aborted) throw aborted(signal.reason);
  return sum;

  /** One batch, at the first node that takes it. Waits, round after round, while all that answer are busy. */
  async function patiently(batch: RowBatch): Promise<BatchOutcome> {
    for (let round = 1; ; round++) {
      const failures: ClientError[] = [];
      for (const node of parts.turn.order()) {
        try {
          const outcome = await send(node, batch);
          parts.turn.prefer(node);
          return outcome;
        } catch (error) {
          // Of all faults only these say that nothing was stored.
          if (!wasNotTaken(error)) throw error;
          failures.push(error);
        }
      }
      const waiting = failures.filter((error) => error.code === 'busy' && !needsPerson(error));
      const [busy] = waiting.toSorted((a, b) => (a.retryAfterMs ?? 0) - (b.retryAfterMs ?? 0));
      if (busy === undefined || round >= clientLimits.submitRoundsMax || signal?.aborted)
        throw united(failures);
      const waitMs = busy.retryAfterMs ?? clientLimits.retryAfterMsDefault;
      await onWait?.(waitMs, busy);
      await sleep(parts.clock, waitMs, signal);
      if (signal?.aborted) throw aborted(signal.reason);
    }
  }

  async function send(node: ClientNode, batch: RowBatch): Promise<BatchOutcome> {
    let text: string;
    try {
      const response = await ask(parts, node, '/indicators', {
        method: 'POST',
        query,
        headers: { 'content-type': 'application/x-ndjson', accept: 'application/json' },
        body: batch.body,
        withinMs: clientLimits.submissionWithinMs,
      });
      text = await readText(response, { node, clock: parts.clock, signal: undefined });
    } catch (error) {
      // All rows were refused: that is an outcome.
      const problem = error instanceof ClientError && error.status === 422 ? error.problem : undefined;
      const outcome = problem && readOutcome(problem);
      if (outcome === undefined) throw error;
      return outcome;
    }
    const outcome = readOutcome(text);
    if (outcome === undefined) throw strangeAnswer(node.url, 'does not say what became of the rows');
    return outcome;
  }
}

/** Whether a node says that its store failed, which does not pass by waiting: the disk is full, say. */
function needsPerson({ problem }: ClientError): boolean {
  return problem?.['code'] === 'BROKEN';
}

function added(
  sum: Submitted,
  { rows, accepted, created, updated, refused, ackReason, events }: BatchAnswer,
): Submitted {
  const first = sum.events?.first ?? events?.first;
  const last = events?.last ?? sum.events?.last;
  return {
    ...sum,
    rows: sum.rows + rows,
    accepted: sum.accepted + accepted,
    created: sum.created + created,
    updated: sum.updated + updated,
    refused: sum.refused + refused.length,
    ...(ackReason !== undefined && { unacknowledged: sum.unacknowledged + accepted, ackReason }),
    ...(first !== undefined && last !== undefined && { events: { first, last } }),
  };
}
