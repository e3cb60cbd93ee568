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
  readonly id: string;
};

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
  'id',
] as const satisfies readonly (keyof PublicRecord)[];

export function presentRecord(record: IndicatorRecord): PublicRecord {
  return {
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
    ...(record.expiretimeMs !== undefined && { expiretime: rfc3339(record.expiretimeMs) }),
    ...(record.description !== undefined && { description: record.description }),
    ...(record.reference !== undefined && { reference: record.reference }),
    ...(record.portlist !== undefined && { portlist: record.portlist }),
    ...(record.protocol !== undefined && { protocol: record.protocol }),
    ...(record.rdata !== undefined && { rdata: record.rdata }),
    ...(record.asn !== undefined && { asn: record.asn }),
    ...(record.asnDesc !== undefined && { asn_desc: record.asnDesc }),
    ...(record.cc !== undefined && { cc: record.cc }),
    ...(record.latitude !== undefined && { latitude: record.latitude }),
    ...(record.longitude !== undefined && { longitude: record.longitude }),
    id: recordId(record),
  };
}
