import type { IndicatorRecord } from './types.ts';

/** Tags that make a record an entry of the allowlist, and say how far it reaches. */
export const allowlistTags = {
  /** What it names never enters a feed. */
  suppress: 'allowlist',
  /** What it names is annotated, and may enter. */
  context: 'allowlist-context',
  /** It vouches for all below it, even where strangers live: below a public suffix, on a hosting platform. */
  children: 'allowlist-children',
  /** It means the name itself, and nothing below. */
  exact: 'allowlist-exact',
} as const;

/** Whether a record says something of the allowlist, and nothing of a threat. */
export function isAllowlistEntry({ tags }: Pick<IndicatorRecord, 'tags'>): boolean {
  return tags.includes(allowlistTags.suppress) || tags.includes(allowlistTags.context);
}
