import type { IndicatorRecord, Itype } from '../indicator/types.ts';
import { storeErrorOf } from './errors.ts';
import { behindValue, itypeRange } from './keys.ts';
import { decodeRecord } from './record-codec.ts';
import type { RecordTables } from './tables.ts';

/** What can be seen of a record before its text is parsed. */
export type Glimpse = { readonly confidence: number; readonly lasttimeMs: number };

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
  isWanted: (glimpses: readonly Glimpse[]) => boolean,
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
      let begun: string[] = [];
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

function grouped(
  begun: string[],
  texts: readonly string[],
  isWanted: (glimpses: readonly Glimpse[]) => boolean,
): { readonly values: readonly (readonly IndicatorRecord[])[]; readonly rest: string[] } {
  const values: IndicatorRecord[][] = [];
  let value = begun;
  let start = value[0] === undefined ? '' : valueStart(value[0]);
  const finish = () => {
    if (value.length > 0 && isWanted(value.map(glimpse))) values.push(value.map(decodeRecord));
  };
  for (const text of texts) {
    if (value.length > 0 && text.startsWith(start)) {
      value.push(text);
      continue;
    }
    finish();
    value = [text];
    start = valueStart(text);
  }
  if (texts.length > 0) return { values, rest: value };
  finish();
  return { values, rest: [] };
}

/** How the texts of one value begin: itype and indicator stand first, and JSON writes one value in one way. */
function valueStart(text: string): string {
  return text.slice(0, stringEnd(text, stringEnd(text, 1) + 1));
}

/** By the places that record-codec.ts gives them: five strings, the confidence, the tags, the count, two times. */
export function glimpse(text: string): Glimpse {
  let at = 1;
  for (let strings = 0; strings < 5; strings++) at = stringEnd(text, at) + 1;
  const confidenceEnd = text.indexOf(',', at);
  const confidence = Number(text.slice(at, confidenceEnd));
  at = confidenceEnd + 2;
  while (text[at] === '"') {
    at = stringEnd(text, at);
    if (text[at] === ',') at++;
  }
  // Behind the list: `],count,firsttime,lasttime,`.
  const countEnd = text.indexOf(',', at + 2);
  const firsttimeEnd = text.indexOf(',', countEnd + 1);
  const lasttimeMs = Number(text.slice(firsttimeEnd + 1, text.indexOf(',', firsttimeEnd + 1)));
  return { confidence, lasttimeMs };
}

/** Behind the string of JSON that begins at `at`. */
function stringEnd(text: string, at: number): number {
  for (let end = text.indexOf('"', at + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text[end - 1 - slashes] === '\\') slashes++;
    if (slashes % 2 === 0) return end + 1;
  }
  return text.length;
}
