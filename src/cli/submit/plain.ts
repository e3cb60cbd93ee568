import { indicatorsOfLine } from '../../indicator/plain-line.ts';
import { type InputRow, refuseTooLong } from './row.ts';
import { splitLines } from './text.ts';

/** Rows of a text file with one indicator a line; a line of a hosts file has one for each host, a remark none. */
export async function* plainRows(chunks: AsyncIterable<string>): AsyncGenerator<InputRow> {
  for await (const row of splitLines(chunks)) {
    const { line, text, tooLong } = row;
    if (tooLong) yield refuseTooLong(row);
    else for (const indicator of indicatorsOfLine(text)) yield { kind: 'row', line, value: { indicator } };
  }
}
