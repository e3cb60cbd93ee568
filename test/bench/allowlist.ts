import { seededRandom, systemClock } from 'tocsin/mesh';
import { createAllowlist } from '../../src/feed/allowlist/allowlist.ts';
import type { AllowRecord } from '../../src/feed/allowlist/statement.ts';
import { formatNetwork } from '../../src/indicator/address.ts';
import type { Canonical } from '../../src/indicator/canonical.ts';
import { median, type Row, round } from './measure.ts';

const entriesCount = 200_000;
const valuesCount = 100_000;
const rounds = 5;
const changesCount = 2_000;
const runs = 5;

type Random = ReturnType<typeof seededRandom>;

/**
 * An allowlist of 200,000 entries in about the proportions of MISP's warninglists, and checks of a feed's values: addresses,
 * names, URLs, hashes, one in five of which is on the list. Time of the processor, which the collector's threads count towards:
 * what others do on the machine does not count.
 */
export async function benchAllowlist(): Promise<readonly Row[]> {
  const measured = Array.from({ length: runs }, (_, run) => once(run));
  const size = `allowlist of ${round(entriesCount)} entries`;
  const of = (what: keyof Measured) => median(measured.map((each) => each[what]));
  return [
    [`${size}, checks`, `${round(of('checksPerSecond'))}/s of one core`, '–', '–', '≥ 500,000/s'],
    [`${size}, loading`, `${round(of('loadMs'))} ms`, '–', '–', '< 2,000 ms'],
    [`${size}, a change and the check after it`, `${round(of('changeUs'), 1)} µs`, '–', '–', 'recorded'],
  ];
}

type Measured = { readonly checksPerSecond: number; readonly loadMs: number; readonly changeUs: number };

function once(seed: number): Measured {
  const random = seededRandom(seed);
  const records = asRead(Array.from({ length: entriesCount }, () => drawEntry(random)));
  const values = asRead(
    Array.from({ length: valuesCount }, () =>
      random.next() < 0.2 ? (records[below(random, entriesCount)] ?? drawValue(random)) : drawValue(random),
    ),
  );
  const loadStart = cpuMs();
  const allowlist = createAllowlist(systemClock);
  for (const record of records) allowlist.put(record);
  // The first checks sort what was put.
  allowlist.check('ipv4', '8.8.8.8');
  allowlist.check('ipv6', '2a00::1');
  const loadMs = cpuMs() - loadStart;

  const checkStart = cpuMs();
  let suppressed = 0;
  for (let i = 0; i < rounds; i++) {
    for (const { itype, indicator } of values) {
      if (allowlist.check(itype, indicator).suppressedBy !== undefined) suppressed++;
    }
  }
  const checkMs = cpuMs() - checkStart;
  if (suppressed < valuesCount * rounds * 0.1) throw new Error('the checks meet too few entries');

  const changeStart = cpuMs();
  for (let i = 0; i < changesCount; i++) {
    const record = drawEntry(random);
    allowlist.put(record);
    allowlist.check(record.itype, record.indicator);
  }
  const changeUs = ((cpuMs() - changeStart) / changesCount) * 1_000;
  return { checksPerSecond: (valuesCount * rounds * 1_000) / checkMs, loadMs, changeUs };
}

/** Texts that were put together here are ropes, which cost more to read than those of a store or a request. */
function asRead<T>(drawn: readonly T[]): readonly T[] {
  return JSON.parse(JSON.stringify(drawn));
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

function drawEntry(random: Random): AllowRecord {
  const isContext = random.next() < 0.3;
  return {
    ...drawValue(random),
    provider: `warninglist:list-${Math.floor(random.next() * 66)}`,
    group: 'everyone',
    tags: [isContext ? 'allowlist-context' : 'allowlist'],
  };
}

function drawValue(random: Random): Canonical {
  const kind = random.next();
  if (kind < 0.38)
    return { itype: 'ipv4', indicator: ipv4(random, random.next() < 0.1 ? 12 + below(random, 20) : 32) };
  if (kind < 0.4)
    return { itype: 'ipv6', indicator: ipv6(random, random.next() < 0.5 ? 32 + below(random, 90) : 128) };
  if (kind < 0.75) return { itype: 'fqdn', indicator: name(random) };
  if (kind < 0.97)
    return { itype: 'url', indicator: `http://${name(random)}/${below(random, 1e9).toString(36)}.exe` };
  return { itype: 'sha256', indicator: Array.from({ length: 8 }, () => hex(random)).join('') };
}

function ipv4(random: Random, prefix: number): string {
  const bits = BigInt(32 - prefix);
  return formatNetwork({ itype: 'ipv4', low: (BigInt(below(random, 2 ** 32)) >> bits) << bits, prefix });
}

function ipv6(random: Random, prefix: number): string {
  const bits = BigInt(128 - prefix);
  const drawn = BigInt(`0x2a${hex(random).slice(2)}${hex(random)}${hex(random)}${hex(random)}`);
  return formatNetwork({ itype: 'ipv6', low: (drawn >> bits) << bits, prefix });
}

const endings = ['com', 'net', 'org', 'co.uk', 'de', 'github.io', 'duckdns.org'];

function name(random: Random): string {
  const ending = endings[below(random, endings.length)];
  const own = `${below(random, 1e8).toString(36)}.${ending}`;
  return random.next() < 0.4 ? `www.${own}` : own;
}

function hex(random: Random): string {
  return below(random, 2 ** 32)
    .toString(16)
    .padStart(8, '0');
}

function below(random: Random, max: number): number {
  return Math.floor(random.next() * max);
}
