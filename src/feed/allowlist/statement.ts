import { allowlistTags } from '../../indicator/allowlist-tags.ts';
import type { IndicatorRecord, RecordKey } from '../../indicator/types.ts';

/** What of a record the allowlist reads. */
export type AllowRecord = RecordKey &
  Pick<IndicatorRecord, 'tags' | 'expiretimeMs'> & { readonly retracted?: unknown };

/** What one provider says of one value in one group, as an entry. */
export type Statement = {
  readonly provider: string;
  readonly group: string;
  readonly suppresses: boolean;
  readonly reach: 'itself' | 'below' | 'all';
  readonly expiretimeMs: number | undefined;
};

/** The statement that a record makes; undefined when it is no entry, was taken back, or is over. */
export function statementOf(record: AllowRecord, nowMs: number): Statement | undefined {
  const { tags, expiretimeMs, provider, group } = record;
  const suppresses = tags.includes(allowlistTags.suppress);
  if (!suppresses && !tags.includes(allowlistTags.context)) return undefined;
  if (record.retracted !== undefined || (expiretimeMs !== undefined && expiretimeMs <= nowMs))
    return undefined;
  return { provider, group, suppresses, reach: reachOf(tags), expiretimeMs };
}

function reachOf(tags: readonly string[]): Statement['reach'] {
  // Where both are said, the one that hides less.
  if (tags.includes(allowlistTags.exact)) return 'itself';
  return tags.includes(allowlistTags.children) ? 'all' : 'below';
}

/** The statements with `statement` in its place, which takes that of the same provider and group. */
export function withStatement(statements: readonly Statement[], statement: Statement): readonly Statement[] {
  const at = placeOf(statements, statement);
  const replaces = isOf(statements[at], statement) ? 1 : 0;
  return statements.toSpliced(at, replaces, statement);
}

/** The statements without the one of this provider and group; the same array when there is none. */
export function withoutStatement(statements: readonly Statement[], of: Voice): readonly Statement[] {
  const at = placeOf(statements, of);
  return isOf(statements[at], of) ? statements.toSpliced(at, 1) : statements;
}

/** What this provider says in this group. */
export function findStatement(statements: readonly Statement[], of: Voice): Statement | undefined {
  const found = statements[placeOf(statements, of)];
  return isOf(found, of) ? found : undefined;
}

export function isSameStatement(a: Statement | undefined, b: Statement | undefined): boolean {
  return (
    a?.provider === b?.provider &&
    a?.group === b?.group &&
    a?.suppresses === b?.suppresses &&
    a?.reach === b?.reach &&
    a?.expiretimeMs === b?.expiretimeMs
  );
}

type Voice = Pick<Statement, 'provider' | 'group'>;

/** A binary search: a writer may name ever more providers for one value. */
function placeOf(statements: readonly Statement[], of: Voice): number {
  let from = 0;
  let to = statements.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    const other = statements[middle];
    if (other !== undefined && isBefore(other, of)) from = middle + 1;
    else to = middle;
  }
  return from;
}

function isBefore(a: Voice, b: Voice): boolean {
  return a.provider === b.provider ? a.group < b.group : a.provider < b.provider;
}

function isOf(statement: Statement | undefined, of: Voice): boolean {
  return statement?.provider === of.provider && statement.group === of.group;
}
