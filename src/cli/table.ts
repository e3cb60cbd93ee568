import { printable } from './printable.ts';

const gap = '  ';
/** A column is never made narrower than this by the terminal's width. */
const narrowestCells = 8;

// Unicode's East Asian Width (UAX 11) as far as scripts and presentation tell it: these take two cells on a terminal.
const wide =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u;
const combining = /[\p{Mn}\p{Me}]/u;

/** Cells of a terminal that a text takes. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) width += widthOf(character);
  return width;
}

function widthOf(character: string): number {
  if (character < '\u0300') return 1;
  if (combining.test(character)) return 0;
  return wide.test(character) ? 2 : 1;
}

/**
 * A table with a line of titles, columns two spaces apart, each line ended.
 * @param rows raw values, one per title; control characters are escaped here
 * @param width cells of the terminal: longer values are cut with `…`. Undefined keeps every value whole.
 */
export function renderTable(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  width: number | undefined,
): string {
  const lines = [titles, ...rows.map((row) => row.map(printable))];
  const natural = titles.map((_, column) =>
    Math.max(...lines.map((line) => displayWidth(line[column] ?? ''))),
  );
  const widths = width === undefined ? natural : narrow(natural, width);
  return lines.map((line) => `${renderLine(line, widths)}\n`).join('');
}

function renderLine(line: readonly string[], widths: readonly number[]): string {
  const cells = widths.map((width, column) => {
    const text = cut(line[column] ?? '', width);
    return text + ' '.repeat(width - displayWidth(text));
  });
  return cells.join(gap).trimEnd();
}

/** Takes cells from the widest column until the table fits, so that short columns stay whole. */
function narrow(natural: readonly number[], width: number): readonly number[] {
  const widths = [...natural];
  let surplus = widths.reduce((sum, each) => sum + each, gap.length * (widths.length - 1)) - width;
  while (surplus > 0) {
    const widest = Math.max(...widths);
    if (widest <= narrowestCells) break;
    widths[widths.indexOf(widest)] = widest - 1;
    surplus -= 1;
  }
  return widths;
}

function cut(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const character of text) {
    used += widthOf(character);
    if (used > width - 1) break;
    kept += character;
  }
  return `${kept}…`;
}
