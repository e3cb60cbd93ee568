import type { Clock } from '../clock.ts';
import { ClientError } from './errors.ts';
import { clientLimits } from './limits.ts';
import type { SubmitRow } from './submit.ts';

/** Rows as NDJSON. */
export type RowBatch = { readonly body: string; readonly rows: number };

const encoder = new TextEncoder();

/**
 * Rows in batches of at most `rowsMax`, and of no more bytes than a node likes. Rows that come slowly are not waited for: what is
 * there goes after a second. Ends when the signal aborts. Throws ClientError when a row cannot be sent.
 */
export async function* batchesOf(
  rows: Iterable<SubmitRow> | AsyncIterable<SubmitRow>,
  rowsMax: number,
  clock: Clock,
  signal: AbortSignal | undefined,
): AsyncGenerator<RowBatch> {
  const source = Symbol.asyncIterator in rows ? rows[Symbol.asyncIterator]() : rows[Symbol.iterator]();
  let body = '';
  let bytes = 0;
  let count = 0;
  let isOver = false;
  function take(): RowBatch {
    const batch = { body, rows: count };
    body = '';
    bytes = 0;
    count = 0;
    return batch;
  }
  try {
    for (let number = 1; ; number++) {
      const pending = Promise.resolve(source.next());
      let result = await soonest(pending, count === 0 ? undefined : clientLimits.batchWaitsMs, clock, signal);
      if (result === 'late') {
        yield take();
        result = await soonest(pending, undefined, clock, signal);
      }
      if (result === 'aborted' || result === 'late' || signal?.aborted) return;
      if (result.done) {
        isOver = true;
        break;
      }
      const line = lineOf(result.value, number);
      const lineBytes = encoder.encode(line).length;
      if (count > 0 && bytes + lineBytes > clientLimits.batchBytesMax) yield take();
      body += line;
      bytes += lineBytes;
      count++;
      if (count >= rowsMax) yield take();
    }
    if (count > 0) yield take();
  } finally {
    // A source that never answers is not waited for.
    if (!isOver) void Promise.resolve(source.return?.()).catch(() => undefined);
  }
}

function lineOf(row: SubmitRow, number: number): string {
  const text = JSON.stringify(typeof row === 'string' ? { indicator: row } : row);
  if (typeof text === 'string') return `${text}\n`;
  throw new ClientError('usage', `Row ${number} is no JSON: give an indicator, or an object with one.`);
}

/** What comes first: the row, the end of a wait, or of everything. */
async function soonest<T>(
  pending: Promise<T>,
  withinMs: number | undefined,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<T | 'late' | 'aborted'> {
  let wake: (why: 'late' | 'aborted') => void = () => undefined;
  const woken = new Promise<'late' | 'aborted'>((resolve) => {
    wake = resolve;
  });
  const abort = (): void => wake('aborted');
  const timer = withinMs === undefined ? undefined : clock.after(withinMs, () => wake('late'));
  signal?.addEventListener('abort', abort);
  if (signal?.aborted) abort();
  try {
    return await Promise.race([pending, woken]);
  } finally {
    timer?.stop();
    signal?.removeEventListener('abort', abort);
  }
}
