import { CliError, exitCodes } from '../exit.ts';
import { submitLimits } from './limits.ts';

/**
 * The text of a file, chunk by chunk, without its byte order mark. Bytes that are no UTF-8 become U+FFFD, which refuses
 * their row later and no other. Throws a CliError on what is no text at all.
 */
export async function* decodeText(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let first = true;
  for await (const chunk of bytes) {
    if (first) refuseForeign(chunk);
    first = false;
    yield decoder.decode(chunk, { stream: true });
  }
  yield decoder.decode();
}

function refuseForeign(start: Uint8Array): void {
  const [a, b] = start;
  // RFC 1952 2.3.1
  if (a === 0x1f && b === 0x8b) {
    throw new CliError(exitCodes.usage, 'The file is compressed. Send its text: zcat FILE | tocsin submit -');
  }
  if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)) {
    throw new CliError(
      exitCodes.usage,
      'The file is UTF-16. Send it as UTF-8: iconv -f UTF-16 -t UTF-8 FILE | tocsin submit -',
    );
  }
}

/** A line without its end, numbered from 1; of one that is too long, its beginning. */
export type Line = { readonly line: number; readonly text: string; readonly tooLong: boolean };

/** Lines out of text that comes in chunks. LF and CRLF end a line; the last one needs no end. */
export async function* splitLines(chunks: AsyncIterable<string>): AsyncGenerator<Line> {
  const longest = submitLimits.lineCharactersMax;
  let line = 1;
  let pending = '';
  let tooLong = false;
  const take = (): Line => {
    const text = pending.endsWith('\r') ? pending.slice(0, -1) : pending;
    const taken = { line, text, tooLong };
    line += 1;
    pending = '';
    tooLong = false;
    return taken;
  };
  const append = (piece: string) => {
    if (pending.length + piece.length > longest) tooLong = true;
    if (pending.length < longest) pending += piece.slice(0, longest - pending.length);
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf('\n'); end !== -1; end = chunk.indexOf('\n', start)) {
      append(chunk.slice(start, end));
      yield take();
      start = end + 1;
    }
    append(chunk.slice(start));
  }
  if (pending !== '') yield take();
}
