import type { Parsed } from '../parsed.ts';
import { accept, refuse } from '../parsed.ts';
import type { CanonicalCode } from './canonical.ts';
import { canonicalise } from './canonical.ts';
import type { FieldCode } from './fields.ts';
import {
  readAsn,
  readCountry,
  readInteger,
  readItype,
  readName,
  readNumber,
  readPortlist,
  readProtocol,
  readTags,
  readText,
  readTlp,
} from './fields.ts';
import { observationLimits as limits } from './limits.ts';
import { quote } from './quote.ts';
import { type ObservationFields, shapeObservation } from './shape.ts';
import { parseTime } from './times.ts';
import type { Itype, Observation, Tlp } from './types.ts';

/** What a row that does not say means. Checked like a row: it may come from a stranger's query string. */
export type ObservationDefaults = {
  readonly provider: string;
  readonly group: string;
  readonly tlp: Tlp;
  readonly confidence: number;
  readonly tags: readonly string[];
  /** Verified, not believed: a row of another kind is refused. */
  readonly itype?: Itype;
};

export const standardDefaults = {
  group: 'everyone',
  tlp: 'amber',
  confidence: 5,
  tags: [],
} as const satisfies Omit<ObservationDefaults, 'provider'>;

export type RefusalCode =
  | CanonicalCode
  | FieldCode
  | 'not-a-row'
  | 'no-indicator'
  | 'unknown-field'
  | 'bad-time'
  | 'time-order';

/** What defaults and row state, before the indicator is canonical. */
type Stated = { -readonly [Field in keyof ObservationFields]: Observation[Field] | undefined };

type ReadField = (value: unknown, stated: Stated, nowMs: number) => Parsed<unknown, RefusalCode>;

/** CIF v3's field names. */
const fieldReaders: ReadonlyMap<string, ReadField> = new Map([
  ['indicator', field('indicator', readIndicator)],
  ['itype', field('itype', readItype)],
  ['provider', field('provider', readName)],
  ['group', field('group', readName)],
  ['tlp', field('tlp', readTlp)],
  ['tags', field('tags', readTags)],
  ['confidence', field('confidence', (value) => readNumber(value, 0, limits.confidenceMax))],
  ['count', field('count', (value) => readInteger(value, 1, limits.countMax))],
  ['firsttime', field('firsttimeMs', (value, nowMs) => readTime(value, nowMs, limits.aheadMsMax))],
  ['lasttime', field('lasttimeMs', (value, nowMs) => readTime(value, nowMs, limits.aheadMsMax))],
  ['expiretime', field('expiretimeMs', (value, nowMs) => readTime(value, nowMs, limits.expireAheadMsMax))],
  ['description', field('description', (value) => readText(value, limits.descriptionCharactersMax))],
  ['reference', field('reference', (value) => readText(value, limits.referenceCharactersMax))],
  ['portlist', field('portlist', readPortlist)],
  ['protocol', field('protocol', readProtocol)],
  ['rdata', field('rdata', (value) => readText(value, limits.rdataCharactersMax))],
  ['asn', field('asn', readAsn)],
  ['asn_desc', field('asnDesc', (value) => readText(value, limits.asnDescCharactersMax))],
  ['cc', field('cc', readCountry)],
  ['latitude', field('latitude', (value) => readNumber(value, -90, 90))],
  ['longitude', field('longitude', (value) => readNumber(value, -180, 180))],
]);

/** Every field that a row may have. */
export const observationFields: readonly string[] = [...fieldReaders.keys()];

/**
 * Makes an observation of a stranger's row: an indicator as text, or an object with CIF v3's field names. Numbers may be
 * text, as CSV has them. An empty text or null means that the field was not stated. Never throws; a refusal names the field
 * and what is allowed there.
 *
 * A port behind the indicator (`198.51.100.7:443`) is the portlist, unless the row states one.
 *
 * Times: both missing, it was seen now. One missing, the other stands for it: a source that says when it first saw something
 * has not said that it still sees it. A lasttime that is a day alone is not before a firsttime on that day.
 */
export function parseObservation(
  row: unknown,
  defaults: ObservationDefaults,
  nowMs: number,
): Parsed<Observation, RefusalCode> {
  const fields = typeof row === 'string' ? { indicator: row } : row;
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
    return refuse(
      'not-a-row',
      'the row is neither text nor an object; allowed is an indicator, or an object with fields',
    );
  }
  const read = readFields(fields, defaults, nowMs);
  if (!read.ok) return read;
  const stated = read.value;
  if (stated.indicator === undefined) {
    return refuse(
      'no-indicator',
      'indicator: it is missing; allowed is text such as 192.0.2.1 or example.com',
    );
  }
  const canonical = canonicalise(stated.indicator, stated.itype);
  if (!canonical.ok) return canonical;

  const statedLastMs = stated.lasttimeMs ?? stated.firsttimeMs ?? nowMs;
  const firsttimeMs = stated.firsttimeMs ?? statedLastMs;
  const lasttimeMs = endsThatDay(fields, firsttimeMs, statedLastMs) ? firsttimeMs : statedLastMs;
  if (firsttimeMs > lasttimeMs) {
    const [first, last] = [firsttimeMs, lasttimeMs].map((timeMs) => new Date(timeMs).toISOString());
    return refuse(
      'time-order',
      `firsttime: ${first} is later than lasttime ${last}; allowed is first before last`,
    );
  }
  stated.indicator = canonical.value.indicator;
  stated.itype = canonical.value.itype;
  stated.portlist ??= canonical.value.port;
  stated.count ??= 1;
  stated.firsttimeMs = firsttimeMs;
  stated.lasttimeMs = lasttimeMs;
  // The defaults have stated the rest of what must be there.
  return accept(shapeObservation(stated as ObservationFields));
}

