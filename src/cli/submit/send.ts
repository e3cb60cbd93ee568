import { CliError, exitCodes } from '../exit.ts';
import { refusalOf } from '../http-client.ts';
import { submitLimits } from './limits.ts';
import { readOutcome } from './outcome.ts';
import type { InputRow } from './row.ts';
import { countRefusal, type Tally } from './tally.ts';

export type SendParts = {
  /** Posts one body of NDJSON. Throws a CliError when no answer comes. */
  post(body: string): Promise<Response>;
  /** Waits before a batch that the node was too busy for is sent again. */
  wait(ms: number): Promise<void>;
  readonly nowMs: () => number;
  /** Called whenever the tally grew. */
  onProgress(): Promise<void>;
  readonly batchRows: number;
  /** When it aborts, the batch at hand is still answered, and nothing follows. */
  readonly signal: AbortSignal;
};

/**
 * Sends rows in batches and counts what became of each. A batch that the node answered is stored; one that it did not
 * answer is never sent twice, as its observations would count twice. Throws a CliError when the node refuses a request.
 */
export async function sendRows(rows: AsyncIterable<InputRow>, tally: Tally, parts: SendParts): Promise<void> {
  let batch = emptyBatch();
  for await (const row of rows) {
    if (parts.signal.aborted) return;
    if (row.kind === 'row') {
      const text = `${JSON.stringify(row.value)}\n`;
      const bytes = Buffer.byteLength(text);
      if (batch.lines.length > 0 && batch.bytes + bytes > submitLimits.batchBytesMax) {
        await sendBatch(batch, tally, parts);
        batch = emptyBatch();
      }
      batch.lines.push(row.line);
      batch.body += text;
      batch.bytes += bytes;
      if (batch.lines.length >= parts.batchRows) {
        await sendBatch(batch, tally, parts);
        batch = emptyBatch();
      }
    } else if (row.kind === 'refused') {
      tally.rows += 1;
      countRefusal(tally, row.line, row.code, row.reason);
    } else tally.broken = { line: row.line, reason: row.reason };
  }
  if (!parts.signal.aborted) await sendBatch(batch, tally, parts);
}

type Batch = { readonly lines: number[]; body: string; bytes: number };

function emptyBatch(): Batch {
  return { lines: [], body: '', bytes: 0 };
}

async function sendBatch(batch: Batch, tally: Tally, parts: SendParts): Promise<void> {
  if (batch.lines.length === 0) return;
  const response = await postPatiently(batch.body, parts);
  const text = await response.text();
  const outcome = response.ok || response.status === 422 ? readOutcome(text) : undefined;
  if (outcome === undefined) {
    if (!response.ok) throw await refusalOf(new Response(text, response));
    throw new CliError(
      exitCodes.failed,
      `The node answered ${response.status} without saying what became of the rows.`,
    );
  }
  tally.rows += batch.lines.length;
  tally.accepted += outcome.accepted;
  tally.created += outcome.created;
  tally.updated += outcome.updated;
  if (outcome.ackReason !== undefined) {
    tally.unacknowledged += outcome.accepted;
    tally.ackReason = outcome.ackReason;
  }
  for (const { row, code, reason } of outcome.refused) {
    countRefusal(tally, batch.lines[row - 1] ?? 0, code, reason);
  }
  tally.firstEvent ??= outcome.firstEvent;
  tally.lastEvent = outcome.lastEvent ?? tally.lastEvent;
  tally.lastLine = batch.lines.at(-1) ?? tally.lastLine;
  await parts.onProgress();
}

/** A node that drains or is behind answers 503 before it took anything, with the time to come back (RFC 9110 10.2.3). */
async function postPatiently(body: string, parts: SendParts): Promise<Response> {
  for (let attempt = 1; ; attempt += 1) {
    const response = await parts.post(body);
    if (response.status !== 503 || attempt >= submitLimits.attemptsMax) return response;
    const text = await response.text();
    if (needsPerson(text)) return new Response(text, response);
    await parts.wait(retryAfterMs(response.headers.get('retry-after'), parts.nowMs()));
  }
}

/** Whether a problem says that the node's store failed, which does not pass by waiting: the disk is full, say. */
function needsPerson(problem: string): boolean {
  try {
    const { code } = JSON.parse(problem) as { readonly code?: unknown };
    return code === 'BROKEN';
  } catch {
    return false;
  }
}

/** `Retry-After` is seconds or a date. */
export function retryAfterMs(header: string | null, nowMs: number): number {
  if (header === null) return submitLimits.retryAfterMsDefault;
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - nowMs;
  if (Number.isNaN(ms)) return submitLimits.retryAfterMsDefault;
  return Math.min(Math.max(ms, 0), submitLimits.retryAfterMsMax);
}
