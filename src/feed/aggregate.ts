import { rfc3339 } from '../indicator/times.ts';
import { strictestTlp } from '../indicator/tlp.ts';
import type { IndicatorRecord, Itype, Tlp } from '../indicator/types.ts';

/** One indicator of a feed: what all its providers say, in one row. */
export type FeedRow = {
  readonly indicator: string;
  readonly itype: Itype;
  readonly providers: readonly string[];
  /** The strictest of all. */
  readonly tlp: Tlp;
  /** The highest of all. */
  readonly confidence: number;
  readonly tags: readonly string[];
  /** The sum of all. */
  readonly count: number;
  readonly firsttime: string;
  readonly lasttime: string;
  readonly reporttime: string;
};

/** In the order of JSON fields and of CSV columns. */
export const feedRowFields = [
  'indicator',
  'itype',
  'providers',
  'tlp',
  'confidence',
  'tags',
  'count',
  'firsttime',
  'lasttime',
  'reporttime',
] as const satisfies readonly (keyof FeedRow)[];

/** Statements about one value, one or more, into one row. The order of the statements does not matter. */
export function aggregate(statements: readonly [IndicatorRecord, ...IndicatorRecord[]]): FeedRow {
  const [{ indicator, itype }] = statements;
  return {
    indicator,
    itype,
    providers: sorted(statements.map(({ provider }) => provider)),
    tlp: statements.map(({ tlp }) => tlp).reduce(strictestTlp),
    confidence: greatest(statements.map(({ confidence }) => confidence)),
    tags: sorted(statements.flatMap(({ tags }) => tags)),
    count: Math.min(
      statements.reduce((sum, { count }) => sum + count, 0),
      Number.MAX_SAFE_INTEGER,
    ),
    firsttime: rfc3339(-greatest(statements.map(({ firsttimeMs }) => -firsttimeMs))),
    lasttime: rfc3339(greatest(statements.map(({ lasttimeMs }) => lasttimeMs))),
    reporttime: rfc3339(greatest(statements.map(({ reporttimeMs }) => reporttimeMs))),
  };
}

/** Math.max with a list of arguments throws from some 100,000 on, and a writer may name as many providers. */
function greatest(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b));
}

function sorted(values: readonly string[]): readonly string[] {
  return [...new Set(values)].sort();
}
