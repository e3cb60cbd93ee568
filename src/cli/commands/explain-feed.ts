import type { Client } from '../../client/client.ts';
import { queryOf } from '../../client/filters.ts';
import { strangeTo } from '../connect.ts';
import { CliError, exitCodes } from '../exit.ts';
import type { Io } from '../io.ts';
import { printable } from '../printable.ts';
import { cells, type ShownRecord } from '../records.ts';
import { renderTable } from '../table.ts';

type Explanation = {
  readonly itype: string;
  readonly indicator: string;
  readonly in_feed: boolean;
  readonly why: string;
  readonly statements: readonly ShownRecord[];
};

const columns = ['provider', 'group', 'counts', 'why'];

/** Prints why a value is in the feed of these filters, or is not; then it ends with 1. */
export async function explainFeed(
  client: Client,
  filters: Readonly<Record<string, string | undefined>>,
  indicator: string,
  io: Io,
): Promise<void> {
  // The records themselves are not shown.
  const query = queryOf({ ...filters, q: indicator, explain: true, limit: 1, cursor: undefined });
  const explanations = explanationsOf(await client.json('/indicators', { query }));
  if (explanations === undefined) throw strangeTo(client, '/indicators');
  for (const { itype, indicator: value, in_feed: isIn, why, statements } of explanations) {
    await io.stdout.write(
      `${printable(value)} (${itype}) is ${isIn ? '' : 'not '}in the feed: ${printable(why)}\n`,
    );
    if (statements.length > 0)
      await io.stdout.write(renderTable(columns, cells(statements, columns), io.stdout.columns));
  }
  if (!explanations.every((explanation) => explanation.in_feed))
    throw new CliError(exitCodes.failed, `${indicator} is not in the feed.`);
}

function explanationsOf(answer: unknown): readonly Explanation[] | undefined {
  const { meta } = (answer ?? {}) as { readonly meta?: { readonly explain?: unknown } };
  const explain = meta?.explain;
  return Array.isArray(explain) && explain.every(isExplanation) ? explain : undefined;
}

function isExplanation(value: unknown): value is Explanation {
  const { itype, indicator, in_feed, why, statements } = (value ?? {}) as Readonly<Record<string, unknown>>;
  return (
    typeof itype === 'string' &&
    typeof indicator === 'string' &&
    typeof in_feed === 'boolean' &&
    typeof why === 'string' &&
    Array.isArray(statements) &&
    statements.every((statement) => typeof statement === 'object' && statement !== null)
  );
}
