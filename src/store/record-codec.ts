import type { IndicatorRecord, Itype, Tlp } from '../indicator/types.ts';

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
  ];
  while (row.at(-1) === undefined) row.pop();
  return JSON.stringify(row);
}

type Maybe<T> = T | null | undefined;

/** Reads what encodeRecord wrote; throws on anything else. */
export function decodeRecord(text: string): IndicatorRecord {
  const [
    itype,
    indicator,
    provider,
    group,
    tlp,
    confidence,
    tags,
    count,
    first,
    last,
    report,
    hlc,
    origin,
    ...rest
  ] = JSON.parse(text) as [
    Itype,
    string,
    string,
    string,
    Tlp,
    number,
    string[],
    number,
    number,
    number,
    number,
    string,
    string,
  ];
  const [expire, description, reference, portlist, protocol, rdata, asn, asnDesc, cc, latitude, longitude] =
    rest as unknown as [
      Maybe<number>,
      Maybe<string>,
      Maybe<string>,
      Maybe<string>,
      Maybe<string>,
      Maybe<string>,
      Maybe<number>,
      Maybe<string>,
      Maybe<string>,
      Maybe<number>,
      Maybe<number>,
    ];
  return {
    itype,
    indicator,
    provider,
    group,
    tlp,
    confidence,
    tags,
    count,
    firsttimeMs: first,
    lasttimeMs: last,
    reporttimeMs: report,
    stamp: { hlc: BigInt(hlc), origin },
    ...(isStated(expire) && { expiretimeMs: expire }),
    ...(isStated(description) && { description }),
    ...(isStated(reference) && { reference }),
    ...(isStated(portlist) && { portlist }),
    ...(isStated(protocol) && { protocol }),
    ...(isStated(rdata) && { rdata }),
    ...(isStated(asn) && { asn }),
    ...(isStated(asnDesc) && { asnDesc }),
    ...(isStated(cc) && { cc }),
    ...(isStated(latitude) && { latitude }),
    ...(isStated(longitude) && { longitude }),
  };
}

function isStated<T>(value: Maybe<T>): value is T {
  return value !== null && value !== undefined;
}
