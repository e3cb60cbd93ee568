import { createHash } from 'node:crypto';
import { accept, type Parsed, refuse } from '../parsed.ts';
import { decodeCbor, encodeCbor } from './cbor.ts';
import { scanCbor } from './cbor-scan.ts';
import type { Held, NodeId, SeqRange, Vector } from './types.ts';

/** What a vector of a stranger may hold. A fleet that is renewed all day has many origins within the log's window. */
const vectorLimits = { originsMax: 10_000, rangesMax: 1_000 } as const;

const originBytes = 16;

export const emptyHeld: Held = { upTo: 0, above: [] };

/** `held` with `range` in it; ranges that touch become one. */
export function addRange(held: Held, range: SeqRange): Held {
  if (range.to <= held.upTo) return held;
  // By far the commonest case: the next batch of an origin.
  if (held.above.length === 0 && range.from <= held.upTo + 1) return { upTo: range.to, above: [] };
  const ranges = [...held.above, range].sort((a, b) => a.from - b.from);
  let { upTo } = held;
  const above: SeqRange[] = [];
  for (const { from, to } of ranges) {
    const last = above.at(-1);
    if (above.length === 0 && from <= upTo + 1) upTo = Math.max(upTo, to);
    else if (last !== undefined && from <= last.to + 1)
      above[above.length - 1] = { from: last.from, to: Math.max(last.to, to) };
    else above.push({ from, to });
  }
  return { upTo, above };
}

/** Whether all of `range` is held. */
export function holds(held: Held | undefined, range: SeqRange): boolean {
  if (held === undefined) return false;
  return range.to <= held.upTo || held.above.some(({ from, to }) => from <= range.from && range.to <= to);
}

/** Whether any of `range` is held. */
export function overlaps(held: Held | undefined, range: SeqRange): boolean {
  if (held === undefined) return false;
  return range.from <= held.upTo || held.above.some(({ from, to }) => from <= range.to && range.from <= to);
}

/** What `theirs` holds and `mine` does not, by origin. */
export function missingRanges(
  mine: Vector,
  theirs: Vector,
): readonly { readonly origin: NodeId; readonly ranges: readonly SeqRange[] }[] {
  const missing: { origin: NodeId; ranges: readonly SeqRange[] }[] = [];
  for (const [origin, held] of theirs) {
    const own = mine.get(origin) ?? emptyHeld;
    const ranges = rangesOf(held).flatMap((range) => subtract(range, own));
    if (ranges.length > 0) missing.push({ origin, ranges });
  }
  return missing;
}

/** Whether `mine` holds all of `theirs`. */
export function covers(mine: Vector, theirs: Vector): boolean {
  for (const [origin, held] of theirs) {
    const own = mine.get(origin) ?? emptyHeld;
    if (rangesOf(held).some((range) => !holds(own, range))) return false;
  }
  return true;
}

/** Everything that either holds. */
export function union(a: Vector, b: Vector): Vector {
  const both = new Map(a);
  for (const [origin, held] of b)
    both.set(origin, rangesOf(held).reduce(addRange, both.get(origin) ?? emptyHeld));
  return both;
}

/** What both hold. */
export function intersection(a: Vector, b: Vector): Vector {
  return difference(a, difference(a, b));
}

/** What `a` holds and `b` does not. */
export function difference(a: Vector, b: Vector): Vector {
  return new Map(
    missingRanges(b, a).map(({ origin, ranges }) => [origin, ranges.reduce(addRange, emptyHeld)]),
  );
}

/** How many events it holds. */
export function countEvents(vector: Vector): number {
  let events = 0;
  for (const held of vector.values()) for (const { from, to } of rangesOf(held)) events += to - from + 1;
  return events;
}

/** The highest seq that is held. */
export function lastSeqOf(held: Held | undefined): number {
  return held === undefined ? 0 : (held.above.at(-1)?.to ?? held.upTo);
}

/** As ranges from 1, ascending. */
export function rangesOf(held: Held): readonly SeqRange[] {
  return held.upTo > 0 ? [{ from: 1, to: held.upTo }, ...held.above] : held.above;
}

/** What of `range` is not in `held`. */
export function subtract(range: SeqRange, held: Held): readonly SeqRange[] {
  const rest: SeqRange[] = [];
  let { from } = range;
  for (const taken of rangesOf(held)) {
    if (taken.to < from) continue;
    if (taken.from > range.to) break;
    if (taken.from > from) rest.push({ from, to: taken.from - 1 });
    from = taken.to + 1;
  }
  if (from <= range.to) rest.push({ from, to: range.to });
  return rest;
}

/** SHA-256 of the vector; equal vectors give equal hashes however they came about. */
export function vectorHash(vector: Vector): Uint8Array {
  return createHash('sha256').update(encodeVector(vector)).digest();
}

/** CBOR: `[*[origin: 16 bytes, upTo, [*(from, to)]]]`, by origin. */
export function encodeVector(vector: Vector): Uint8Array {
  const rows = [...vector]
    .filter(([, held]) => held.upTo > 0 || held.above.length > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([origin, { upTo, above }]) => [
      Buffer.from(origin, 'hex'),
      upTo,
      above.flatMap(({ from, to }) => [from, to]),
    ]);
  return encodeCbor(rows);
}

export function decodeVector(bytes: Uint8Array): Parsed<Vector, 'bad-vector'> {
  const { originsMax, rangesMax } = vectorLimits;
  const scanned = scanCbor(bytes, { depthMax: 3, itemsMax: originsMax * 4 + 100_000 });
  if (scanned !== undefined) return refuse('bad-vector', scanned);
  const rows = decodeCbor(bytes);
  if (!Array.isArray(rows) || rows.length > originsMax) {
    return refuse('bad-vector', `a vector is a list of at most ${originsMax} origins`);
  }
  const vector = new Map<NodeId, Held>();
  for (const row of rows) {
    if (!Array.isArray(row)) return refuse('bad-vector', 'an origin is a list');
    const [origin, upTo, numbers] = row as readonly unknown[];
    if (
      !(origin instanceof Uint8Array) ||
      origin.length !== originBytes ||
      !isSeq(upTo) ||
      !Array.isArray(numbers)
    ) {
      return refuse('bad-vector', 'an origin is its id, a number and a list');
    }
    if (numbers.length % 2 === 1 || numbers.length > rangesMax * 2) {
      return refuse('bad-vector', `an origin has at most ${rangesMax} ranges`);
    }
    const above: SeqRange[] = [];
    let last = upTo;
    for (let i = 0; i < numbers.length; i += 2) {
      const [from, to]: readonly unknown[] = [numbers[i], numbers[i + 1]];
      if (!isSeq(from) || !isSeq(to) || from <= last || to < from)
        return refuse('bad-vector', 'ranges ascend');
      above.push({ from, to });
      last = to;
    }
    vector.set(Buffer.from(origin).toString('hex') as NodeId, { upTo, above });
  }
  return accept(vector);
}

function isSeq(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
