import type { Principal } from '../access/tokens.ts';
import type { Search } from '../event/document.ts';
import type { Asked } from '../query/asked.ts';
import type { FacadeParts } from './parts.ts';

/** Says what somebody asked for, unless it is to leave no trace. */
export function saySearches(
  { searched }: Pick<FacadeParts, 'searched'>,
  asked: readonly Asked[],
  by: Principal,
  nolog: string | undefined,
): void {
  if (nolog !== '1') searched.said(asked.map((one) => searchOf(one, by.name)));
}

/** As it was understood. */
function searchOf(asked: Asked, by: string): Search {
  return 'pattern' in asked ? { q: asked.pattern, by } : { q: asked.indicator, itype: asked.itype, by };
}
