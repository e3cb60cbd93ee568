import { canonicalise } from '../indicator/canonical.ts';
import { indicatorLimits, observationLimits as limits } from '../indicator/limits.ts';
import { type ObservationFields, shapeObservation } from '../indicator/shape.ts';
import { itypes, type Observation, type RecordKey, tlps } from '../indicator/types.ts';

/** One value when all rows agree, else one for each row. */
export type Column = readonly unknown[];

type Field = {
  readonly read: (of: Observation) => unknown;
  /** Whether a stranger's value is one; null is an absent field. */
  readonly allows: (value: unknown) => boolean;
};

/** The order is the format: only ever add at the end. */
const fields: readonly Field[] = [
  { read: (of) => of.indicator, allows: isText(indicatorLimits.urlCharactersMax) },
  { read: (of) => of.itype, allows: isOneOf(itypes) },
  { read: (of) => of.provider, allows: isName },
  { read: (of) => of.group, allows: isName },
  { read: (of) => of.tlp, allows: isOneOf(tlps) },
  { read: (of) => of.confidence, allows: isNumber(0, limits.confidenceMax) },
  { read: (of) => of.tags, allows: isTags },
  { read: (of) => of.count, allows: isWhole(1, limits.countMax) },
  { read: (of) => of.firsttimeMs, allows: isTime },
  { read: (of) => of.lasttimeMs, allows: isTime },
  { read: (of) => of.expiretimeMs, allows: isAbsentOr(isTime) },
  { read: (of) => of.description, allows: isAbsentOr(isText(limits.descriptionCharactersMax)) },
  { read: (of) => of.reference, allows: isAbsentOr(isText(limits.referenceCharactersMax)) },
  { read: (of) => of.portlist, allows: isAbsentOr(isText(limits.portItemsMax * 12)) },
  { read: (of) => of.protocol, allows: isAbsentOr(isText(limits.protocolCharactersMax)) },
  { read: (of) => of.rdata, allows: isAbsentOr(isText(limits.rdataCharactersMax)) },
  { read: (of) => of.asn, allows: isAbsentOr(isWhole(1, indicatorLimits.asnMax)) },
  { read: (of) => of.asnDesc, allows: isAbsentOr(isText(limits.asnDescCharactersMax)) },
  { read: (of) => of.cc, allows: isAbsentOr(isCountry) },
  { read: (of) => of.latitude, allows: isAbsentOr(isNumber(-90, 90)) },
  { read: (of) => of.longitude, allows: isAbsentOr(isNumber(-180, 180)) },
];

export function writeColumns(entries: readonly { readonly body: Observation }[]): readonly Column[] {
  return fields.map(({ read }) => writeColumn(entries, read));
}

function writeColumn(entries: readonly { readonly body: Observation }[], read: Field['read']): Column {
  let first: unknown;
  for (const [i, { body }] of entries.entries()) {
    const value = read(body) ?? null;
    if (i === 0) first = value;
    else if (!isSame(value, first)) return entries.map((entry) => read(entry.body) ?? null);
  }
  return [first];
}

function isSame(a: unknown, b: unknown): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return a === b;
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

/** Undefined when a column is missing or has another number of rows. More columns than we know are a later release's. */
export function readColumns(columns: readonly Column[], rows: number): readonly Observation[] | undefined {
  if (columns.length < fields.length || !fields.every((_, i) => isColumn(columns[i], rows))) return undefined;
  return Array.from({ length: rows }, (_, row) => readRow(columns, row));
}

/**
 * A peer is inside the trust domain, but may be of another release or out of its mind: the shape, every cap, the canonical
 * form. Columns first: a value that stands for all rows is checked once.
 */
export function areObservations(columns: readonly Column[], rows: readonly Observation[]): boolean {
  return fields.every(({ allows }, i) => columns[i]?.every(allows)) && rows.every(isConsistent);
}

/** The same for one that did not come in columns. */
export function isObservation(observation: Observation): boolean {
  return fields.every(({ read, allows }) => allows(read(observation) ?? null)) && isConsistent(observation);
}

function isConsistent(observation: Observation): boolean {
  return observation.firsttimeMs <= observation.lasttimeMs && isCanonical(observation);
}

function isCanonical({ indicator, itype }: Pick<Observation, 'indicator' | 'itype'>): boolean {
  const canonical = canonicalise(indicator, itype);
  return canonical.ok && canonical.value.indicator === indicator && canonical.value.itype === itype;
}

/** The key of a statement that is no observation. */
export function isRecordKey(key: RecordKey): boolean {
  return (
    isText(indicatorLimits.urlCharactersMax)(key.indicator) &&
    isOneOf(itypes)(key.itype) &&
    isName(key.provider) &&
    isName(key.group) &&
    isCanonical(key)
  );
}

function readRow(columns: readonly Column[], row: number): Observation {
  const at = (position: number) => valueAt(columns[position] ?? [], row) ?? undefined;
  // Checked by areObservations, or written by ourselves.
  return shapeObservation({
    indicator: at(0),
    itype: at(1),
    provider: at(2),
    group: at(3),
    tlp: at(4),
    confidence: at(5),
    tags: at(6),
    count: at(7),
    firsttimeMs: at(8),
    lasttimeMs: at(9),
    expiretimeMs: at(10),
    description: at(11),
    reference: at(12),
    portlist: at(13),
    protocol: at(14),
    rdata: at(15),
    asn: at(16),
    asnDesc: at(17),
    cc: at(18),
    latitude: at(19),
    longitude: at(20),
  } as ObservationFields);
}

export function valueAt(column: Column, row: number): unknown {
  return column.length === 1 ? column[0] : column[row];
}

export function isColumn(value: unknown, rows: number): value is Column {
  return Array.isArray(value) && (value.length === 1 || value.length === rows);
}

export function isText(charactersMax: number): (value: unknown) => value is string {
  return (value): value is string =>
    typeof value === 'string' && value.length > 0 && value.length <= charactersMax;
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && /^[A-Za-z0-9._@:-]{1,64}$/.test(value);
}

function isCountry(value: unknown): boolean {
  return typeof value === 'string' && /^[A-Z]{2}$/.test(value);
}

const isTag = isText(limits.tagCharactersMax);

function isTags(value: unknown): boolean {
  if (!Array.isArray(value) || value.length > limits.tagsMax) return false;
  return value.every((tag: unknown, i) => isTag(tag) && (i === 0 || value[i - 1] < tag));
}

function isNumber(min: number, max: number): (value: unknown) => value is number {
  return (value): value is number => typeof value === 'number' && value >= min && value <= max;
}

export function isWhole(min: number, max: number): (value: unknown) => value is number {
  return (value): value is number =>
    Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
}

/** What a Date can hold, from 1970 on. */
export function isTime(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 8_640_000_000_000_000;
}

function isOneOf(allowed: readonly string[]): (value: unknown) => boolean {
  return (value) => (allowed as readonly unknown[]).includes(value);
}

function isAbsentOr(allows: (value: unknown) => boolean): (value: unknown) => boolean {
  return (value) => value === null || value === undefined || allows(value);
}
