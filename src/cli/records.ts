/** A row of a table: a record, a peer. Only what is printed is looked at. */
export type ShownRecord = Readonly<Record<string, unknown>>;

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
