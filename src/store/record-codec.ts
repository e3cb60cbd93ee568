import { shapeRecord } from '../indicator/shape.ts';
import type { IndicatorRecord, Itype, Tlp } from '../indicator/types.ts';

type Maybe<T> = T | null | undefined;

/** The fields by position. */
type Row = readonly [
  itype: Itype,
  indicator: string,
  provider: string,
  group: string,
  tlp: Tlp,
  confidence: number,
  tags: readonly string[],
  count: number,
  firsttimeMs: number,
  lasttimeMs: number,
  reporttimeMs: number,
  hlc: string,
  origin: string,
  expiretimeMs: Maybe<number>,
  description: Maybe<string>,
  reference: Maybe<string>,
  portlist: Maybe<string>,
  protocol: Maybe<string>,
  rdata: Maybe<string>,
  asn: Maybe<number>,
  asnDesc: Maybe<string>,
  cc: Maybe<string>,
  latitude: Maybe<number>,
  longitude: Maybe<number>,
  sightings: Maybe<readonly [count: number, lasttimeMs: number]>,
  retracted: Maybe<readonly [hlc: string, origin: string, reason: string]>,
];

const hlcAt = 11;
const sightingsAt = 24;
const retractedAt = 25;
/** Those that every record has, and those that it may have. */
const statedFields = 13;
const allFields = 26;

/**
 * A record as it is stored: a JSON list by position, then trailing nulls cut off. Equal records give equal text on every node,
 * which is what the digest compares. The order is the format: only ever add at the end.
 */
export function encodeRecord(record: IndicatorRecord): string {
  const row: unknown[] = [
    record.itype,
    record.indicator,
    record.provider,
    record.group,
    record.tlp,
    record.confidence,
    record.tags,
    record.count,
    record.firsttimeMs,
    record.lasttimeMs,
    record.reporttimeMs,
    record.stamp.hlc.toString(),
    record.stamp.origin,
    record.expiretimeMs,
    record.description,
    record.reference,
    record.portlist,
    record.protocol,
    record.rdata,
    record.asn,
    record.asnDesc,
    record.cc,
    record.latitude,
    record.longitude,
    record.sightings && [record.sightings.count, record.sightings.lasttimeMs],
    record.retracted && [record.retracted.hlc.toString(), record.retracted.origin, record.retracted.reason],
  ];
  while (row.at(-1) === undefined) row.pop();
  return JSON.stringify(row);
}

/** Reads what encodeRecord wrote; throws on anything else. */
export function decodeRecord(text: string): IndicatorRecord {
  return recordOf(JSON.parse(text) as Row);
}

/*
 * Texts of records as JSON.stringify writes them, so far as that is plain to see: no escape within a string, no number of
 * which it is not certain. For all others JSON.stringify has to be asked, which takes six times as long.
 */
const string = '"[^"\\\\\\u0000-\\u001f\\ud800-\\udfff]*"';
const number = '(?:-?[1-9]\\d{0,14}|0|-?(?:0|[1-9]\\d{0,2})\\.\\d{0,5}[1-9])';
const list = `\\[(?:${string}(?:,${string})*)?\\]`;
const field = `(?:${string}|${number}|${list}|null)`;
const plainText = new RegExp(`^\\[${field}(?:,${field})*\\]$`);

/**
 * Reads a stranger's text, which must be letter by letter what encodeRecord writes; else undefined, or it throws. The values
 * are still to be checked.
 */
export function decodeStrangeRecord(text: string): IndicatorRecord | undefined {
  const row = JSON.parse(text) as readonly unknown[];
  const isRow =
    Array.isArray(row) &&
    row.length >= statedFields &&
    row.length <= allFields &&
    row.at(-1) !== null &&
    isHlcText(row[hlcAt]) &&
    isAbsentOr(row[sightingsAt], 2) &&
    isAbsentOr(row[retractedAt], 3) &&
    isHlcText((row[retractedAt] as Row[typeof retractedAt])?.[0] ?? '0') &&
    // As encodeRecord would write it.
    (plainText.test(text) || JSON.stringify(row) === text);
  return isRow ? recordOf(row as unknown as Row) : undefined;
}

function isHlcText(value: unknown): boolean {
  return typeof value === 'string' && /^(?:0|[1-9]\d{0,19})$/.test(value);
}

function isAbsentOr(value: unknown, length: number): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === length);
}

function recordOf(row: Row): IndicatorRecord {
  const statement = {
    itype: row[0],
    indicator: row[1],
    provider: row[2],
    group: row[3],
    tlp: row[4],
    confidence: row[5],
    tags: row[6],
    count: row[7],
    firsttimeMs: row[8],
    lasttimeMs: row[9],
    expiretimeMs: row[13] ?? undefined,
    description: row[14] ?? undefined,
    reference: row[15] ?? undefined,
    portlist: row[16] ?? undefined,
    protocol: row[17] ?? undefined,
    rdata: row[18] ?? undefined,
    asn: row[19] ?? undefined,
    asnDesc: row[20] ?? undefined,
    cc: row[21] ?? undefined,
    latitude: row[22] ?? undefined,
    longitude: row[23] ?? undefined,
  };
  return shapeRecord(statement, {
    count: row[7],
    firsttimeMs: row[8],
    lasttimeMs: row[9],
    reporttimeMs: row[10],
    stamp: { hlc: BigInt(row[11]), origin: row[12] },
    sightings: row[24] ? { count: row[24][0], lasttimeMs: row[24][1] } : undefined,
    retracted: row[25] ? { hlc: BigInt(row[25][0]), origin: row[25][1], reason: row[25][2] } : undefined,
  });
}
