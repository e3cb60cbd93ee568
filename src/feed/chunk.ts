import { type FeedRow, feedRowFields } from './aggregate.ts';
import { csvLine } from './csv.ts';
import { feedLimits } from './limits.ts';
import { compareKeys } from './order-key.ts';

/**
 * Some hundred rows of a feed, one after another, as they are written. The rows themselves are not kept: 100,000 objects take
 * three times the memory of their text. Nothing of it changes but `csv`, which is made when it is first asked for: so an
 * answer that is on its way keeps its bytes, whatever happens to the feed.
 */
export type Chunk = {
  /** Where each row stands (order-key.ts). */
  readonly keys: readonly string[];
  /** Until when each row is as it is, if nothing but time passes. */
  readonly untilMs: readonly number[];
  /** The lists of each row's context, joined. */
  readonly contexts: readonly string[];
  /** JSON, a line each, as members of a list: every row ends in a comma and a line break. It is what is asked for most. */
  readonly json: Buffer;
  csv: Buffer | undefined;
};

/** A row to be put into a chunk. */
export type KeptRow = {
  readonly key: string;
  readonly untilMs: number;
  readonly context: string;
  readonly line: string;
};

/** Some rows of a chunk, as members of a list in JSON (each ends in `rowEnd`), and as they are written otherwise. */
export type Slice = { readonly json: Buffer; readonly ndjson: () => Buffer; readonly csv: () => Buffer };

const lineBreak = 0x0a;
/** Within a row no line break stands as it is. */
export const rowEnd = ',\n';

export function keptRow(key: string, row: FeedRow, untilMs: number): KeptRow {
  return { key, untilMs, context: contextText(row.context ?? []), line: JSON.stringify(row) + rowEnd };
}

export function contextText(lists: readonly string[]): string {
  return lists.join(',');
}

export function chunkOf(rows: readonly KeptRow[]): Chunk {
  return {
    keys: rows.map(({ key }) => key),
    untilMs: rows.map(({ untilMs }) => untilMs),
    contexts: rows.map(({ context }) => context),
    json: Buffer.from(rows.map(({ line }) => line).join('')),
    csv: undefined,
  };
}

/** The value that a row is about. */
export function valueOfLine(line: string): { readonly itype: string; readonly indicator: string } {
  // A quote within a string is escaped: so this is where the indicator ends.
  const behind = line.indexOf(',"itype":"');
  const itypeAt = behind + ',"itype":"'.length;
  return {
    indicator: JSON.parse(line.slice('{"indicator":'.length, behind)) as string,
    itype: line.slice(itypeAt, line.indexOf('"', itypeAt)),
  };
}

/** The lines of a chunk. */
export function linesOf({ json }: Pick<Chunk, 'json'>): readonly string[] {
  return json.toString('utf8', 0, Math.max(0, json.length - rowEnd.length)).split(rowEnd);
}

/** Rows `from` to before `to`. */
export function sliceOf(chunk: Chunk, from: number, to: number): Slice {
  if (from === 0 && to === chunk.keys.length) {
    return {
      json: chunk.json,
      ndjson: () => ndjsonOf(chunk.json),
      csv: () => {
        chunk.csv ??= csvOf(chunk.json);
        return chunk.csv;
      },
    };
  }
  const starts = lineStarts(chunk.json);
  const json = chunk.json.subarray(starts[from], starts[to]);
  return { json, ndjson: () => ndjsonOf(json), csv: () => csvOf(json) };
}

function ndjsonOf(json: Buffer): Buffer {
  const starts = lineStarts(json);
  const ndjson = Buffer.allocUnsafe(json.length - (starts.length - 1));
  let at = 0;
  for (const [i, start] of starts.slice(0, -1).entries()) {
    at += json.copy(ndjson, at, start, (starts[i + 1] ?? 0) - rowEnd.length);
    ndjson[at++] = lineBreak;
  }
  return ndjson;
}

function csvOf(json: Buffer): Buffer {
  const rows = linesOf({ json }).map((line) => JSON.parse(line) as FeedRow);
  return Buffer.from(rows.map((row) => csvLine(row, feedRowFields)).join(''));
}

/** Where each line begins, and where the last one ends. */
function lineStarts(json: Buffer): readonly number[] {
  const starts = [0];
  for (let at = json.indexOf(lineBreak); at !== -1; at = json.indexOf(lineBreak, at + 1)) starts.push(at + 1);
  return starts;
}

