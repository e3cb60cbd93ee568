import { recordId } from './record.ts';
import { rfc3339 } from './times.ts';
import type { IndicatorRecord, Itype, Tlp } from './types.ts';

/** A record as every interface shows it: CIF v3's field names, times RFC 3339 in UTC. An absent field is not known. */
export type PublicRecord = {
  readonly indicator: string;
  readonly itype: Itype;
  readonly provider: string;
  readonly group: string;
  readonly tlp: Tlp;
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
  readonly id: string;
};

type Mutable<T> = { -readonly [Field in keyof T]: T[Field] };

/** In the order of JSON fields and of CSV columns. */
export const publicRecordFields = [
  'indicator',
  'itype',
  'provider',
  'group',
  'tlp',
  'confidence',
  'tags',
  'count',
  'firsttime',
  'lasttime',
  'reporttime',
  'expiretime',
  'description',
  'reference',
  'portlist',
  'protocol',
  'rdata',
  'asn',
  'asn_desc',
  'cc',
  'latitude',
  'longitude',
  'sightings',
  'retracted',
  'id',
] as const satisfies readonly (keyof PublicRecord)[];

/** Field by field, `id` last: spread together, each would have a layout of its own (see shape.ts). */
export function presentRecord(record: IndicatorRecord): PublicRecord {
  const shown: Mutable<Omit<PublicRecord, 'id'>> = {
    indicator: record.indicator,
    itype: record.itype,
    provider: record.provider,
    group: record.group,
    tlp: record.tlp,
    confidence: record.confidence,
    tags: record.tags,
    count: record.count,
    firsttime: rfc3339(record.firsttimeMs),
    lasttime: rfc3339(record.lasttimeMs),
    reporttime: rfc3339(record.reporttimeMs),
  };
  if (record.expiretimeMs !== undefined) shown.expiretime = rfc3339(record.expiretimeMs);
  if (record.description !== undefined) shown.description = record.description;
  if (record.reference !== undefined) shown.reference = record.reference;
  if (record.portlist !== undefined) shown.portlist = record.portlist;
  if (record.protocol !== undefined) shown.protocol = record.protocol;
  if (record.rdata !== undefined) shown.rdata = record.rdata;
  if (record.asn !== undefined) shown.asn = record.asn;
  if (record.asnDesc !== undefined) shown.asn_desc = record.asnDesc;
  if (record.cc !== undefined) shown.cc = record.cc;
  if (record.latitude !== undefined) shown.latitude = record.latitude;
  if (record.longitude !== undefined) shown.longitude = record.longitude;
  if (record.sightings !== undefined) {
    const { count, lasttimeMs } = record.sightings;
    shown.sightings = { count, lasttime: rfc3339(lasttimeMs) };
  }
  if (record.retracted !== undefined) {
    const { hlc, reason } = record.retracted;
    shown.retracted = { time: rfc3339(Number(hlc >> 16n)), reason };
  }
  return Object.assign(shown, { id: recordId(record) });
}
