import type { IndicatorRecord } from './types.ts';

/**
 * Records with these tags are no indicators but the allowlist: `allowlist` keeps what they name out of every feed, and
 * `allowlist-context` only says something about it.
 */
export const allowlistTag = 'allowlist';
export const allowlistContextTag = 'allowlist-context';
/** On a public suffix: everything below it is meant too. */
export const allowlistChildrenTag = 'allowlist-children';

export function isAllowlistEntry({ tags }: Pick<IndicatorRecord, 'tags'>): boolean {
  return tags.includes(allowlistTag) || tags.includes(allowlistContextTag);
}
