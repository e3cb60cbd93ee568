import type { Itype } from '../indicator/types.ts';

/** What a feed is when nobody says otherwise: confident, recent, and of a size that a device takes (CIF v3's numbers). */
export const feedDefaults = {
  /** 8 of 10: safe to block. */
  confidence: 8,
  /** Addresses change hands sooner than names and hashes. */
  daysOfAddresses: 21,
  days: 45,
  limit: 50_000,
} as const;

export const feedLimitMax = 100_000;

export function defaultDays(itype: Itype): number {
  return itype === 'ipv4' || itype === 'ipv6' ? feedDefaults.daysOfAddresses : feedDefaults.days;
}
