import type { Itype } from '../indicator/types.ts';
import { ruleOf } from './defaults.ts';

/** 5 is a coin flip: it says nothing for or against. */
const coinFlip = 5;
const certain = 10;
/** How much a further provider counts: public lists copy from one another, so that they are independent only in part. */
const furtherCounts = 0.5;

/** What is left of a stated confidence `ageDays` days after its lasttime: whole for a while, then it halves and halves. */
export function decayed(confidence: number, itype: Itype, ageDays: number): number {
  const { holdsDays, halfLifeDays } = ruleOf(itype);
  return ageDays <= holdsDays ? confidence : confidence * 0.5 ** ((ageDays - holdsDays) / halfLifeDays);
}

/**
 * What providers are confident of together, one number of each. What each says above 5 is how sure it is that the value is
 * bad, as a share of the way to 10; together they are wrong only if all of them are. The most confident one counts whole, each
 * further one half. So it is never below the highest and never above 10, what is at 5 or below raises nothing, and the order
 * does not matter.
 */
export function agreed(confidences: readonly number[]): number {
  // Four of five values have one provider.
  if (confidences.length === 1) return confidences[0] ?? 0;
  const [highest = 0, ...further] = [...confidences].sort((a, b) => b - a);
  if (highest <= coinFlip) return highest;
  let doubt = 1 - surety(highest);
  for (const confidence of further) doubt *= 1 - furtherCounts * surety(confidence);
  return certain - (certain - coinFlip) * doubt;
}

function surety(confidence: number): number {
  return Math.max(0, (confidence - coinFlip) / (certain - coinFlip));
}

/** As a feed shows it, and compares it with what is asked for: two digits, so that 8 less a rounding error is 8. */
export function shownConfidence(confidence: number): number {
  return Math.round(confidence * 100) / 100;
}
