import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { createAllowlist } from '../../../../src/feed/allowlist/allowlist.ts';
import type { Effect } from '../../../../src/feed/allowlist/list-effects.ts';
import {
  parseWarninglist,
  type WarninglistRow,
  warninglistEffect,
  warninglistEntries,
} from '../../../../src/feed/allowlist/warninglist.ts';
import { canonicalise } from '../../../../src/indicator/canonical.ts';
import { bruteForceAllowlist } from '../../../support/brute-force-allowlist.ts';
import { requirementMet } from '../../../support/requirement.ts';

const shared = join(import.meta.dirname, '../../../../../shared/data');
const directory = join(shared, 'allow/misp-warninglists');
const present = requirementMet(existsSync(directory) ? undefined : `no warninglists at ${directory}`);

type Loaded = {
  readonly slug: string;
  readonly effect: Effect;
  readonly entries: number;
  readonly rows: readonly WarninglistRow[];
  readonly repeated: number;
  readonly refused: ReadonlyMap<string, number>;
};

function load(file: string): Loaded {
  const slug = file.replace(/\.json$/, '');
  const list = parseWarninglist(readFileSync(join(directory, file), 'utf8'));
  if (!list.ok) throw new Error(`${file}: ${list.reason}`);
  const options = { slug, providerPrefix: 'warninglist:', as: undefined };
  const rows: WarninglistRow[] = [];
  const refused = new Map<string, number>();
  let repeated = 0;
  for (const entry of warninglistEntries(list.value, options)) {
    if (entry.kind === 'row') rows.push(entry.row);
    else if (entry.kind === 'repeated') repeated++;
    else refused.set(entry.code, (refused.get(entry.code) ?? 0) + 1);
  }
  const { effect } = warninglistEffect(list.value, options);
  return { slug, effect, entries: list.value.list.length, rows, repeated, refused };
}

const loaded = present
  ? readdirSync(directory)
      .filter((file) => file.endsWith('.json'))
      .sort()
      .map(load)
  : [];
const allowlist = createAllowlist({ wallMs: () => Date.UTC(2026, 7, 22) });
for (const { rows } of loaded) {
  for (const row of rows) allowlist.put({ ...row, group: 'everyone' });
}

function outOf(text: string): string | undefined {
  const canonical = canonicalise(text);
  if (!canonical.ok) throw new Error(`${text}: ${canonical.reason}`);
  const { suppressedBy } = allowlist.check(canonical.value.itype, canonical.value.indicator);
  return suppressedBy && `${suppressedBy.list} ${suppressedBy.entry}`;
}

