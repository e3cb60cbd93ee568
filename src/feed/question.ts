import type { Choice, Filter } from '../query/filter.ts';

/** What a feed is asked for. Relative to now, so that the same question can be asked again. */
export type FeedQuestion = {
  /** What a statement must be to count at all: its itype, provider, group, ... */
  readonly statements: Omit<Filter, 'tags' | 'confidence' | 'since'>;
  /** Of the union of the tags of all statements that count. */
  readonly tags?: Choice;
  /** Of what the statements that count make together, decayed. Both ends included. */
  readonly confidence: { readonly min: number; readonly max: number };
  /** Absent: the days of the itype, by lasttime. */
  readonly window?: { readonly of: 'observed' | 'reported'; readonly ms: number };
};
