import { hash } from 'node:crypto';

import { shapeRecord } from './shape.ts';
import type {
  IndicatorRecord,
  Observation,
  RecordKey,
  Retracted,
  Retraction,
  Sighting,
  Sightings,
  Stamp,
  Statement,
} from './types.ts';

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

/** The record after one more event about its key. Pure, and independent of the order in which a set of events arrives. */
export function mergeStatement(
  record: IndicatorRecord | undefined,
  statement: Statement,
  stamp: Stamp,
): IndicatorRecord {
  switch (statement.kind) {
    case 'observe':
      return mergeObservation(record, statement.body, stamp);
    case 'retract':
      return mergeRetraction(record, statement.body, stamp);
    case 'sight':
      return mergeSighting(record, statement.body, stamp);
    default:
      return statement satisfies never;
  }
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
  const newest = isNewer ? stamp : record.stamp;
  const isFirst = record.count === 0;
  return shapeRecord(isNewer ? observation : record, {
    count: Math.min(record.count + observation.count, Number.MAX_SAFE_INTEGER),
    firsttimeMs: isFirst ? observation.firsttimeMs : Math.min(record.firsttimeMs, observation.firsttimeMs),
    lasttimeMs: isFirst ? observation.lasttimeMs : Math.max(record.lasttimeMs, observation.lasttimeMs),
    reporttimeMs: Math.max(record.reporttimeMs, reporttimeMs),
    stamp: newest,
    sightings: record.sightings,
    retracted: inForce(record.retracted, newest),
  });
}

/** A retraction holds until a later observation of the same key; one that is older than the statement changes nothing. */
export function mergeRetraction(
  record: IndicatorRecord | undefined,
  { reason, ...key }: Retraction,
  { hlc, origin }: Stamp,
): IndicatorRecord {
  const retracted = { hlc, origin, reason };
  const known = record ?? unobserved(key);
  const newest = known.retracted === undefined ? retracted : newerRetraction(known.retracted, retracted);
  return withEvents(known, hlc, known.sightings, newest);
}

/** Sightings add up; the newest one's time stays. */
export function mergeSighting(
  record: IndicatorRecord | undefined,
  { count, timeMs, ...key }: Sighting,
  { hlc }: Stamp,
): IndicatorRecord {
  const known = record ?? unobserved(key);
  const sightings = {
    count: Math.min((known.sightings?.count ?? 0) + count, Number.MAX_SAFE_INTEGER),
    lasttimeMs: Math.max(known.sightings?.lasttimeMs ?? 0, timeMs),
  };
  return withEvents(known, hlc, sightings, known.retracted);
}

/** Whether somebody stated something about it which holds: not only that it was seen, or is taken back. */
export function isStated({ count, retracted }: IndicatorRecord): boolean {
  return count > 0 && retracted === undefined;
}

/** Whether there is nothing to show: what it takes back has not come, or never will. */
export function isTombstone({ count, sightings }: IndicatorRecord): boolean {
  return count === 0 && sightings === undefined;
}

/** Before every observation. */
const never: Stamp = { hlc: 0n, origin: '0'.repeat(32) };

function unobserved({ itype, indicator, provider, group }: RecordKey): IndicatorRecord {
  const statement = { itype, indicator, provider, group, tlp: 'amber', confidence: 0, tags: [] } as const;
  const times = { count: 0, firsttimeMs: 0, lasttimeMs: 0 };
  return shapeRecord({ ...statement, ...times }, { ...times, reporttimeMs: 0, stamp: never });
}

function withEvents(
  record: IndicatorRecord,
  hlc: bigint,
  sightings: Sightings | undefined,
  retracted: Retracted | undefined,
): IndicatorRecord {
  const reporttimeMs = Math.max(record.reporttimeMs, Number(hlc >> 16n));
  // Without an observation the times are those of what there is, so that it expires like everything else.
  const timeMs = sightings?.lasttimeMs ?? reporttimeMs;
  return shapeRecord(record, {
    count: record.count,
    firsttimeMs: record.count === 0 ? timeMs : record.firsttimeMs,
    lasttimeMs: record.count === 0 ? timeMs : record.lasttimeMs,
    reporttimeMs,
    stamp: record.stamp,
    sightings,
    retracted: inForce(retracted, record.stamp),
  });
}

