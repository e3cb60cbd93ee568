import { readNetwork } from '../indicator/address.ts';
import { isAllowlistEntry } from '../indicator/allowlist-tags.ts';
import { expiresAtMs } from '../indicator/expiry.ts';
import type { IndicatorRecord, Itype } from '../indicator/types.ts';
import { type Choice, matches } from '../query/filter.ts';
import type { AtAGlance } from '../store/scan.ts';
import { aggregate, type FeedRow, type Statements, unitedConfidence, unitedTags } from './aggregate.ts';
import type { Allowlist, AllowMatch } from './allowlist/allowlist.ts';
import { agreed, decayed, shownConfidence } from './confidence.ts';
import { ruleOf } from './defaults.ts';
import type { FeedQuestion } from './question.ts';
import { ageDays, leavesAtMs, sinceMs, windowTimeMs } from './window.ts';

const never = Number.POSITIVE_INFINITY;

/** Why a statement does not count; undefined when it does. */
export type StatementFault =
  | 'allowlist-entry'
  | 'unobserved'
  | 'retracted'
  | 'expired'
  | 'filtered'
  | 'too-old';

/** What becomes of a value. It stays so until `untilMs`, or midnight UTC, unless a record or the allowlist changes. */
export type Judgement = { readonly untilMs: number } & (
  | { readonly kind: 'row'; readonly row: FeedRow }
  | { readonly kind: 'allowlisted'; readonly match: AllowMatch }
  | { readonly kind: 'too-large'; readonly prefixMin: number }
  | { readonly kind: 'out'; readonly why: 'nothing-counts' }
  | { readonly kind: 'out'; readonly why: 'tags'; readonly tags: readonly string[] }
  | { readonly kind: 'out'; readonly why: 'confidence'; readonly confidence: number }
);

/**
 * Whether a value is in a feed, by the steps of docs/feeds.md: which statements count; their tags and their confidence
 * together; the size of a network; and last of all the allowlist.
 */
export function judge(
  itype: Itype,
  indicator: string,
  records: readonly IndicatorRecord[],
  question: FeedQuestion,
  allowlist: Allowlist,
  nowMs: number,
): Judgement {
  const [first, ...more] = records.filter((record) => faultOf(record, question, nowMs) === undefined);
  if (first === undefined) return { kind: 'out', why: 'nothing-counts', untilMs: never };
  const statements: Statements = [first, ...more];
  // What sensors saw of it is added, for as long as a statement of that time would count.
  const sensors = records.filter(
    (record) => record.count === 0 && faultOf(record, question, nowMs) === 'unobserved',
  );
  const untilMs = [...statements, ...sensors].reduce(
    (earliest, record) => Math.min(earliest, expiresAtMs(record), leavesAtMs(question.window, record)),
    never,
  );
  const tags = unitedTags(statements);
  const { min, max } = question.confidence;
  // With time statements fall away: then a tag may be gone that kept it out, or a confidence that was too high.
  if (tags.some((tag) => question.tags?.none.includes(tag)))
    return { kind: 'out', why: 'tags', tags, untilMs };
  if (!hasAny(question.tags, tags)) return { kind: 'out', why: 'tags', tags, untilMs: never };
  const confidence = unitedConfidence(statements, nowMs);
  if (confidence > max) return { kind: 'out', why: 'confidence', confidence, untilMs };
  if (confidence < min) return { kind: 'out', why: 'confidence', confidence, untilMs: never };
  const { prefixMin } = ruleOf(itype);
  if (prefixMin !== undefined && prefixOf(indicator) < prefixMin)
    return { kind: 'too-large', prefixMin, untilMs };
  const { suppressedBy, context } = allowlist.check(itype, indicator);
  if (suppressedBy !== undefined) return { kind: 'allowlisted', match: suppressedBy, untilMs };
  return { kind: 'row', row: aggregate(statements, sensors, tags, confidence, listsOf(context)), untilMs };
}

/** The first reason why a statement does not count. */
export function faultOf(
  record: IndicatorRecord,
  { statements, window }: Pick<FeedQuestion, 'statements' | 'window'>,
  nowMs: number,
): StatementFault | undefined {
  // It says something of the allowlist, not of a threat.
  if (isAllowlistEntry(record)) return 'allowlist-entry';
  if (record.retracted !== undefined) return 'retracted';
  if (expiresAtMs(record) <= nowMs) return 'expired';
  if (!matches(statements, record)) return 'filtered';
  if (windowTimeMs(window, record) < sinceMs(window, record.itype, nowMs)) return 'too-old';
  // Sightings can come without what they are about, or before it.
  return record.count === 0 ? 'unobserved' : undefined;
}

/** Whether what can be seen at a glance may make a value of a feed. Never no to one that is in it. */
export function mayEnter(
  itype: Itype,
  { confidence: { min }, window }: FeedQuestion,
  nowMs: number,
): AtAGlance {
  const earliestMs = window?.of === 'reported' ? Number.NEGATIVE_INFINITY : sinceMs(window, itype, nowMs);
  const left: number[] = [];
  return (confidences, lasttimesMs) => {
    left.length = 0;
    for (let i = 0; i < confidences.length; i++) {
      const lasttimeMs = lasttimesMs[i] ?? 0;
      if (lasttimeMs >= earliestMs)
        left.push(decayed(confidences[i] ?? 0, itype, ageDays(lasttimeMs, nowMs)));
    }
    // As if each had a provider of its own, which is the most that they can make together.
    return left.length > 0 && shownConfidence(agreed(left)) >= min;
  };
}

function hasAny(choice: Choice | undefined, tags: readonly string[]): boolean {
  return choice === undefined || choice.any.length === 0 || choice.any.some((tag) => tags.includes(tag));
}

function prefixOf(indicator: string): number {
  return indicator.includes('/') ? readNetwork(indicator).prefix : Number.POSITIVE_INFINITY;
}

/** Their names, sorted, each once. */
export function listsOf(context: readonly AllowMatch[]): readonly string[] {
  return context.length === 0 ? [] : [...new Set(context.map(({ list }) => list))].sort();
}
