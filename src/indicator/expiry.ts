import { isAllowlistEntry } from './allowlist-tags.ts';
import type { IndicatorRecord, Itype } from './types.ts';

const dayMs = 24 * 60 * 60 * 1_000;

/**
 * How long a record lives after it was last observed, in days, when its source does not say. Addresses change hands, names
 * are given up, a file and a wallet stay what they are. Far above the age that a feed takes, as questions want history.
 */
export const timeToLiveDays = {
  ipv4: 180,
  ipv6: 180,
  fqdn: 365,
  url: 365,
  email: 365,
  md5: 1_095,
  sha1: 1_095,
  sha256: 1_095,
  sha512: 1_095,
  asn: 365,
  ssdeep: 1_095,
  ja3: 365,
  btc: 1_095,
} as const satisfies Record<Itype, number>;

/**
 * When a record expires, Unix milliseconds: what its source states, else its kind's time to live. An allowlist entry lasts
 * until somebody says otherwise: what it protects must not become blockable by the passing of time.
 */
export function expiresAtMs(
  record: Pick<IndicatorRecord, 'itype' | 'expiretimeMs' | 'lasttimeMs' | 'tags'>,
): number {
  const { itype, expiretimeMs, lasttimeMs } = record;
  if (expiretimeMs !== undefined) return expiretimeMs;
  return isAllowlistEntry(record) ? Number.MAX_SAFE_INTEGER : lasttimeMs + timeToLiveDays[itype] * dayMs;
}
