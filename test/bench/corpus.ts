import type { Random } from 'tocsin/mesh';
import { seededRandom } from 'tocsin/mesh';
import type { Canonical } from '../../src/indicator/canonical.ts';
import { parseObservation, standardDefaults } from '../../src/indicator/observation.ts';
import type { Itype, Observation } from '../../src/indicator/types.ts';
import { realValues, variation } from './corpus-values.ts';

export type CorpusOptions = {
  readonly count: number;
  /** When it all ends: the newest record was reported then, Unix milliseconds. */
  readonly nowMs: number;
  readonly seed: number;
};

/** A record to be, and when the mesh learnt of it. */
export type CorpusRow = { readonly observation: Observation; readonly reportedMs: number };

const dayMs = 24 * 60 * 60 * 1_000;
const spanMs = 90 * dayMs;
const seenBeforeMsMax = dayMs;
const firstSeenBeforeMsMax = 30 * dayMs;

/** How much of a corpus is of each kind, in hundredths; addresses and names lead, as in what feeds publish. */
const shares: Readonly<Partial<Record<Itype, number>>> = {
  ipv4: 38,
  ipv6: 2,
  fqdn: 27,
  url: 20,
  email: 3,
  md5: 3,
  sha1: 2,
  sha256: 5,
};

/** What the odds are of one, two, three, ... providers that say something of a value. */
const providersOdds = [0.72, 0.18, 0.06, 0.03, 0.01] as const;
const providers = Array.from({ length: 25 }, (_, i) => `feed${String(i + 1).padStart(2, '0')}.example`);
const tags = [
  'malware',
  'phishing',
  'botnet',
  'scanner',
  'c2',
  'bruteforce',
  'spam',
  'exploit',
  'tor',
  'suspicious',
];
/** Of each confidence: most of what is published is not sure enough to block. A default feed of a million has some 100,000 rows. */
const confidenceOdds: readonly (readonly [confidence: number, odds: number])[] = [
  [5, 0.26],
  [7, 0.18],
  [8, 0.15],
  [9, 0.14],
  [6, 0.12],
  [3, 0.08],
  [10, 0.07],
];

/**
 * Records of real values and of seeded variations of them, spread over the 90 days before `nowMs`, oldest first; no two of
 * one value and provider. The same options give the same rows.
 */
export function* corpusRows({ count, nowMs, seed }: CorpusOptions): Generator<CorpusRow> {
  const random = seededRandom(seed);
  const places = shuffled(placesOf(corpusValues(count, random), count, random), random);
  for (const [i, { value, provider }] of places.entries()) {
    const reportedMs = Math.floor(nowMs - spanMs + (spanMs * (i + 1)) / count);
    const lasttime = reportedMs - Math.floor(random.next() * seenBeforeMsMax);
    const fields = {
      indicator: value.indicator,
      itype: value.itype,
      provider,
      tags: tagsOf(random),
      confidence: drawn(confidenceOdds, random),
      count: 1 + Math.floor(random.next() ** 4 * 200),
      lasttime,
      firsttime: lasttime - Math.floor(random.next() ** 2 * firstSeenBeforeMsMax),
      ...(random.next() < 0.5 && {
        description: `seen by ${provider} as part of campaign ${Math.floor(random.next() * 900)}`,
      }),
      ...(random.next() < 0.3 && {
        reference: `https://reports.example/${Math.floor(random.next() * 1e9).toString(36)}`,
      }),
      ...(random.next() < 0.2 && {
        portlist: ['22', '80,443', '8080'][Math.floor(random.next() * 3)],
        protocol: 'tcp',
      }),
    };
    const parsed = parseObservation(fields, { ...standardDefaults, provider }, reportedMs);
    if (!parsed.ok) throw new Error(parsed.reason);
    yield { observation: parsed.value, reportedMs };
  }
}

/** As many different values as `count` records need, real ones first. */
function corpusValues(count: number, random: Random): readonly Canonical[] {
  const real = realValues();
  // A little less than the odds say, so that the values do not run out.
  const perValue = 0.98 * providersOdds.reduce((sum, odds, i) => sum + odds * (i + 1), 0);
  const values = real.filter(({ itype }) => itype === 'asn');
  for (const [itype, share] of Object.entries(shares) as [Itype, number][]) {
    const seeds = seedsOf(itype, real);
    const wanted = Math.ceil(((count / perValue) * share) / 100);
    const found = new Map(
      shuffled([...seeds], random)
        .slice(0, wanted)
        .map((value) => [value.indicator, value]),
    );
    while (found.size < wanted) {
      const from = seeds[Math.floor(random.next() * seeds.length)];
      const value = from && variation(from, random);
      if (value !== undefined) found.set(value.indicator, value);
    }
    for (const value of found.values()) values.push(value);
  }
  return values;
}

/** E-mail addresses are few in the feeds: theirs are at the names that there are. */
function seedsOf(itype: Itype, real: readonly Canonical[]): readonly Canonical[] {
  if (itype !== 'email') return real.filter((value) => value.itype === itype);
  return seedsOf('fqdn', real).map(({ indicator }) => ({ itype, indicator: `abuse@${indicator}` }));
}

type Place = { readonly value: Canonical; readonly provider: string };

/** Each value with its providers, `count` together. */
function placesOf(values: readonly Canonical[], count: number, random: Random): Place[] {
  const places: Place[] = [];
  const odds = providersOdds.map((odd, i) => [i + 1, odd] as const);
  for (const value of shuffled([...values], random)) {
    const first = Math.floor(random.next() * providers.length);
    for (let n = drawn(odds, random); n > 0; n--) {
      places.push({ value, provider: providers[(first + n) % providers.length] ?? '' });
      if (places.length === count) return places;
    }
  }
  throw new Error(`${places.length} records of ${count}: there are too few values`);
}

function tagsOf(random: Random): readonly string[] {
  return Array.from(
    { length: 1 + Math.floor(random.next() * 3) },
    () => tags[Math.floor(random.next() ** 2 * tags.length)] ?? '',
  );
}

function drawn<T>(odds: readonly (readonly [T, number])[], random: Random): T {
  let left = random.next();
  for (const [value, odd] of odds) {
    left -= odd;
    if (left < 0) return value;
  }
  const [first] = odds;
  if (first === undefined) throw new Error('nothing to draw from');
  return first[0];
}

function shuffled<T>(items: T[], random: Random): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(random.next() * (i + 1));
    [items[i], items[j]] = [items[j] as T, items[i] as T];
  }
  return items;
}
