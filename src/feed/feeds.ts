import type { Clock } from '../clock.ts';
import type { Itype } from '../indicator/types.ts';
import type { IndicatorStore } from '../store/store.ts';
import type { Allowlist } from './allowlist/allowlist.ts';
import { createChangedValues } from './changed-values.ts';
import { FeedUnavailable } from './errors.ts';
import { type Explanation, explain } from './explain.ts';
import { createKeptFeed, type FeedCut, type FeedPage, type KeptFeed } from './kept-feed.ts';
import { feedLimits } from './limits.ts';
import type { FeedQuestion } from './question.ts';

export type FeedParts = {
  readonly store: IndicatorStore;
  readonly clock: Clock;
  /** Undefined as long as it is not loaded: then there are no feeds. */
  readonly allowlist: () => Allowlist | undefined;
};

/** Feeds of one node. */
export interface Feeds {
  /** Throws FeedUnavailable. */
  page(question: FeedQuestion, cut: FeedCut): Promise<FeedPage>;
  /** Why a value is in the feed of a question or is not. Throws FeedUnavailable. */
  explain(itype: Itype, indicator: string, question: FeedQuestion): Promise<Explanation>;
  stop(): void;
}

/** Those asked for last are kept, as many as there is room for. */
export function createFeeds({ store, clock, allowlist }: FeedParts): Feeds {
  const changes = createChangedValues(feedLimits.changedMax);
  const reading = atMost(feedLimits.readingMax);
  /** The one asked for last is the last. */
  let kept: readonly { readonly question: string; readonly feed: KeptFeed }[] = [];
  let position = store.lastPosition();

  const stops = [
    store.onReplaced((by) => {
      // What a sweep removes had left every feed when it expired.
      if (by === 'snapshot') changes.forget();
    }),
    store.onCommitted((commit) => {
      for (const change of commit.changes) {
        // A snapshot takes a position of its own.
        if (change.position !== position + 1) changes.forget();
        position = change.position;
        if (kept.length > 0 && 'record' in change) changes.push(change.record.itype, change.record.indicator);
      }
    }),
  ];

  function feedFor(question: FeedQuestion, cut: FeedCut): KeptFeed {
    const name = JSON.stringify(question);
    const found = kept.find((one) => one.question === name && one.feed.serves(cut));
    const feed =
      found?.feed ?? createKeptFeed({ store, clock, allowlist, changes, reading }, question, cut.after);
    kept = [...kept.filter((one) => one !== found), { question: name, feed }];
    return feed;
  }

  function makeRoom(): void {
    let bytes = kept.reduce((sum, { feed }) => sum + feed.bytes(), 0);
    while (kept.length > 1 && (kept.length > feedLimits.feedsKept || bytes > feedLimits.keptBytesMax)) {
      bytes -= kept[0]?.feed.bytes() ?? 0;
      kept = kept.slice(1);
    }
  }

  return {
    async page(question, cut) {
      const page = await feedFor(question, cut).page(cut);
      makeRoom();
      return page;
    },
    async explain(itype, indicator, question) {
      const list = allowlist();
      if (list === undefined) throw new FeedUnavailable();
      const records = await store.byValue(itype, indicator);
      return explain(itype, indicator, records, question, list, clock.wallMs());
    },
    stop() {
      for (const stop of stops) stop();
      kept = [];
    },
  };
}

/** Runs tasks in order, so many at once. */
function atMost(max: number): <T>(task: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (task) => {
    if (running >= max) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  };
}
