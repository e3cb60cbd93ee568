import { createHash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Search } from '../event/document.ts';
import type { Intake } from './intake.ts';

const searchedLimits = {
  /** The same question of the same person is said once in this time. */
  sameWithinMs: 60_000,
  /** Questions that are remembered for it, each by 32 bytes. */
  rememberedMax: 20_000,
  /** What people ask; above it searches are dropped. The burst is one request of 1,000 values, and another one. */
  perSecondMax: 50,
  burstMax: 2_000,
} as const;

export interface Searched {
  /** Says what somebody asked for, to all nodes. Never fails, and nobody waits for it. */
  said(searches: readonly Search[]): void;
  /** How many were `said`, were said already (`repeated`), or were `dropped` as too many or because nothing is taken now. */
  counters(): ReadonlyMap<string, number>;
}

/** Makes events of what people search for, within bounds: a question must be answered whatever becomes of them. */
export function createSearched({
  intake,
  clock,
}: {
  readonly intake: Pick<Intake, 'say'>;
  readonly clock: Clock;
}): Searched {
  /** By who and what, when it was said; the oldest first. */
  const saidAtMs = new Map<string, number>();
  const counts = new Map<string, number>();
  let tokens: number = searchedLimits.burstMax;
  let filledAtMs = clock.wallMs();

  function count(what: 'said' | 'repeated' | 'dropped', number: number): void {
    if (number > 0) counts.set(what, (counts.get(what) ?? 0) + number);
  }

  function isRepeated({ by, q }: Search, nowMs: number): boolean {
    const key = createHash('sha256').update(`${by}\0${q}`).digest('base64');
    const lastMs = saidAtMs.get(key);
    // A clock that was put back says nothing of how long ago it was.
    if (lastMs !== undefined && nowMs >= lastMs && nowMs < lastMs + searchedLimits.sameWithinMs) return true;
    saidAtMs.delete(key);
    const oldest = saidAtMs.keys().next().value;
    if (saidAtMs.size >= searchedLimits.rememberedMax && oldest !== undefined) saidAtMs.delete(oldest);
    saidAtMs.set(key, nowMs);
    return false;
  }

  /** How many of so many may be said now. */
  function taken(wanted: number, nowMs: number): number {
    const sinceMs = Math.max(0, nowMs - filledAtMs);
    filledAtMs = nowMs;
    tokens = Math.min(searchedLimits.burstMax, tokens + (sinceMs / 1_000) * searchedLimits.perSecondMax);
    const number = Math.min(wanted, Math.floor(tokens));
    tokens -= number;
    return number;
  }

  async function say(searches: readonly Search[]): Promise<void> {
    try {
      await intake.say(
        searches.map((body) => ({ kind: 'search', body })),
        'local',
      );
      count('said', searches.length);
    } catch {
      // The node stops, has too much to do or cannot write: of each it tells elsewhere.
      count('dropped', searches.length);
    }
  }

  return {
    said(searches) {
      const nowMs = clock.wallMs();
      const fresh = searches.filter((search) => !isRepeated(search, nowMs));
      count('repeated', searches.length - fresh.length);
      const number = taken(fresh.length, nowMs);
      count('dropped', fresh.length - number);
      if (number > 0) void say(fresh.slice(0, number));
    },
    counters: () => counts,
  };
}
