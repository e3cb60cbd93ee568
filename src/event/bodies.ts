import { observationLimits as limits } from '../indicator/limits.ts';
import type { RecordKey, Statement } from '../indicator/types.ts';
import { isRecordKey, isText, isTime, isWhole } from './columns.ts';

/** What is not an observation: its body stands by itself, as there are few of them. */
type OtherStatement = Exclude<Statement, { readonly kind: 'observe' }>;

/** By position: the record's key, then what is said about it. The order is the format: only ever add at the end. */
export function writeBody({ kind, body }: OtherStatement): readonly unknown[] {
  const key = [body.itype, body.indicator, body.provider, body.group];
  return kind === 'retract' ? [...key, body.reason] : [...key, body.count, body.timeMs];
}

/** Checks every field; undefined when it is none. What a later release puts behind them is ignored. */
export function readBody(kind: OtherStatement['kind'], value: unknown): OtherStatement | undefined {
  if (!Array.isArray(value)) return undefined;
  const [itype, indicator, provider, group, ...rest] = value as readonly unknown[];
  const key = { itype, indicator, provider, group } as RecordKey;
  if (!isRecordKey(key)) return undefined;
  if (kind === 'retract') {
    const [reason] = rest;
    return isText(limits.reasonCharactersMax)(reason) ? { kind, body: { ...key, reason } } : undefined;
  }
  const [count, timeMs] = rest;
  if (!isWhole(1, limits.countMax)(count) || !isTime(timeMs)) return undefined;
  return { kind, body: { ...key, count, timeMs } };
}
