import type { Itype } from '../indicator/types.ts';

/** What a feed takes of one kind of indicator. */
export type KindRule = {
  /** Not older: whole UTC days, between the date of lasttime and today's. */
  readonly days: number;
  /** For so many days a statement keeps its confidence; from then on it halves every `halfLifeDays`. */
  readonly holdsDays: number;
  readonly halfLifeDays: number;
  /** The shortest prefix of a network: a larger one is refused. */
  readonly prefixMin?: number;
};

/** Addresses change hands sooner than names do: at the default confidence an 8 stays a week, a 9 the whole window. */
const address = { days: 21, holdsDays: 7, halfLifeDays: 84 };
const standard: KindRule = { days: 45, holdsDays: 15, halfLifeDays: 180 };
/** A file stays what it is. */
const file: KindRule = { days: 45, holdsDays: 45, halfLifeDays: 720 };

const rules: Readonly<Partial<Record<string, KindRule>>> = {
  // 65,536 addresses; the same share of what a registry gives to a provider, a /32 (RFC 6177 names its parts).
  ipv4: { ...address, prefixMin: 16 },
  ipv6: { ...address, prefixMin: 32 },
  md5: file,
  sha1: file,
  sha256: file,
  sha512: file,
  ssdeep: file,
};

/** What a feed is when nobody says otherwise: confident, recent, and of a size that a device takes (CIF v3's numbers). */
export const feedDefaults = {
  /** 8 of 10: safe to block. */
  confidence: 8,
  limit: 50_000,
} as const;

export const feedLimitMax = 100_000;

/** The rule of one kind. A kind without one of its own has that of names. */
export function ruleOf(itype: Itype): KindRule {
  return rules[itype] ?? standard;
}
