/** Readers of feeds for tests: short, and not the product's. */

const comment = /^\s*(?:#|;|\/\/)/;

/** Lines with something in them; with `comments` those that are remarks go, and what follows a remark's mark in a line. */
export function linesOf(text: string, comments = false): readonly string[] {
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
  const kept = comments ? lines.filter((line) => !comment.test(line)) : lines;
  return kept
    .map((line) => (comments ? line.replace(/\s+[#;].*$/, '') : line).trim())
    .filter((line) => line !== '');
}

/** The cells of CSV, quoted or not; remarks go. */
export function csvOf(text: string, separator = ','): readonly (readonly string[])[] {
  const rows: string[][] = [];
  const cell = new RegExp(
    `[ \\t]*(?:"((?:[^"]|"")*)"[^${separator}\\n]*|([^${separator}\\n]*))(${separator}|\\n|$)`,
    'gy',
  );
  const body = text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '' && !comment.test(line))
    .join('\n');
  let row: string[] = [];
  for (const [, quoted, bare, end] of body.matchAll(cell)) {
    row.push(quoted === undefined ? (bare ?? '').trim() : quoted.replaceAll('""', '"').trim());
    if (end === separator) continue;
    rows.push(row);
    row = [];
    if (end === '') break;
  }
  return rows;
}

/** One column of CSV by its title in the first row, or by its number from 0 where there is no title. */
export function columnOf(rows: readonly (readonly string[])[], column: string | number): readonly string[] {
  if (typeof column === 'number') return rows.map((cells) => cells[column] ?? '');
  const [titles = [], ...rest] = rows;
  const at = titles.indexOf(column);
  if (at < 0) throw new Error(`no column ${column} in ${titles.join(', ')}`);
  return rest.map((cells) => cells[at] ?? '');
}
