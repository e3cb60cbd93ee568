import { CliError, exitCodes } from '../exit.ts';
import { getJson, type NodeClient, strangeAnswer } from '../http-client.ts';
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

/** Prints why a value is in the feed of the filters in `query`, or is not; then it ends with 1. */
export async function explainFeed(
  client: NodeClient,
  query: URLSearchParams,
  indicator: string,
  io: Io,
): Promise<void> {
  query.set('q', indicator);
  query.set('explain', '1');
  // The records themselves are not shown.
  query.set('limit', '1');
  query.delete('cursor');
  const explanations = explanationsOf(await getJson(client, '/indicators', query));
  if (explanations === undefined) throw strangeAnswer(client.url, '/indicators');
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
