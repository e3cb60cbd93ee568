import { expiresAtMs } from '../indicator/expiry.ts';
import { isStated } from '../indicator/record.ts';
import type { IndicatorRecord } from '../indicator/types.ts';
import { decodeRecord, encodeRecord } from './record-codec.ts';
import type { RecordExpired } from './store.ts';

/** A row of the applied table that no batch made: records whose time was over, as they were. */
export type ExpiredRow = {
  readonly expired: readonly string[];
  readonly lastMs: number;
  readonly bytes: number;
};

export function expiredRow(records: readonly IndicatorRecord[], lastMs: number): ExpiredRow {
  const expired = records.map(encodeRecord);
  return { expired, lastMs, bytes: expired.reduce((sum, { length }) => sum + length, 0) };
}

export function expiredChange(record: IndicatorRecord, position: number): RecordExpired {
  return { position, event: { kind: 'expire', atMs: expiresAtMs(record) }, record };
}

export function expiredChanges(
  { expired }: ExpiredRow,
  firstPosition: number,
  after: number,
  limit: number,
): readonly RecordExpired[] {
  const skipped = Math.max(0, after + 1 - firstPosition);
  return expired
    .slice(skipped, skipped + limit)
    .map((text, i) => expiredChange(decodeRecord(text), firstPosition + skipped + i));
}

/** Whether its time ended behind `fromMs`, up to `untilMs`; what is not stated any more had its end before. */
export function expiredWithin(record: IndicatorRecord, fromMs: number, untilMs: number): boolean {
  const atMs = expiresAtMs(record);
  return atMs > fromMs && atMs <= untilMs && isStated(record);
}
