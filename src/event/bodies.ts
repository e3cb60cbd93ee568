import { observationLimits as limits } from '../indicator/limits.ts';
import type { RecordKey } from '../indicator/types.ts';
import { isRecordKey, isText, isTime, isWhole } from './columns.ts';
import { isDocumentWrite, isSearch } from './document.ts';
import type { Saying } from './types.ts';

/** What is not an observation: its body stands by itself, as there are few of them. */
export type OtherSaying = Exclude<Saying, { readonly kind: 'observe' }>;

/** By position; first the record's key, if it is about one. The order is the format: only ever add at the end. */
export function writeBody({ kind, body }: OtherSaying): readonly unknown[] {
  if (kind === 'search') return [body.q, body.itype ?? null, body.by];
  if (kind === 'admin') return [body.collection, body.id, body.body ?? null, body.expiresMs ?? null];
  const key = [body.itype, body.indicator, body.provider, body.group];
  return kind === 'retract' ? [...key, body.reason] : [...key, body.count, body.timeMs];
}

/** Checks every field; undefined when it is none. What a later release puts behind them is ignored. */
export function readBody(kind: OtherSaying['kind'], value: unknown): OtherSaying | undefined {
  if (!Array.isArray(value)) return undefined;
  if (kind === 'search' || kind === 'admin') return readDocumentBody(kind, value);
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

function readDocumentBody(kind: 'search' | 'admin', value: readonly unknown[]): OtherSaying | undefined {
  if (kind === 'search') {
    const [q, itype, by] = value;
    const search = { q, ...(itype !== null && { itype }), by };
    return isSearch(search) ? { kind, body: search } : undefined;
  }
  const [collection, id, body, expiresMs] = value;
  const write = {
    collection,
    id,
    ...(body !== null && { body }),
    ...(expiresMs !== null && expiresMs !== undefined && { expiresMs }),
  };
  return isDocumentWrite(write) ? { kind, body: write } : undefined;
}
