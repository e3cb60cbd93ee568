import { readJsonLine } from './json-rows.ts';
import { intakeLimits as limits } from './limits.ts';
import { type Row, refuseRow } from './row.ts';

/** Rows that came together and are taken together. There is at least one. */
export type RowGroup = {
  readonly rows: readonly Row[];
  /** Their text, as a measure of what they hold. */
  readonly characters: number;
};

/** NDJSON that comes in pieces of any size, without an end that must be waited for. Lines are numbered from 1 over all of it. */
export interface RowStream {
  /** The rows that end in this piece, in groups of up to `rowsPerGroup`. */
  push(piece: Uint8Array): readonly RowGroup[];
  /** The row behind the last line break, when there is one. Nothing comes after it. */
  end(): readonly RowGroup[];
}

const lineEnd = 0x0a;
/** A UTF-16 unit takes three bytes at most, so a line with more bytes has too many characters. */
const lineBytesMax = 3 * limits.lineCharactersMax;
/** A line may come byte by byte, and small pieces cost more than what is in them. */
const piecesMax = 64;
/** What stands in the text for a line whose beginning was let go. Unicode never assigns it (a noncharacter). */
const letGo = Buffer.from('\uffff');

/**
 * Cuts at line breaks before it decodes: in UTF-8 that byte is no part of any other character, so what is decoded is whole, and
 * bytes that are no UTF-8 spoil their own line (as U+FFFD, which parseObservation refuses). Blank lines are counted and are no
 * rows. A line that is too long is refused once it ends, and not held.
 */
export function createRowStream(): RowStream {
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
  let pieces: Uint8Array[] = [];
  let held = 0;
  let tooLong = false;
  let row = 0;

  function hold(piece: Uint8Array): void {
    if (tooLong || piece.byteLength === 0) return;
    if (held + piece.byteLength > lineBytesMax) {
      tooLong = true;
      pieces = [letGo];
      return;
    }
    held += piece.byteLength;
    pieces.push(piece);
    if (pieces.length > piecesMax) pieces = [Buffer.concat(pieces)];
  }

  /** What is held, with the end of its last line. */
  function release(last: Uint8Array): string {
    // What belongs to a line that was let go is let go as well.
    const wanted = tooLong ? last.subarray(Math.max(0, last.indexOf(lineEnd))) : last;
    const bytes = pieces.length === 0 ? wanted : Buffer.concat([...pieces, wanted]);
    pieces = [];
    held = 0;
    tooLong = false;
    const text = utf8.decode(bytes);
    return row === 0 && text.startsWith('\ufeff') ? text.slice(1) : text;
  }

  function groupsOf(text: string): readonly RowGroup[] {
    const groups: RowGroup[] = [];
    let rows: Row[] = [];
    let characters = 0;
    const close = (): void => {
      if (rows.length > 0) groups.push({ rows, characters });
      rows = [];
      characters = 0;
    };
    for (let start = 0; start < text.length; ) {
      const found = text.indexOf('\n', start);
      const end = found === -1 ? text.length : found;
      const read = readLine(text.slice(start, end), ++row);
      if (read !== undefined) {
        rows.push(read);
        characters += end - start;
        if (rows.length === limits.rowsPerGroup) close();
      }
      start = end + 1;
    }
    close();
    return groups;
  }

  return {
    push(piece) {
      const end = piece.lastIndexOf(lineEnd) + 1;
      if (end === 0) {
        hold(piece);
        return [];
      }
      const text = release(piece.subarray(0, end));
      hold(piece.subarray(end));
      return groupsOf(text);
    },
    end: () => groupsOf(release(new Uint8Array())),
  };
}

function readLine(line: string, row: number): Row | undefined {
  if (line.length > limits.lineCharactersMax || line === '\uffff') {
    return refuseRow(
      row,
      'line-too-long',
      `a line of more than the ${limits.lineCharactersMax} characters that are allowed`,
    );
  }
  return line.trim() === '' ? undefined : readJsonLine(line, row);
}
