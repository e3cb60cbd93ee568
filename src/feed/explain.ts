import { expiresAtMs } from '../indicator/expiry.ts';
import { rfc3339 } from '../indicator/times.ts';
import type { IndicatorRecord, Itype } from '../indicator/types.ts';
import type { Allowlist } from './allowlist/allowlist.ts';
import { decayed, shownConfidence } from './confidence.ts';
import { faultOf, type Judgement, judge, type StatementFault } from './judge.ts';
import type { FeedQuestion } from './question.ts';
import { ageDays, sinceMs, windowTimeMs } from './window.ts';

/** Why a value is in a feed or is not, in words for a person. */
export type Explanation = {
  readonly itype: Itype;
  readonly indicator: string;
  readonly in_feed: boolean;
  /** One sentence: what decides. */
  readonly why: string;
  /** What is said about it, and whether that counts. */
  readonly statements: readonly {
    readonly provider: string;
    readonly group: string;
    readonly counts: boolean;
    readonly why: string;
  }[];
};

/** Pure: the steps of judge.ts with a reason for each. */
export function explain(
  itype: Itype,
  indicator: string,
  records: readonly IndicatorRecord[],
  question: FeedQuestion,
  allowlist: Allowlist,
  nowMs: number,
): Explanation {
  const judgement = judge(itype, indicator, records, question, allowlist, nowMs);
  const statements = records.map((record) => {
    const fault = faultOf(record, question, nowMs);
    return {
      provider: record.provider,
      group: record.group,
      counts: fault === undefined,
      why: fault === undefined ? countsBecause(record, nowMs) : faultText(fault, record, question, nowMs),
    };
  });
  return {
    itype,
    indicator,
    in_feed: judgement.kind === 'row',
    why: reasonOf(judgement, records.length > 0, question),
    statements,
  };
}

function reasonOf(judgement: Judgement, isKnown: boolean, { confidence: asked }: FeedQuestion): string {
  switch (judgement.kind) {
    case 'row': {
      const { confidence, providers, context } = judgement.row;
      const about = context === undefined ? '' : `; known to ${context.join(', ')}, which keeps nothing out`;
      return `confidence ${confidence} by ${providers.join(', ')}, and no list keeps it out${about}`;
    }
    case 'allowlisted':
      return `allow-listed by ${judgement.match.list} via ${judgement.match.entry}`;
    case 'too-large':
      return `the network is larger than /${judgement.prefixMin}, the largest that a feed takes`;
    case 'out':
      if (judgement.why === 'nothing-counts')
        return isKnown ? 'no statement about it counts' : 'nothing is known about it';
      if (judgement.why === 'tags')
        return `its tags (${judgement.tags.join(', ') || 'none'}) are not those that are asked for`;
      return judgement.confidence < asked.min
        ? `confidence ${judgement.confidence} after decay is under ${asked.min}`
        : `confidence ${judgement.confidence} is above ${asked.max}`;
    default:
      return judgement satisfies never;
  }
}

function countsBecause({ itype, confidence, lasttimeMs }: IndicatorRecord, nowMs: number): string {
  const age = ageDays(lasttimeMs, nowMs);
  const left = shownConfidence(decayed(confidence, itype, age));
  const days = age === 1 ? '1 day' : `${age} days`;
  return left === shownConfidence(confidence)
    ? `confidence ${left}, ${days} old`
    : `confidence ${left}: ${confidence} as stated, ${days} old`;
}

function faultText(
  fault: StatementFault,
  record: IndicatorRecord,
  { window }: FeedQuestion,
  nowMs: number,
): string {
  switch (fault) {
    case 'allowlist-entry':
      return 'an entry of the allowlist, no statement about a threat';
    case 'unobserved':
      return 'a sensor saw it, which states nothing: its sightings are added';
    case 'retracted':
      return `retracted: ${record.retracted?.reason ?? ''}`;
    case 'expired':
      return `expired at ${rfc3339(expiresAtMs(record))}`;
    case 'filtered':
      return 'not of the providers, groups or kinds that are asked for';
    case 'too-old': {
      const since = rfc3339(sinceMs(window, record.itype, nowMs));
      const name = window?.of === 'reported' ? 'reported' : 'last observed';
      return `too old: ${name} at ${rfc3339(windowTimeMs(window, record))}, before ${since}`;
    }
    default:
      return fault satisfies never;
  }
}
