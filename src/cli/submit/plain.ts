import { isComment, withoutTail } from './comments.ts';
import { type InputRow, refuseTooLong } from './row.ts';
import { splitLines } from './text.ts';

/** `0.0.0.0 host` and its kin, as in /etc/hosts: the address is where the host is sent to, not the indicator. */
const hostsForm = /^(?:0\.0\.0\.0|127\.0\.0\.1|::1?)\s+(\S.*)$/;

export function isHostsLine(line: string): boolean {
  return hostsForm.test(line.trim());
}

/** Rows of a text file with one indicator a line; a line of a hosts file has one for each host. */
export async function* plainRows(
  chunks: AsyncIterable<string>,
  skipComments: boolean,
): AsyncGenerator<InputRow> {
  for await (const row of splitLines(chunks)) {
    const { line, text, tooLong } = row;
    if (tooLong) {
      yield refuseTooLong(row);
      continue;
    }
    if (skipComments && isComment(text)) continue;
    const entry = (skipComments ? withoutTail(text) : text).trim();
    if (entry === '') continue;
    const hosts = hostsForm.exec(entry)?.[1];
    for (const indicator of hosts?.split(/\s+/) ?? [entry]) yield { kind: 'row', line, value: { indicator } };
  }
}