/** The position of the first of sorted keys that `isAtOrBehind` says yes to. */
function firstWhere(length: number, isAtOrBehind: (i: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isAtOrBehind(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** How many of a chunk's rows stand at `key` or before it. */
export function rowsUpTo({ keys }: Chunk, key: string): number {
  return firstWhere(keys.length, (i) => compareKeys(keys[i] ?? '', key) > 0);
}

/** The chunk that a key stands in, or would stand in; the last one for all that is behind them. */
export function chunkAt(chunks: readonly Chunk[], key: string): number {
  return Math.max(0, firstWhere(chunks.length, (i) => compareKeys(chunks[i]?.keys[0] ?? '', key) > 0) - 1);
}

/** Puts rows in, in place of those of the same key, or takes rows out (undefined). Chunks without a change stay as they are. */
export function withChanges(
  chunks: readonly Chunk[],
  changes: ReadonlyMap<string, KeptRow | undefined>,
): readonly Chunk[] {
  const byChunk = new Map<number, string[]>();
  for (const key of [...changes.keys()].sort(compareKeys)) {
    const at = chunkAt(chunks, key);
    const keys = byChunk.get(at);
    if (keys === undefined) byChunk.set(at, [key]);
    else keys.push(key);
  }
  const empty = chunkOf([]);
  return (chunks.length === 0 ? [empty] : chunks).flatMap((chunk, i) => {
    const keys = byChunk.get(i);
    const changed = keys === undefined ? chunk : rebuilt(chunk, keys, changes);
    return changed.keys.length === 0 ? [] : parts(changed);
  });
}

function rebuilt(
  chunk: Chunk,
  changed: readonly string[],
  changes: ReadonlyMap<string, KeptRow | undefined>,
): Chunk {
  const starts = lineStarts(chunk.json);
  const keys: string[] = [];
  const untilMs: number[] = [];
  const contexts: string[] = [];
  const bytes: Buffer[] = [];
  let at = 0;
  /** Rows that stay, up to before `to`. */
  function keepUpTo(to: number): void {
    if (to <= at) return;
    for (let i = at; i < to; i++) {
      keys.push(chunk.keys[i] ?? '');
      untilMs.push(chunk.untilMs[i] ?? 0);
      contexts.push(chunk.contexts[i] ?? '');
    }
    bytes.push(chunk.json.subarray(starts[at], starts[to]));
    at = to;
  }
  for (const key of changed) {
    const upTo = rowsUpTo(chunk, key);
    const isKept = chunk.keys[upTo - 1] === key;
    keepUpTo(isKept ? upTo - 1 : upTo);
    if (isKept) at = upTo;
    const row = changes.get(key);
    if (row === undefined) continue;
    keys.push(row.key);
    untilMs.push(row.untilMs);
    contexts.push(row.context);
    bytes.push(Buffer.from(row.line));
  }
  keepUpTo(chunk.keys.length);
  return { keys, untilMs, contexts, json: Buffer.concat(bytes), csv: undefined };
}

/** A chunk that has grown beyond twice its size, in parts. */
function parts(chunk: Chunk): readonly Chunk[] {
  const { keys, untilMs, contexts, json } = chunk;
  if (keys.length <= 2 * feedLimits.rowsPerChunk) return [chunk];
  const starts = lineStarts(json);
  const split: Chunk[] = [];
  for (let from = 0; from < keys.length; from += feedLimits.rowsPerChunk) {
    const to = Math.min(from + feedLimits.rowsPerChunk, keys.length);
    split.push({
      keys: keys.slice(from, to),
      untilMs: untilMs.slice(from, to),
      contexts: contexts.slice(from, to),
      json: json.subarray(starts[from], starts[to]),
      csv: undefined,
    });
  }
  return split;
}

/** Chunks behind others; a small one at the seam is not left alone, as pages may be small. */
export function joined(chunks: readonly Chunk[], more: readonly Chunk[]): readonly Chunk[] {
  const last = chunks.at(-1);
  const first = more[0];
  if (last === undefined || first === undefined) return [...chunks, ...more];
  if (last.keys.length + first.keys.length > feedLimits.rowsPerChunk) return [...chunks, ...more];
  const seam: Chunk = {
    keys: [...last.keys, ...first.keys],
    untilMs: [...last.untilMs, ...first.untilMs],
    contexts: [...last.contexts, ...first.contexts],
    json: Buffer.concat([last.json, first.json]),
    csv: undefined,
  };
  return [...chunks.slice(0, -1), seam, ...more.slice(1)];
}
