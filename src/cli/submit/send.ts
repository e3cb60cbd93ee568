import { type Client, ClientError, type RowDefaults, type SubmitRow } from '../../client/client.ts';
import { ackAllowed, ackDefault, parseAckWish } from '../../event/ack.ts';
import { CliError, exitCodes } from '../exit.ts';
import type { Progress } from './progress.ts';
import type { InputRow } from './row.ts';
import { countRefusal, type Tally } from './tally.ts';

export const ackHelp = `${ackAllowed} (default: ${ackDefault})`;

/** The value of `--ack`. Throws a CliError. */
export function ackOf(text: string): string {
  const wish = parseAckWish(text);
  if (wish.ok) return text;
  throw new CliError(exitCodes.usage, `--ack is "${text}": ${wish.reason}.`);
}

export type SendOptions = {
  readonly defaults?: RowDefaults;
  readonly ack: string | undefined;
  readonly batchRows: number;
  readonly progress: Progress;
  /** Called whenever the tally grew. */
  onProgress(): Promise<void>;
  /** When it aborts, the batch at hand is still answered, and nothing follows. */
  readonly signal: AbortSignal;
};

/** Sends rows and counts what became of each. Rejects with ClientError when the nodes refuse, and with what the rows throw. */
export async function sendRows(
  client: Client,
  rows: AsyncIterable<InputRow>,
  tally: Tally,
  { defaults, ack, batchRows, progress, onProgress, signal }: SendOptions,
): Promise<void> {
  /** Of the rows that are not answered yet. */
  const lines: number[] = [];
  try {
    await client.submit(valuesOf(rows, tally, lines), {
      ...defaults,
      ack,
      batchRows,
      signal,
      async onBatch(batch) {
        const answered = lines.splice(0, batch.rows);
        tally.rows += batch.rows;
        tally.accepted += batch.accepted;
        tally.created += batch.created;
        tally.updated += batch.updated;
        if (batch.ackReason !== undefined) {
          tally.unacknowledged += batch.accepted;
          tally.ackReason = batch.ackReason;
        }
        for (const { row, code, reason } of batch.refused) {
          countRefusal(tally, answered[row - batch.firstRow] ?? 0, code, reason);
        }
        tally.firstEvent ??= batch.events?.first;
        tally.lastEvent = batch.events?.last ?? tally.lastEvent;
        tally.lastLine = answered.at(-1) ?? tally.lastLine;
        await onProgress();
      },
      onWait: (waitMs) => progress.say(`The node is busy; trying again in ${Math.ceil(waitMs / 1_000)} s.`),
    });
  } catch (error) {
    if (!(error instanceof ClientError) || error.code !== 'aborted') throw error;
  }
}

/** The rows that can be sent; the others are counted. */
async function* valuesOf(
  rows: AsyncIterable<InputRow>,
  tally: Tally,
  lines: number[],
): AsyncGenerator<SubmitRow> {
  for await (const row of rows) {
    if (row.kind === 'row') {
      lines.push(row.line);
      // What is no object is the node's to refuse.
      yield row.value as SubmitRow;
    } else if (row.kind === 'refused') {
      tally.rows += 1;
      countRefusal(tally, row.line, row.code, row.reason);
    } else tally.broken = { line: row.line, reason: row.reason };
  }
}
