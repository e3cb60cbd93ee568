/** The kinds of indicator. A network is an `ipv4` or `ipv6` with its prefix: `192.0.2.0/24`. */
export const itypes = [
  'ipv4',
  'ipv6',
  'fqdn',
  'url',
  'email',
  'md5',
  'sha1',
  'sha256',
  'sha512',
  'asn',
  'ssdeep',
  'ja3',
  'btc',
] as const;
export type Itype = (typeof itypes)[number];

/** TLP 2.0, from the freest to the strictest. */
export const tlps = ['clear', 'green', 'amber', 'amber+strict', 'red'] as const;
export type Tlp = (typeof tlps)[number];

/**
 * What one provider says about one indicator: the body of an `observe` event. Every value is canonical and capped;
 * only `parseObservation` makes one from a stranger's row. An absent field was not stated.
 */
export type Observation = {
  readonly indicator: string;
  readonly itype: Itype;
  readonly provider: string;
  readonly group: string;
  readonly tlp: Tlp;
  /** 0 (unknown) to 10 (certain); 8 is safe to block. */
  readonly confidence: number;
  /** Lower case, sorted, without repetition. */
  readonly tags: readonly string[];
  /** How often the source saw it, 1 or more. */
  readonly count: number;
  /** When the source first and last saw it, Unix milliseconds. */
  readonly firsttimeMs: number;
  readonly lasttimeMs: number;
  readonly expiretimeMs?: number;
  readonly description?: string;
  readonly reference?: string;
  /** As CIF has it: `22,80,8000-8100`. */
  readonly portlist?: string;
  readonly protocol?: string;
  readonly rdata?: string;
  readonly asn?: number;
  readonly asnDesc?: string;
  /** ISO 3166 alpha-2, upper case. */
  readonly cc?: string;
  readonly latitude?: number;
  readonly longitude?: number;
};

/** What identifies a record: one provider's statement about one indicator in one group. */
export type RecordKey = Pick<Observation, 'itype' | 'indicator' | 'provider' | 'group'>;

/** Takes a provider's statement back: the body of a `retract` event. */
export type Retraction = RecordKey & { readonly reason: string };

/** A sensor saw it: the body of a `sight` event. */
export type Sighting = RecordKey & {
  /** How often, 1 or more. */
  readonly count: number;
  /** The last time, Unix milliseconds. */
  readonly timeMs: number;
};

/** Whatever changes a record. */
export type Statement =
  | { readonly kind: 'observe'; readonly body: Observation }
  | { readonly kind: 'retract'; readonly body: Retraction }
  | { readonly kind: 'sight'; readonly body: Sighting };

/** When a statement was made: hybrid time, then the origin's id (32 lower-case hex digits) to break ties. */
export type Stamp = { readonly hlc: bigint; readonly origin: string };

/**
 * The merge of all that was said about one key, equal on every node that applied the same events. The statement's fields are
 * the newest observation's (by stamp), whole; times, count and reporttime are merged as design 4 says. With a count of 0
 * nothing was observed (yet): there are sightings or a retraction only, which may come before what they are about.
 */
export type IndicatorRecord = Observation & {
  /** When the mesh last learnt of it, Unix milliseconds. */
  readonly reporttimeMs: number;
  readonly stamp: Stamp;
  readonly sightings?: Sightings;
  /** In force: no later observation has set it aside. */
  readonly retracted?: Retracted;
};

export type Sightings = { readonly count: number; readonly lasttimeMs: number };

export type Retracted = Stamp & { readonly reason: string };
