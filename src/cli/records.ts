import { type NodeClient, strangeAnswer } from './http-client.ts';

/** A record as the node shows it: CIF's names. Only what a table prints is looked at. */
export type ShownRecord = Readonly<Record<string, unknown>>;

/** The parts of the answer of `GET /indicators` that commands use. */
export type RecordPage = {
  readonly mode: string;
  readonly next: string | undefined;
  readonly data: readonly ShownRecord[];
};

/** Checks the shape of an answer. Throws a CliError when it is another. */
export function readPage(client: NodeClient, path: string, answer: unknown): RecordPage {
  if (typeof answer !== 'object' || answer === null || !('data' in answer) || !Array.isArray(answer.data)) {
    throw strangeAnswer(client.url, path);
  }
  const meta: object =
    'meta' in answer && typeof answer.meta === 'object' && answer.meta !== null ? answer.meta : {};
  return {
    mode: 'mode' in meta && typeof meta.mode === 'string' ? meta.mode : '',
    next: 'next' in meta && typeof meta.next === 'string' ? meta.next : undefined,
    data: answer.data.filter((record) => typeof record === 'object' && record !== null),
  };
}

/** One value of a record as a cell of a table: lists are joined, an absent value is empty. */
export function cell(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(cell).join(',');
  return JSON.stringify(value);
}

/** Rows of a table with these columns. */
export function cells(
  records: readonly ShownRecord[],
  columns: readonly string[],
): readonly (readonly string[])[] {
  return records.map((record) => columns.map((column) => cell(record[column])));
}
