import type { NodeId, SeqRange } from '../event/types.ts';
import { valueKey } from '../indicator/sort-key.ts';
import type { Itype, RecordKey } from '../indicator/types.ts';

/**
 * Keys are UTF-8 text whose bytes sort as we read: records by itype, then by value, so that a value's providers lie side by
 * side; numbers padded. NUL separates the parts: no part can hold one.
 */
const end = '\u007f';
const digits = 16;
const halfMax = 1e8;
/** Newest first: the later the time, the smaller the key. */
const latestMs = Number.MAX_SAFE_INTEGER;

/** A half-open range of keys. */
export type KeyRange = { readonly gt: string; readonly lt: string };

/** What the keys of all records of a value begin with. */
export function valueName(itype: Itype, indicator: string): string {
  return `${itype}\0${valueKey(itype, indicator)}`;
}

export function recordKey({ itype, indicator, provider, group }: RecordKey): string {
  return `${valueName(itype, indicator)}\0${provider}\0${group}`;
}

/** All records of an itype, from behind the key `after`. */
export function itypeRange(itype: Itype, after: string | undefined): KeyRange {
  return { gt: after ?? `${itype}\0`, lt: `${itype}\u0001` };
}

/** Where an itype's records go on behind all of one value's. */
export function behindValue(itype: Itype, key: string): string {
  return `${itype}\0${key}\0${end}`;
}

export function newestKey(reporttimeMs: number, key: string): string {
  return `${padded(latestMs - reporttimeMs)}\0${key}`;
}

/** Before every record that was reported then or before. */
export function newestStart(reporttimeMs: number): string {
  return padded(latestMs - reporttimeMs);
}

/** The record key within a key of the newest index. */
export function recordKeyOf(newest: string): string {
  return newest.slice(digits + 1);
}

export function logKey(origin: NodeId, range: SeqRange): string {
  return `${origin}\0${padded(range.from)}\0${padded(range.to)}`;
}

/** Where the log of `origin` begins to matter for `seq`: the batch that holds it is the last one that starts before or at it. */
export function logStart(origin: NodeId, seq: number): string {
  return `${origin}\0${padded(seq)}\0${end}`;
}

export function logBounds(origin: NodeId): KeyRange {
  return { gt: `${origin}\0`, lt: `${origin}\u0001` };
}

export function rangeOfLogKey(key: string): SeqRange {
  const [, from, to] = key.split('\0');
  return { from: Number(from), to: Number(to) };
}

/** Where a batch was applied: its first change's position. A batch without changes shares the next one's. */
export function appliedKey(position: number, origin: NodeId, firstSeq: number): string {
  return `${padded(position)}\0${origin}\0${padded(firstSeq)}`;
}

export function positionOfAppliedKey(key: string): number {
  return Number(key.slice(0, digits));
}

/** Behind every batch that was applied up to `position`. */
export function appliedUpTo(position: number): string {
  return `${padded(position)}\u0001`;
}

/** In two halves: V8 writes what fits into 31 bits five times as fast as a larger number. */
function padded(number: number): string {
  const high = Math.floor(number / halfMax);
  return paddedHalf(high) + paddedHalf(number - high * halfMax);
}

function paddedHalf(number: number): string {
  return number >= halfMax / 10 ? String(number) : String(number).padStart(digits / 2, '0');
}

/** Whether a key sorts behind another, as their bytes do; UTF-16 units sort otherwise from the surrogates on. */
export function isBehind(key: string, other: string): boolean {
  if (/[\ud800-\uffff]/.test(key) || /[\ud800-\uffff]/.test(other)) {
    return Buffer.compare(Buffer.from(key), Buffer.from(other)) > 0;
  }
  return key > other;
}
