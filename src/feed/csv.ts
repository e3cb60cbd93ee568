/** A row of a table: texts, numbers, lists that become one cell, and objects, which become one of JSON. */
export type CsvRow = Readonly<Record<string, string | number | readonly string[] | object | undefined>>;

const lineEnd = '\r\n';

/** The header of a CSV (RFC 4180). */
export function csvHeader(fields: readonly string[]): string {
  return fields.join(',') + lineEnd;
}

/** One line: texts quoted, numbers bare. */
export function csvLine(row: CsvRow, fields: readonly string[]): string {
  return fields.map((field) => csvCell(row[field])).join(',') + lineEnd;
}

function csvCell(value: CsvRow[string]): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const text =
    typeof value === 'string' ? value : Array.isArray(value) ? value.join(',') : JSON.stringify(value);
  return `"${withoutFormula(text).replaceAll('"', '""')}"`;
}

/** A spreadsheet runs a cell that begins so as a formula (OWASP, CSV injection); an apostrophe makes it a text. */
function withoutFormula(text: string): string {
  return /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
}