const dayMs = 24 * 60 * 60 * 1_000;

/** Whether lasttime is a day alone, and firsttime a moment of that day. */
function endsThatDay(row: object, firsttimeMs: number, lasttimeMs: number): boolean {
  if (firsttimeMs <= lasttimeMs || firsttimeMs - lasttimeMs >= dayMs) return false;
  const written: unknown = 'lasttime' in row ? row.lasttime : undefined;
  return typeof written === 'string' && /^\s*\d{4}-\d{2}-\d{2}\s*$/.test(written);
}

function readFields(row: object, defaults: ObservationDefaults, nowMs: number): Parsed<Stated, RefusalCode> {
  const stated = nothingStated();
  for (const fields of [defaults, row] as readonly Readonly<Record<string, unknown>>[]) {
    for (const name of Object.keys(fields)) {
      const value = fields[name];
      const read = fieldReaders.get(name);
      if (read === undefined) {
        return refuse(
          'unknown-field',
          `${quote(name)} is no field; allowed are ${[...fieldReaders.keys()].join(', ')}`,
        );
      }
      if (fields === row ? isUnstated(value) : value === undefined) continue;
      const parsed = read(value, stated, nowMs);
      if (!parsed.ok) return refuse(parsed.code, `${name}: ${parsed.reason}`);
    }
  }
  return accept(stated);
}

/** All fields by name from the start: adding them in a row's order would make a hash table of it (see shapeObservation). */
function nothingStated(): Stated {
  return {
    indicator: undefined,
    itype: undefined,
    provider: undefined,
    group: undefined,
    tlp: undefined,
    confidence: undefined,
    tags: undefined,
    count: undefined,
    firsttimeMs: undefined,
    lasttimeMs: undefined,
    expiretimeMs: undefined,
    description: undefined,
    reference: undefined,
    portlist: undefined,
    protocol: undefined,
    rdata: undefined,
    asn: undefined,
    asnDesc: undefined,
    cc: undefined,
    latitude: undefined,
    longitude: undefined,
  };
}

const defaultNames = ['provider', 'group', 'tlp', 'tags', 'confidence', 'itype'];

/**
 * Defaults out of a stranger's texts, such as a query string. What is not stated is the standard default, and the provider
 * is `provider`. The refusal's reason names the field.
 */
export function parseDefaults(
  texts: Readonly<Record<string, string>>,
  provider: string,
): Parsed<ObservationDefaults, RefusalCode> {
  const stated = { ...nothingStated(), ...standardDefaults, provider } as Stated & ObservationDefaults;
  for (const [name, text] of Object.entries(texts)) {
    const read = defaultNames.includes(name) ? fieldReaders.get(name) : undefined;
    if (read === undefined) {
      return refuse(
        'unknown-field',
        `${quote(name)} is no parameter; allowed are ${defaultNames.join(', ')}, ack`,
      );
    }
    const parsed = read(text, stated, 0);
    if (!parsed.ok) return refuse(parsed.code, `${name}: ${parsed.reason}`);
  }
  const { group, tlp, confidence, tags, itype } = stated;
  return accept({
    group,
    tlp,
    confidence,
    tags,
    provider: stated.provider,
    ...(itype !== undefined && { itype }),
  });
}

function field<Field extends keyof Stated>(
  name: Field,
  read: (value: unknown, nowMs: number) => Parsed<Stated[Field], RefusalCode>,
): ReadField {
  return (value, stated, nowMs) => {
    const parsed = read(value, nowMs);
    if (parsed.ok) stated[name] = parsed.value;
    return parsed;
  };
}

function readIndicator(value: unknown): Parsed<string, RefusalCode> {
  return typeof value === 'string'
    ? accept(value)
    : refuse('wrong-type', 'the value is no text; allowed is text');
}

function readTime(value: unknown, nowMs: number, aheadMsMax: number): Parsed<number, RefusalCode> {
  if (typeof value === 'string' || typeof value === 'number') return parseTime(value, nowMs, aheadMsMax);
  return refuse(
    'wrong-type',
    'the value is neither text nor a number; allowed are RFC 3339 times and epoch seconds',
  );
}

function isUnstated(value: unknown): boolean {
  return value === null || value === undefined || (typeof value === 'string' && value.trim() === '');
}
