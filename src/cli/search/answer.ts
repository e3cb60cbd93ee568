import { expectOk, type NodeClient, strangeAnswer } from '../http-client.ts';
import type { ShownRecord } from '../records.ts';

/** What a node answers about one of several values. */
export type ValueAnswer = {
  readonly value: string;
  readonly records: readonly ShownRecord[];
  readonly more: boolean;
  /** Why it is no indicator. */
  readonly refused: string | undefined;
  /** All of it, as it came. */
  readonly row: object;
};

/** Asks about several values in one request. Throws a CliError when the answer is of another shape. */
export async function askAbout(
  client: NodeClient,
  values: readonly string[],
  query: URLSearchParams,
): Promise<readonly ValueAnswer[]> {
  const path = '/indicators/search';
  const response = await expectOk(
    await client.send(path, {
      method: 'POST',
      query,
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ indicators: values }),
    }),
  );
  const answer: unknown = await response.json().catch(() => undefined);
  if (typeof answer !== 'object' || answer === null || !('data' in answer) || !Array.isArray(answer.data))
    throw strangeAnswer(client.url, path);
  return answer.data.map((row: unknown, i) => readRow(row, values[i] ?? '', strangeAnswer(client.url, path)));
}

function readRow(row: unknown, value: string, strange: Error): ValueAnswer {
  if (typeof row !== 'object' || row === null) throw strange;
  const records: unknown = 'records' in row ? row.records : [];
  const refused: unknown = 'refused' in row ? row.refused : undefined;
  if (!Array.isArray(records)) throw strange;
  return {
    value,
    records: records.filter((record) => typeof record === 'object' && record !== null),
    more: 'more' in row && row.more === true,
    refused:
      typeof refused === 'object' && refused !== null && 'reason' in refused
        ? String(refused.reason)
        : undefined,
    row,
  };
}