function inForce(retracted: Retracted | undefined, stamp: Stamp): Retracted | undefined {
  return retracted !== undefined && compareStamps(retracted, stamp) > 0 ? retracted : undefined;
}

function newerRetraction(a: Retracted, b: Retracted): Retracted {
  const byStamp = compareStamps(a, b);
  return (byStamp === 0 ? compareText(a.reason, b.reason) : byStamp) >= 0 ? a : b;
}

/**
 * What two nodes' records of one key say together, when their events can no longer be told apart: the newest statement whole,
 * the earliest firsttime, the latest lasttime and reporttime, and the greater counts, as the events of both may be the same.
 * Commutative, associative and idempotent.
 */
export function mergeRecords(a: IndicatorRecord, b: IndicatorRecord): IndicatorRecord {
  const newest = compareStatements(b, b.stamp, a) > 0 ? b : a;
  const [first, second] = [a.retracted ?? b.retracted, b.retracted ?? a.retracted];
  const reporttimeMs = Math.max(a.reporttimeMs, b.reporttimeMs);
  const sightings = mergeSightings(a.sightings, b.sightings);
  const count = Math.max(a.count, b.count);
  const observed = [a, b].filter((record) => record.count > 0);
  const timeMs = sightings?.lasttimeMs ?? reporttimeMs;
  return shapeRecord(newest, {
    count,
    firsttimeMs: count === 0 ? timeMs : Math.min(...observed.map(({ firsttimeMs }) => firsttimeMs)),
    lasttimeMs: count === 0 ? timeMs : Math.max(...observed.map(({ lasttimeMs }) => lasttimeMs)),
    reporttimeMs,
    stamp: newest.stamp,
    sightings,
    retracted: inForce(first && second && newerRetraction(first, second), newest.stamp),
  });
}

function mergeSightings(a: Sightings | undefined, b: Sightings | undefined): Sightings | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return { count: Math.max(a.count, b.count), lasttimeMs: Math.max(a.lasttimeMs, b.lasttimeMs) };
}

/**
 * What `record` says beyond `known`, to be said anew; nothing when it says no more. A retraction comes last, as an
 * observation before it would set it aside.
 */
export function saysMore(record: IndicatorRecord, known: IndicatorRecord | undefined): readonly Statement[] {
  const { itype, indicator, provider, group } = record;
  const key = { itype, indicator, provider, group };
  const both = known === undefined ? record : mergeRecords(known, record);
  const statements: Statement[] = [];
  const observation = observationBeyond(known, both);
  if (observation !== undefined) statements.push({ kind: 'observe', body: observation });
  const seen = both.sightings;
  const count = (seen?.count ?? 0) - (known?.sightings?.count ?? 0);
  if (seen !== undefined && (count > 0 || seen.lasttimeMs > (known?.sightings?.lasttimeMs ?? 0)))
    statements.push({ kind: 'sight', body: { ...key, count: Math.max(1, count), timeMs: seen.lasttimeMs } });
  const { retracted } = both;
  const isNew = retracted !== undefined && !isSameRetraction(retracted, known?.retracted);
  if (retracted !== undefined && (isNew || observation !== undefined))
    statements.push({ kind: 'retract', body: { ...key, reason: retracted.reason } });
  return statements;
}

function observationBeyond(
  known: IndicatorRecord | undefined,
  both: IndicatorRecord,
): Observation | undefined {
  if (both.count === 0) return undefined;
  if (known === undefined || known.count === 0) return observationOf(both);
  const isMore =
    both.count > known.count ||
    both.firsttimeMs < known.firsttimeMs ||
    both.lasttimeMs > known.lasttimeMs ||
    statementText(both) !== statementText(known);
  // Counts add up when it is applied; one is the least that an observation counts.
  return isMore ? { ...observationOf(both), count: Math.max(1, both.count - known.count) } : undefined;
}

function isSameRetraction(a: Retracted, b: Retracted | undefined): boolean {
  return b !== undefined && compareStamps(a, b) === 0 && a.reason === b.reason;
}

function observationOf(record: IndicatorRecord): Observation {
  const { reporttimeMs: _, stamp: __, sightings: ___, retracted: ____, ...observation } = record;
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
