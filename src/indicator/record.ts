import { createHash } from 'node:crypto';

import type { IndicatorRecord, Observation, RecordKey, Stamp } from './types.ts';

const idBytes = 16;

/** A record's id, the same on every node and for ever: 32 lower-case hex digits of SHA-256 over its key. */
export function recordId({ itype, indicator, provider, group }: RecordKey): string {
  const key = [itype, indicator, provider, group].join('\0');
  return createHash('sha256')
    .update(key)
    .digest('hex')
    .slice(0, idBytes * 2);
}

/** Negative when `a` is older. Equal stamps are the same event. */
export function compareStamps(a: Stamp, b: Stamp): number {
  if (a.hlc !== b.hlc) return a.hlc < b.hlc ? -1 : 1;
  return compareText(a.origin, b.origin);
}

/**
 * The record after one more observation of the same key. Pure, and independent of the order in which a set of observations
 * arrives (design 4): the statement with the newest stamp wins whole, the earliest firsttime and the latest lasttime and
 * reporttime stay, counts add up. Handing in one event twice counts it twice: that is the store's to prevent.
 */
export function mergeObservation(
  record: IndicatorRecord | undefined,
  observation: Observation,
  stamp: Stamp,
): IndicatorRecord {
  const learnt: IndicatorRecord = { ...observation, reporttimeMs: Number(stamp.hlc >> 16n), stamp };
  if (record === undefined) return learnt;
  const newest = compareStatements(learnt, record) > 0 ? learnt : record;
  return {
    ...newest,
    count: Math.min(record.count + learnt.count, Number.MAX_SAFE_INTEGER),
    firsttimeMs: Math.min(record.firsttimeMs, learnt.firsttimeMs),
    lasttimeMs: Math.max(record.lasttimeMs, learnt.lasttimeMs),
    reporttimeMs: Math.max(record.reporttimeMs, learnt.reporttimeMs),
  };
}

/**
 * An honest node gives each stamp to one event. Another may sign two with one stamp; nodes that meet them in different orders
 * must still agree, so the text of the statement breaks the tie.
 */
function compareStatements(a: IndicatorRecord, b: IndicatorRecord): number {
  const byStamp = compareStamps(a.stamp, b.stamp);
  return byStamp === 0 ? compareText(statementText(a), statementText(b)) : byStamp;
}

/** The fields that the newest statement decides, in fixed order. */
function statementText(record: IndicatorRecord): string {
  return JSON.stringify([
    record.tlp,
    record.confidence,
    record.tags,
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
  ]);
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