describe.skipIf(!present)("MISP's warninglists", () => {
  test('every list loads, and every entry is a row, a repetition, or refused with a reason', () => {
    for (const { slug, effect, entries, rows, repeated, refused } of loaded) {
      const codes = [...refused].map(([code, count]) => `${count} ${code}`).join(', ') || 'none';
      console.log(
        `${slug}: ${effect}, ${entries} entries, ${rows.length} rows, ${repeated} repeated, refused: ${codes}`,
      );
      expect(rows.length + repeated + [...refused.values()].reduce((sum, count) => sum + count, 0)).toBe(
        entries,
      );
    }
    expect(loaded.length).toBe(66);
    expect(loaded.reduce((sum, { rows }) => sum + rows.length, 0)).toBeGreaterThan(180_000);
    expect(allowlist.size()).toBeGreaterThan(140_000);
  });

  test('only top-level domains, patterns and foreign hashes are refused in number', () => {
    const refused = loaded.filter((each) => each.refused.size > 0);
    expect(Object.fromEntries(refused.map((each) => [each.slug, Object.fromEntries(each.refused)]))).toEqual({
      'bank-website': { 'bad-host': 1 },
      'cloudflare-top10k': { 'bad-host': 1 },
      'cloudflare-top1k': { 'bad-host': 1 },
      'common-contact-emails': { pattern: 1 },
      'eicar.com': { unrecognised: 3 },
      'empty-hashes': { 'itype-mismatch': 1, unrecognised: 1 },
      microsoft: { 'bad-host': 2 },
      'moz-top500': { 'bad-host': 1 },
      'second-level-tlds': { 'bad-host': 1_448 },
      tlds: { 'bad-host': 1_438 },
    });
  });

  test.each([
    'www.update.microsoft.com',
    'www.bing.com',
    'docs.google.com',
    'raw.githubusercontent.com',
    'bitbucket.org',
    'www.dropbox.com',
    'evil.google.com',
    'http://www.bing.com/',
    '8.8.8.8',
    '8.8.8.0/24',
    'co.uk',
    'd41d8cd98f00b204e9800998ecf8427e',
    'anyone@microsoft.com',
  ])('%s is out', (text) => {
    expect(outOf(text)).toBeDefined();
  });

  test.each([
    'https://docs.google.com/forms/d/e/1FAIpQLS/viewform',
    'https://raw.githubusercontent.com/evil/evil/main/a.ps1',
    'https://bitbucket.org/evil/evil/downloads/a.exe',
    'https://www.dropbox.com/s/evil/a.exe?dl=1',
    'https://bit.ly/3evil',
    'evil.github.io',
    'evil.duckdns.org',
    'evil@gmail.com',
    // Addresses of Amazon, Azure and Cloudflare.
    '3.5.140.2',
    '20.38.98.100',
    '104.16.1.1',
    // A Censys scanner, a sinkhole.
    '162.142.125.1',
    '104.155.11.149',
  ])('%s is in, and the lists say what it is', (text) => {
    expect(outOf(text)).toBeUndefined();
    const canonical = canonicalise(text);
    expect(
      canonical.ok && allowlist.check(canonical.value.itype, canonical.value.indicator).context,
    ).not.toEqual([]);
  });

  test('a tenth of the attackers of ipsum lies in clouds, and hardly any of it is lost', () => {
    const texts = readFileSync(join(shared, 'feeds/ipsum/ipsum.txt'), 'utf8')
      .split('\n')
      .filter((line) => /^\d/.test(line))
      .map((line) => line.split('\t')[0] ?? '');
    const verdicts = texts.map((text) => allowlist.check('ipv4', text));
    const inContext = verdicts.filter(({ context }) => context.length > 0).length;
    const out = verdicts.filter(({ suppressedBy }) => suppressedBy !== undefined).length;
    console.log(`ipsum: ${texts.length} addresses, ${inContext} with context, ${out} out`);
    expect(inContext / texts.length).toBeGreaterThan(0.05);
    expect(out / texts.length).toBeLessThan(0.02);
  });

  test('what real feeds list, the brute-force checker judges alike', () => {
    const forbid = bruteForceAllowlist(loaded.flatMap(({ rows }) => rows));
    const files = [
      'abuse.ch/urlhaus_2025-04-21.csv',
      'blackbook/blackbook.csv',
      'firehol/spamhaus_drop.netset',
      'spamhaus/drop_ipv6.txt',
      'ipsum/ipsum.txt',
      'csirtg/feed.txt',
      'disposable-email/burner_emails.txt',
      'amnesty/2018-08-01_nso_indicators.csv',
    ].filter((file) => existsSync(join(shared, 'feeds', file)));
    const counts = { in: 0, out: 0 };
    for (const file of files) {
      const words = readFileSync(join(shared, 'feeds', file), 'utf8').split(/[\s",;]+/);
      for (const word of new Set(words)) {
        const canonical = canonicalise(word);
        if (!canonical.ok) continue;
        const { itype, indicator } = canonical.value;
        const forbidding = forbid(itype, indicator);
        const { suppressedBy } = allowlist.check(itype, indicator);
        counts[suppressedBy === undefined ? 'in' : 'out']++;
        if ((suppressedBy === undefined) !== (forbidding.length === 0)) {
          expect({ indicator, suppressedBy }).toEqual({ indicator, suppressedBy: forbidding[0] });
        }
      }
    }
    console.log(`${files.length} feeds: ${counts.in} in, ${counts.out} out`);
    expect(counts.in).toBeGreaterThan(20_000);
    expect(counts.out).toBeGreaterThan(100);
  }, 120_000);
});
