import type { IndicatorRecord, Itype } from '../indicator/types.ts';

/** What a question, a feed or a stream is narrowed to. An absent part narrows nothing. */
export type Filter = {
  readonly itypes?: readonly Itype[];
  readonly tags?: Choice;
  readonly provider?: Choice;
  readonly group?: Choice;
  /** Both ends included. */
  readonly confidence?: { readonly min: number; readonly max: number };
  /** Unix milliseconds: nothing older, by the time that `window` names. */
  readonly since?: { readonly window: 'observed' | 'reported'; readonly ms: number };
};

/** One of `any` when it names some, and none of `none`. */
export type Choice = { readonly any: readonly string[]; readonly none: readonly string[] };

export function matches(filter: Filter, record: IndicatorRecord): boolean {
  const { itypes, tags, provider, group, confidence, since } = filter;
  if (itypes !== undefined && !itypes.includes(record.itype)) return false;
  if (confidence !== undefined && (record.confidence < confidence.min || record.confidence > confidence.max))
    return false;
  if (since !== undefined) {
    const timeMs = since.window === 'observed' ? record.lasttimeMs : record.reporttimeMs;
    if (timeMs < since.ms) return false;
  }
  return (
    isChosen(tags, record.tags) && isChosen(provider, [record.provider]) && isChosen(group, [record.group])
  );
}

function isChosen(choice: Choice | undefined, values: readonly string[]): boolean {
  if (choice === undefined) return true;
  const { any, none } = choice;
  if (values.some((value) => none.includes(value))) return false;
  return any.length === 0 || values.some((value) => any.includes(value));
}
