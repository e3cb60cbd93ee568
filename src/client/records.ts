import { strangeAnswer } from './errors.ts';
import { countOf, type JsonObject, objectOf, textOf } from './values.ts';

/**
 * What one provider states about one indicator, as every interface shows it: CIF's names, times RFC 3339 in UTC. An absent field is
 * not known. A node of a later release may add kinds, labels and fields.
 */
export type IndicatorRecord = {
  /** Stable on every node: of the indicator, its kind, the provider and the group. */
  readonly id: string;
  readonly indicator: string;
  /** `ipv4`, `ipv6`, `fqdn`, `url`, `email`, `md5`, `sha1`, `sha256`, `sha512`, `ssdeep`, `asn`, `ja3`, `btc`. */
  readonly itype: string;
  readonly provider: string;
  readonly group: string;
  /** `clear`, `green`, `amber`, `amber+strict`, `red`. */
  readonly tlp: string;
  /** 0 to 10; 8 is safe to block. */
  readonly confidence: number;
  readonly tags: readonly string[];
  readonly count: number;
  readonly firsttime: string;
  readonly lasttime: string;
  readonly reporttime: string;
  readonly expiretime?: string;
  readonly description?: string;
  readonly reference?: string;
  readonly portlist?: string;
  readonly protocol?: string;
  readonly rdata?: string;
  readonly asn?: number;
  readonly asn_desc?: string;
  readonly cc?: string;
  readonly latitude?: number;
  readonly longitude?: number;
  readonly sightings?: { readonly count: number; readonly lasttime: string };
  readonly retracted?: { readonly time: string; readonly reason: string };
  /** Why it answers a search: `exact`, `covers`, `subdomain` and so on (docs/queries.md). */
  readonly match?: string;
};

/** One indicator of a feed: what all its providers say, in one row. */
export type FeedRow = {
  readonly indicator: string;
  readonly itype: string;
  readonly providers: readonly string[];
  readonly tlp: string;
  readonly confidence: number;
  readonly tags: readonly string[];
  readonly count: number;
  readonly firsttime: string;
  readonly lasttime: string;
  readonly reporttime: string;
  readonly sightings?: number;
  readonly portlist?: string;
  readonly protocol?: string;
  readonly description?: string;
  readonly reference?: string;
  readonly context?: readonly string[];
};

/** One page of an answer, as the node gave it. */
export type Page<Row> = {
  readonly meta: {
    readonly mode?: string;
    readonly count?: number;
    /** Give it back as `cursor` for the page that follows; absent at the end. */
    readonly next?: string;
    readonly [name: string]: unknown;
  };
  readonly data: readonly Row[];
};

type Shape = Readonly<Record<string, (value: unknown) => boolean>>;

const isText = (value: unknown): boolean => typeof value === 'string';
const isNumber = (value: unknown): boolean => typeof value === 'number';
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);

const common = {
  indicator: isText,
  itype: isText,
  tlp: isText,
  confidence: isNumber,
  tags: isTexts,
  count: isNumber,
  firsttime: isText,
  lasttime: isText,
  reporttime: isText,
} as const satisfies Shape;

const recordNeeds = { id: isText, provider: isText, group: isText, ...common } as const satisfies Shape;
const recordMayHave = {
  expiretime: isText,
  description: isText,
  reference: isText,
  portlist: isText,
  protocol: isText,
  rdata: isText,
  asn: isNumber,
  asn_desc: isText,
  cc: isText,
  latitude: isNumber,
  longitude: isNumber,
  match: isText,
  sightings: (value) => {
    const { count, lasttime } = objectOf(value) ?? {};
    return isNumber(count) && isText(lasttime);
  },
  retracted: (value) => {
    const { time, reason } = objectOf(value) ?? {};
    return isText(time) && isText(reason);
  },
} as const satisfies Shape;
const rowNeeds = { providers: isTexts, ...common } as const satisfies Shape;
const rowMayHave = {
  sightings: isNumber,
  portlist: isText,
  protocol: isText,
  description: isText,
  reference: isText,
  context: isTexts,
} as const satisfies Shape;

/** The same object, when it is a record; undefined otherwise. */
export const readRecord = reader<IndicatorRecord>(recordNeeds, recordMayHave);
/** The same object, when it is a row of a feed; undefined otherwise. */
export const readFeedRow = reader<FeedRow>(rowNeeds, rowMayHave);

function reader<T>(needs: Shape, mayHave: Shape): (value: unknown) => T | undefined {
  const needed = Object.entries(needs);
  const optional = Object.entries(mayHave);
  return (value) => {
    const object = objectOf(value);
    if (object === undefined) return undefined;
    for (const [name, fits] of needed) if (!fits(object[name])) return undefined;
    for (const [name, fits] of optional) {
      if (object[name] !== undefined && !fits(object[name])) return undefined;
    }
    return object as T;
  };
}

/** An answer as a page of rows. Throws ClientError `strange`. */
export function readPage<Row>(
  answer: JsonObject,
  readRow: (value: unknown) => Row | undefined,
  url: string,
): Page<Row> {
  const { data } = answer;
  const meta = objectOf(answer['meta']) ?? {};
  if (!Array.isArray(data) || !data.every((row) => readRow(row) !== undefined)) {
    throw strangeAnswer(url, 'answered without records');
  }
  const next = textOf(meta['next']);
  if (meta['next'] !== undefined && next === undefined)
    throw strangeAnswer(url, 'answered with a strange next page');
  // What else is in it is shown as it came.
  return { ...answer, meta, data } as Page<Row>;
}

/** What became of one value of several. */
export type ValueAnswer = {
  /** From 1, in the order in which they were asked about. */
  readonly row: number;
  readonly value?: string;
  /** Its canonical form. */
  readonly indicator?: string;
  readonly itype?: string;
  /** What is stated about it; empty when nothing is known. */
  readonly records: readonly IndicatorRecord[];
  /** There are further records: search for it alone. */
  readonly more?: true;
  /** Why it is no indicator. */
  readonly refused?: { readonly code: string; readonly reason: string };
};

/** `offset` is the number of values that were asked about before this request. */
export function readValueAnswer(value: unknown, offset: number, url: string): ValueAnswer {
  const object = objectOf(value);
  const records = object?.['records'] ?? [];
  const refused = objectOf(object?.['refused']);
  if (
    object === undefined ||
    !Array.isArray(records) ||
    !records.every((one) => readRecord(one) !== undefined)
  ) {
    throw strangeAnswer(url, 'answered without records');
  }
  const row = countOf(object['row']) + offset;
  return {
    ...object,
    row,
    records,
    ...(refused && {
      refused: { code: textOf(refused['code']) ?? '', reason: textOf(refused['reason']) ?? '' },
    }),
  } as ValueAnswer;
}
