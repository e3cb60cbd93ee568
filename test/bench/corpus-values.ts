import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from 'tocsin/mesh';
import { type Canonical, canonicalise } from '../../src/indicator/canonical.ts';

export const feedsDirectory = join(import.meta.dirname, '../../../shared/data/feeds');

/** Real feeds, and the column of each that holds the indicator, counted from 0. */
const sources: readonly { readonly file: string; readonly separator: RegExp; readonly column: number }[] = [
  { file: 'ipsum/ipsum.txt', separator: /\t/, column: 0 },
  { file: 'phishing-database/phishing-IPs-ACTIVE.txt', separator: /\s/, column: 0 },
  { file: 'maltrail/mass_scanner.txt', separator: /\s/, column: 0 },
  { file: 'tor/tor-exit-nodes.lst', separator: /\s/, column: 0 },
  { file: 'x4bnet/vpn_ipv4.txt', separator: /\s/, column: 0 },
  { file: 'x4bnet/vpn_ipv6.txt', separator: /\s/, column: 0 },
  { file: 'spamhaus/drop_2015.txt', separator: / ; /, column: 0 },
  { file: 'firehol/spamhaus_drop.netset', separator: /\s/, column: 0 },
  { file: 'blackbook/blackbook.csv', separator: /,/, column: 0 },
  { file: 'maltrail/malware/asyncrat.txt', separator: /\s/, column: 0 },
  { file: 'maltrail/malware/emotet.txt', separator: /\s/, column: 0 },
  { file: 'disposable-email/burner_emails.txt', separator: /\s/, column: 0 },
  { file: 'matomo/spammers.txt', separator: /\s/, column: 0 },
  { file: 'infoblox/prolific_puma_20231031.csv', separator: /,/, column: 1 },
  { file: 'infoblox/usps_cta_20231219.csv', separator: /,/, column: 1 },
  { file: 'abuse.ch/urlhaus_2025-04-21.csv', separator: /","/, column: 2 },
  { file: 'phishing-database/phishing-links-2025-03.txt', separator: /\s/, column: 0 },
  { file: 'abuse.ch/sslblacklist_2023-11-14.csv', separator: /,/, column: 1 },
  { file: 'abuse.ch/malwarebazaar_2024-05-07.csv', separator: /,/, column: 2 },
  { file: 'abuse.ch/malwarebazaar_2024-05-07.csv', separator: /,/, column: 3 },
  { file: 'asn/bad-asn-list.csv', separator: /,/, column: 0 },
];

export function realValues(): readonly Canonical[] {
  const found = new Map<string, Canonical>();
  for (const { file, separator, column } of sources) {
    for (const line of readFileSync(join(feedsDirectory, file), 'utf8').split(/\r?\n/)) {
      if (/^\s*[#;]/.test(line)) continue;
      const cell = (line.split(separator)[column] ?? '').replaceAll('"', '').trim();
      const canonical = canonicalise(file.startsWith('asn/') ? `AS${cell}` : cell);
      if (canonical.ok) found.set(canonical.value.indicator, canonical.value);
    }
  }
  return [...found.values()];
}

/**
 * Another value of the same kind that could stand beside it: a neighbour in the same /16, another name in the domain, another
 * path at the host, another file. Undefined where there is nothing to vary.
 */
export function variation({ itype, indicator }: Canonical, random: Random): Canonical | undefined {
  const text = varied({ itype, indicator }, random);
  if (text === undefined) return undefined;
  const canonical = canonicalise(text, itype);
  return canonical.ok && canonical.value.itype === itype ? canonical.value : undefined;
}

function varied({ itype, indicator }: Canonical, random: Random): string | undefined {
  const word = (length: number) =>
    Array.from({ length }, () => Math.floor(random.next() * 36).toString(36)).join('');
  const below = (end: number) => Math.floor(random.next() * end);
  switch (itype) {
    case 'ipv4': {
      const [a, b] = indicator.split('.');
      if (!indicator.includes('/')) return `${a}.${b}.${below(256)}.${below(256)}`;
      return `${a}.${b}.${below(256)}.0/24`;
    }
    case 'ipv6':
      return `${indicator.split('::')[0]}:${below(65_536).toString(16)}::${below(65_536).toString(16)}`;
    case 'fqdn':
      return `${word(3 + below(8))}.${indicator}`;
    case 'url': {
      const end = indicator.indexOf('/', 'https://'.length);
      return `${indicator.slice(0, end)}/${word(4 + below(8))}/${word(8)}.${['php', 'exe', 'html'][below(3)]}`;
    }
    case 'email':
      return `${word(8)}@${indicator.slice(indicator.lastIndexOf('@') + 1)}`;
    case 'md5':
    case 'sha1':
    case 'sha256':
    case 'sha512':
      return Array.from({ length: indicator.length / 8 }, () =>
        Math.floor(random.next() * 2 ** 32)
          .toString(16)
          .padStart(8, '0'),
      ).join('');
    case 'asn':
      return undefined;
    default:
      return undefined;
  }
}
