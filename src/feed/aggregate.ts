import { compareStamps } from '../indicator/record.ts';
import { rfc3339 } from '../indicator/times.ts';
import { strictestTlp } from '../indicator/tlp.ts';
import type { IndicatorRecord, Itype, Tlp } from '../indicator/types.ts';
import { agreed, decayed, shownConfidence } from './confidence.ts';
import { ageDays } from './window.ts';

/** One indicator of a feed: what all its providers say, in one row. An absent field was stated by none. */
export type FeedRow = {
  readonly indicator: string;
  readonly itype: Itype;
  readonly providers: readonly string[];
  /** The strictest of all. */
  readonly tlp: Tlp;
  /** What they are confident of together, decayed by age (confidence.ts). */
  readonly confidence: number;
  readonly tags: readonly string[];
  /** The sum of all. */
  readonly count: number;
  readonly firsttime: string;
  readonly lasttime: string;
  readonly reporttime: string;
  /** How often sensors saw it: the sum of all. */
  readonly sightings?: number;
  readonly portlist?: string;
  readonly protocol?: string;
  readonly description?: string;
  readonly reference?: string;
  /** Lists that say something of it without keeping it out: cloud ranges, CDNs, dynamic DNS. */
  readonly context?: readonly string[];
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
  'sightings',
  'portlist',
  'protocol',
  'description',
  'reference',
  'context',
] as const satisfies readonly (keyof FeedRow)[];

/** One or more of one value. */
export type Statements = readonly [IndicatorRecord, ...IndicatorRecord[]];

/** The tags that anybody put on it, sorted. */
export function unitedTags(statements: Statements): readonly string[] {
  const [{ tags }] = statements;
  return statements.length === 1 ? tags : sorted(statements.flatMap((statement) => statement.tags));
}

/**
 * The confidence of a value: each statement's, decayed by the age of what was observed; of one provider the highest; and of
 * all providers what they agree on. Each decays by its own age: a weak new statement does not keep a strong old one fresh.
 */
export function unitedConfidence(statements: Statements, nowMs: number): number {
  const [first] = statements;
  if (statements.length === 1)
    return shownConfidence(decayed(first.confidence, first.itype, ageDays(first.lasttimeMs, nowMs)));
  const byProvider = new Map<string, number>();
  for (const { provider, confidence, itype, lasttimeMs } of statements) {
    const left = decayed(confidence, itype, ageDays(lasttimeMs, nowMs));
    byProvider.set(provider, Math.max(left, byProvider.get(provider) ?? 0));
  }
  return shownConfidence(agreed([...byProvider.values()]));
}

/**
 * Statements about one value into one row; their order does not matter. Ports, description and reference are each those of the
 * most confident statement that has some, of the newest if several are. Of sensors, which saw it and state nothing, only the
 * sightings count.
 */
export function aggregate(
  statements: Statements,
  sensors: readonly IndicatorRecord[],
  tags: readonly string[],
  confidence: number,
  context: readonly string[],
): FeedRow {
  const [{ indicator, itype }] = statements;
  const best = statements.length === 1 ? statements : [...statements].sort(byWeight);
  const row: { -readonly [Field in keyof FeedRow]: FeedRow[Field] } = {
    indicator,
    itype,
    providers: sorted(statements.map(({ provider }) => provider)),
    tlp: statements.map(({ tlp }) => tlp).reduce(strictestTlp),
    confidence,
    tags,
    count: sum(statements.map(({ count }) => count)),
    firsttime: rfc3339(-greatest(statements.map(({ firsttimeMs }) => -firsttimeMs))),
    lasttime: rfc3339(greatest(statements.map(({ lasttimeMs }) => lasttimeMs))),
    reporttime: rfc3339(greatest(statements.map(({ reporttimeMs }) => reporttimeMs))),
  };
  const sightings = sum([...statements, ...sensors].map((record) => record.sightings?.count ?? 0));
  if (sightings > 0) row.sightings = sightings;
  const service = best.find(({ portlist, protocol }) => portlist !== undefined || protocol !== undefined);
  if (service?.portlist !== undefined) row.portlist = service.portlist;
  if (service?.protocol !== undefined) row.protocol = service.protocol;
  const description = best.find((statement) => statement.description !== undefined)?.description;
  if (description !== undefined) row.description = description;
  const reference = best.find((statement) => statement.reference !== undefined)?.reference;
  if (reference !== undefined) row.reference = reference;
  if (context.length > 0) row.context = context;
  return row;
}

/** The most confident first, then the newest, then by what tells statements of one value apart. */
function byWeight(a: IndicatorRecord, b: IndicatorRecord): number {
  return (
    b.confidence - a.confidence ||
    compareStamps(b.stamp, a.stamp) ||
    compareText(a.provider, b.provider) ||
    compareText(a.group, b.group)
  );
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function sum(numbers: readonly number[]): number {
  return Math.min(
    numbers.reduce((a, b) => a + b, 0),
    Number.MAX_SAFE_INTEGER,
  );
}

/** Math.max with a list of arguments throws from some 100,000 on, and a writer may name as many providers. */
function greatest(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b));
}

function sorted(values: readonly string[]): readonly string[] {
  return values.length === 1 ? values : [...new Set(values)].sort();
}
