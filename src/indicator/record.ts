import { hash } from 'node:crypto';

import { shapeRecord } from './shape.ts';
import type { IndicatorRecord, Observation, RecordKey, Stamp } from './types.ts';

const idBytes = 16;

/** A record's id, the same on every node and for ever: 32 lower-case hex digits of SHA-256 over its key. */
export function recordId({ itype, indicator, provider, group }: RecordKey): string {
  const key = [itype, indicator, provider, group].join('\0');
  return hash('sha256', key, 'hex').slice(0, idBytes * 2);
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
  const reporttimeMs = Number(stamp.hlc >> 16n);
  if (record === undefined) {
    const { count, firsttimeMs, lasttimeMs } = observation;
    return shapeRecord(observation, { count, firsttimeMs, lasttimeMs, reporttimeMs, stamp });
  }
  const isNewer = compareStatements(observation, stamp, record) > 0;
  return shapeRecord(isNewer ? observation : record, {
    count: Math.min(record.count + observation.count, Number.MAX_SAFE_INTEGER),
    firsttimeMs: Math.min(record.firsttimeMs, observation.firsttimeMs),
    lasttimeMs: Math.max(record.lasttimeMs, observation.lasttimeMs),
    reporttimeMs: Math.max(record.reporttimeMs, reporttimeMs),
    stamp: isNewer ? stamp : record.stamp,
  });
}

/**
 * What two nodes' records of one key say together, when their events can no longer be told apart: the newest statement whole,
 * the earliest firsttime, the latest lasttime and reporttime, and the greater count, as the events of both may be the same.
 * Commutative, associative and idempotent.
 */
export function mergeRecords(a: IndicatorRecord, b: IndicatorRecord): IndicatorRecord {
  const newest = compareStatements(b, b.stamp, a) > 0 ? b : a;
  return shapeRecord(newest, {
    count: Math.max(a.count, b.count),
    firsttimeMs: Math.min(a.firsttimeMs, b.firsttimeMs),
    lasttimeMs: Math.max(a.lasttimeMs, b.lasttimeMs),
    reporttimeMs: Math.max(a.reporttimeMs, b.reporttimeMs),
    stamp: newest.stamp,
  });
}

/** What `record` says beyond `known`, as an observation to be said anew; nothing when it says no more. */
export function saysMore(
  record: IndicatorRecord,
  known: IndicatorRecord | undefined,
): readonly Observation[] {
  if (known === undefined) return [observationOf(record)];
  const both = mergeRecords(known, record);
  const isMore =
    both.count > known.count ||
    both.firsttimeMs < known.firsttimeMs ||
    both.lasttimeMs > known.lasttimeMs ||
    statementText(both) !== statementText(known);
  // Counts add up when it is applied; one is the least that an observation counts.
  return isMore ? [{ ...observationOf(both), count: Math.max(1, both.count - known.count) }] : [];
}

function observationOf({ reporttimeMs: _, stamp: __, ...observation }: IndicatorRecord): Observation {
  return observation;
}

/**
 * An honest node gives each stamp to one event. Another may sign two with one stamp; nodes that meet them in different orders
 * must still agree, so the text of the statement breaks the tie.
 */
function compareStatements(learnt: Observation, stamp: Stamp, record: IndicatorRecord): number {
  const byStamp = compareStamps(stamp, record.stamp);
  return byStamp === 0 ? compareText(statementText(learnt), statementText(record)) : byStamp;
}

/** The fields that the newest statement decides, in fixed order. */
function statementText(record: Observation): string {
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
