import type { IndicatorRecord, Itype } from '../indicator/types.ts';
import { ruleOf } from './defaults.ts';
import type { FeedQuestion } from './question.ts';

const dayMs = 24 * 60 * 60 * 1_000;

/** The UTC day of a time, counted from 1970. */
export function dayOf(timeMs: number): number {
  return Math.floor(timeMs / dayMs);
}

/**
 * How old something is, in whole UTC days: 0 today, 1 yesterday. Ages change for all rows at once, at midnight UTC, and not for
 * each row at a moment of its own: so a feed whose records do not change is the same all day.
 */
export function ageDays(timeMs: number, nowMs: number): number {
  return Math.max(0, dayOf(nowMs) - dayOf(timeMs));
}

/** The time that a question's window looks at. */
export function windowTimeMs(
  window: FeedQuestion['window'],
  { lasttimeMs, reporttimeMs }: Pick<IndicatorRecord, 'lasttimeMs' | 'reporttimeMs'>,
): number {
  return window?.of === 'reported' ? reporttimeMs : lasttimeMs;
}

/** Nothing older enters: what was asked for to the millisecond, or the days of the kind from their first moment on. */
export function sinceMs(window: FeedQuestion['window'], itype: Itype, nowMs: number): number {
  return window === undefined ? (dayOf(nowMs) - ruleOf(itype).days) * dayMs : nowMs - window.ms;
}

/** When a statement leaves the window that was asked for; days leave at midnight, all at once. */
export function leavesAtMs(
  window: FeedQuestion['window'],
  record: Pick<IndicatorRecord, 'lasttimeMs' | 'reporttimeMs'>,
): number {
  return window === undefined ? Number.POSITIVE_INFINITY : windowTimeMs(window, record) + window.ms + 1;
}
