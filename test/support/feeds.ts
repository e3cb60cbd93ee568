import type { FeedRow } from '../../src/feed/aggregate.ts';
import { type Allowlist, type AllowVerdict, createAllowlist } from '../../src/feed/allowlist/allowlist.ts';
import { feedDefaults } from '../../src/feed/defaults.ts';
import { createFeeds } from '../../src/feed/feeds.ts';
import type { FeedPage } from '../../src/feed/kept-feed.ts';
import type { FeedQuestion } from '../../src/feed/question.ts';
import { type Fields, nowMs, storeOf } from './records.ts';

/** Everything, however unsure. */
export const everything: FeedQuestion = { statements: {}, confidence: { min: 0, max: 10 } };
export const defaultQuestion: FeedQuestion = {
  statements: {},
  confidence: { min: feedDefaults.confidence, max: 10 },
};

export function rowsOf({ slices }: FeedPage): readonly FeedRow[] {
  return textOf({ slices })
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as FeedRow);
}

export function textOf({ slices }: Pick<FeedPage, 'slices'>): string {
  return slices.map(({ ndjson }) => ndjson().toString()).join('');
}

/** A clock that a test sets. */
export function settableClock(startMs = nowMs) {
  let ms = startMs;
  return {
    wallMs: () => ms,
    after(): never {
      throw new Error('feeds wait for nothing');
    },
    set(to: number) {
      ms = to;
    },
  };
}

/** What is built in, and values by name: `suppress` keeps one out, `context` only says something of it. */
export function exactAllowlist() {
  const builtIn = createAllowlist(settableClock());
  const suppressed = new Map<string, string>();
  const contexts = new Map<string, string>();
  let version = 1;
  const allowlist: Allowlist = {
    check(itype, indicator): AllowVerdict {
      const list = suppressed.get(indicator);
      const context = contexts.get(indicator);
      return {
        suppressedBy:
          list === undefined ? builtIn.check(itype, indicator).suppressedBy : { list, entry: indicator },
        context: context === undefined ? [] : [{ list: context, entry: indicator }],
      };
    },
    version: () => version,
    size: () => suppressed.size + contexts.size,
  };
  function put(map: Map<string, string>, indicator: string, list: string | undefined): void {
    if (list === undefined) map.delete(indicator);
    else map.set(indicator, list);
    version++;
  }
  return {
    allowlist,
    suppress: (indicator: string, list: string | undefined) => put(suppressed, indicator, list),
    context: (indicator: string, list: string | undefined) => put(contexts, indicator, list),
  };
}

/** A node's feeds over a store in memory, at a time that the test sets. */
export async function feedsOf(...rows: readonly Fields[]) {
  const { store, add } = await storeOf(...rows);
  const clock = settableClock();
  const list = exactAllowlist();
  const feeds = createFeeds({ store, clock, allowlist: () => list.allowlist });
  return { store, add, clock, list, feeds };
}
