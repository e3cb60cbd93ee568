import { isTombstone } from '../indicator/record.ts';
import type { IndicatorRecord, Itype } from '../indicator/types.ts';

/** What a question, a feed or a stream is narrowed to. An absent part narrows nothing. */
export type Filter = {
  readonly itypes?: readonly Itype[];
  readonly tags?: Choice;
  readonly provider?: Choice;
  readonly group?: Choice;
  /** Numbers of autonomous systems as text, without `AS`. */
  readonly asn?: Choice;
  readonly cc?: Choice;
  readonly tlp?: Choice;
  /** Both ends included. */
  readonly confidence?: { readonly min: number; readonly max: number };
  /** Unix milliseconds: nothing older, by the time that `window` names. */
  readonly since?: { readonly window: 'observed' | 'reported'; readonly ms: number };
  /** Last seen by the source within it. */
  readonly observed?: Span;
  /** Last learnt by the mesh within it. */
  readonly reported?: Span;
};

/** One of `any` when it names some, and none of `none`. */
export type Choice = { readonly any: readonly string[]; readonly none: readonly string[] };

/** Unix milliseconds, both ends included; an absent end is open. */
export type Span = { readonly fromMs?: number; readonly toMs?: number };

export function matches(filter: Filter, record: IndicatorRecord): boolean {
  const { itypes, tags, provider, group, asn, cc, tlp, confidence, since, observed, reported } = filter;
  if (itypes !== undefined && !itypes.includes(record.itype)) return false;
  if (confidence !== undefined && (record.confidence < confidence.min || record.confidence > confidence.max))
    return false;
  if (since !== undefined) {
    const timeMs = since.window === 'observed' ? record.lasttimeMs : record.reporttimeMs;
    if (timeMs < since.ms) return false;
  }
  return (
    isWithin(observed, record.lasttimeMs) &&
    isWithin(reported, record.reporttimeMs) &&
    isChosen(tags, record.tags) &&
    isChosen(provider, [record.provider]) &&
    isChosen(group, [record.group]) &&
    isChosen(tlp, [record.tlp]) &&
    isChosen(asn, record.asn === undefined ? [] : [String(record.asn)]) &&
    isChosen(cc, record.cc === undefined ? [] : [record.cc])
  );
}

/** Whether it may answer a question; what only takes back something that never came is nothing to show. */
export function isAnswer(filter: Filter, record: IndicatorRecord): boolean {
  return !isTombstone(record) && matches(filter, record);
}

function isWithin(span: Span | undefined, timeMs: number): boolean {
  if (span === undefined) return true;
  return (
    timeMs >= (span.fromMs ?? Number.NEGATIVE_INFINITY) && timeMs <= (span.toMs ?? Number.POSITIVE_INFINITY)
  );
}

export function isChosen(choice: Choice | undefined, values: readonly string[]): boolean {
  if (choice === undefined) return true;
  const { any, none } = choice;
  if (values.some((value) => none.includes(value))) return false;
  return any.length === 0 || values.some((value) => any.includes(value));
}
