import type { IndicatorRecord, Itype } from '../indicator/types.ts';
import { storeErrorOf } from './errors.ts';
import { behindValue, itypeRange } from './keys.ts';
import { decodeRecord } from './record-codec.ts';
import type { RecordTables } from './tables.ts';

/**
 * Whether a value is worth reading, by what can be seen of its records before their texts are parsed: the confidence and the
 * lasttime of each. The lists are used again for the next value.
 */
export type AtAGlance = (confidences: readonly number[], lasttimesMs: readonly number[]) => boolean;

/** What is read at once. classic-level stops at 16 KiB unless told otherwise. */
const readAtOnce = { rows: 2_000, bytes: 512 * 1024 };

/**
 * All records of one itype, value by value. Most of what a store holds is not confident or not recent enough for what it is
 * read for, and to parse a text takes ten times as long as to look at the two numbers that decide: so only those values are
 * parsed that `isWanted` takes. Between parts the event loop runs. Rejects with StoreError.
 */
export async function* scanValues(
  records: () => RecordTables['records'],
  itype: Itype,
  after: string | undefined,
  isWanted: AtAGlance,
): AsyncIterable<readonly (readonly IndicatorRecord[])[]> {
  try {
    // Of LevelDB on disk only; the type knows what all kinds have.
    const options = {
      ...itypeRange(itype, after === undefined ? undefined : behindValue(itype, after)),
      highWaterMarkBytes: readAtOnce.bytes,
    };
    const iterator = records().values(options);
    try {
      /** Of the value that the last part ended in, as more of it may follow. */
      let begun: readonly string[] = [];
      let reading = iterator.nextv(readAtOnce.rows);
      for (;;) {
        const texts = await reading;
        // LevelDB reads the next part in its own thread while this one is looked at.
        if (texts.length > 0) reading = iterator.nextv(readAtOnce.rows);
        const { values, rest } = grouped(begun, texts, isWanted);
        begun = rest;
        if (values.length > 0) yield values;
        if (texts.length === 0) break;
      }
    } finally {
      await iterator.close();
    }
  } catch (cause) {
    throw storeErrorOf(cause);
  }
}

/** Values whose records are all there, and the records of the one that may go on. */
function grouped(
  begun: readonly string[],
  texts: readonly string[],
  isWanted: AtAGlance,
): { readonly values: readonly (readonly IndicatorRecord[])[]; readonly rest: readonly string[] } {
  const all = begun.length === 0 ? texts : [...begun, ...texts];
  const values: IndicatorRecord[][] = [];
  const confidences: number[] = [];
  const lasttimesMs: number[] = [];
  let first = 0;
  let start = '';
  function finish(end: number): void {
    if (end > first && isWanted(confidences, lasttimesMs))
      values.push(all.slice(first, end).map(decodeRecord));
    first = end;
    confidences.length = 0;
    lasttimesMs.length = 0;
  }
  for (const [i, text] of all.entries()) {
    if (i === first || !text.startsWith(start)) {
      finish(i);
      start = valueStart(text);
    }
    glance(text, confidences, lasttimesMs);
  }
  if (texts.length > 0) return { values, rest: all.slice(first) };
  finish(all.length);
  return { values, rest: [] };
}

/** How the texts of one value begin: itype and indicator stand first, and JSON writes one value in one way. */
function valueStart(text: string): string {
  return text.slice(0, stringEnd(text, stringEnd(text, 1) + 1));
}

/** By the places that record-codec.ts gives them: five strings, the confidence, the tags, the count, two times. */
function glance(text: string, confidences: number[], lasttimesMs: number[]): void {
  let at = 1;
  for (let strings = 0; strings < 5; strings++) at = stringEnd(text, at) + 1;
  const confidenceEnd = text.indexOf(',', at);
  confidences.push(
    confidenceEnd === at + 1 ? text.charCodeAt(at) - zero : Number(text.slice(at, confidenceEnd)),
  );
  at = confidenceEnd + 2;
  while (text.charCodeAt(at) === quote) {
    at = stringEnd(text, at);
    if (text.charCodeAt(at) === comma) at++;
  }
  // Behind the list: `],count,firsttime,lasttime,`.
  const countEnd = text.indexOf(',', at + 2);
  at = text.indexOf(',', countEnd + 1) + 1;
  let lasttimeMs = 0;
  // Digit by digit: to cut it out and read it takes three times as long.
  for (let code = text.charCodeAt(at); code >= zero && code < zero + 10; code = text.charCodeAt(++at))
    lasttimeMs = lasttimeMs * 10 + code - zero;
  lasttimesMs.push(lasttimeMs);
}

const quote = 0x22;
const comma = 0x2c;
const slash = 0x5c;
const zero = 0x30;

/** Behind the string of JSON that begins at `at`. */
function stringEnd(text: string, at: number): number {
  for (let end = text.indexOf('"', at + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === slash) slashes++;
    if (slashes % 2 === 0) return end + 1;
  }
  return text.length;
}
