import { seededRandom, systemClock } from 'tocsin/mesh';
import { createAllowlist } from '../../src/feed/allowlist/allowlist.ts';
import type { AllowRecord } from '../../src/feed/allowlist/statement.ts';
import { formatNetwork } from '../../src/indicator/address.ts';
import type { Canonical } from '../../src/indicator/canonical.ts';
import { median, type Row, round } from './measure.ts';

const entriesCount = 200_000;
const checksCount = 500_000;
const runs = 5;

type Random = ReturnType<typeof seededRandom>;

/**
 * An allowlist of 200,000 entries in the proportions of MISP's warninglists (75,000 networks and addresses, 75,000 names, a
 * few hashes), and checks of a feed's values: addresses, names, URLs, hashes, one in five of which is on the list.
 */
export async function benchAllowlist(): Promise<readonly Row[]> {
  const loads: number[] = [];
  const checks: number[] = [];
  const changes: number[] = [];
  let heapBytes = 0;
  for (let run = 0; run < runs; run++) {
    const random = seededRandom(run);
    const records = Array.from({ length: entriesCount }, () => drawEntry(random));
    const values = Array.from({ length: checksCount }, () =>
      random.next() < 0.2
        ? (records[Math.floor(random.next() * entriesCount)] ?? drawValue(random))
        : drawValue(random),
    );
    gc();
    const heapBefore = process.memoryUsage().heapUsed;
    const loadStart = performance.now();
    const allowlist = createAllowlist(systemClock);
    for (const record of records) allowlist.put(record);
    // The first checks sort what was put.
    allowlist.check('ipv4', '8.8.8.8');
    allowlist.check('ipv6', '2a00::1');
    loads.push(performance.now() - loadStart);
    gc();
    heapBytes = process.memoryUsage().heapUsed - heapBefore;

    const checkStart = performance.now();
    let suppressed = 0;
    for (const { itype, indicator } of values) {
      if (allowlist.check(itype, indicator).suppressedBy !== undefined) suppressed++;
    }
    checks.push((checksCount / (performance.now() - checkStart)) * 1_000);
    if (suppressed < checksCount * 0.1) throw new Error('the checks meet too few entries to say anything');

    const changeStart = performance.now();
    for (let i = 0; i < 2_000; i++) {
      const record = drawEntry(random);
      allowlist.put(record);
      allowlist.check(record.itype, record.indicator);
    }
    changes.push(((performance.now() - changeStart) / 2_000) * 1_000);
  }
  const size = `${round(entriesCount)} entries`;
  return [
    [`allowlist of ${size}, checks on one core`, `${round(median(checks))}/s`, '–', '–', '≥ 500,000/s'],
    [`allowlist of ${size}, loading`, `${round(median(loads))} ms`, '–', '–', '< 2,000 ms'],
    [`allowlist of ${size}, heap`, `${round(heapBytes / 1e6)} MB`, '–', '–', 'recorded'],
    [
      'a change of that allowlist and the check after it',
      `${round(median(changes), 1)} µs`,
      '–',
      '–',
      'recorded',
    ],
  ];
}

function gc(): void {
  globalThis.gc?.();
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
