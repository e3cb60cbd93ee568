import { formatNetwork, type Network, readNetwork } from '../indicator/address.ts';
import type { Canonical } from '../indicator/canonical.ts';
import { mailHost } from '../indicator/email.ts';
import { hashItype } from '../indicator/hash.ts';
import { hostAddress } from '../indicator/host.ts';
import { type IndicatorRecord, type Itype, itypes } from '../indicator/types.ts';
import { splitAtHost } from '../indicator/url.ts';
import type { KeyRange } from '../store/keys.ts';
import {
  allOf,
  atHost,
  beginningWith,
  covering,
  exactly,
  inside,
  namesBelow,
} from '../store/value-ranges.ts';
import type { Asked } from './asked.ts';
import type { Match, Related } from './match.ts';
import { fits, hashPrefixOf, type Pattern, parentOf } from './pattern.ts';

/** One way in which records answer a question: where they lie, in key order. */
export type Part = {
  /** Absent when everything is asked for. */
  readonly match?: Match;
  readonly itype: Itype;
  readonly ranges: readonly KeyRange[];
  /** Which of those that lie there; absent: all. */
  readonly accepts?: (record: Pick<IndicatorRecord, 'indicator'>) => boolean;
};

/** The closest first. No record lies in two parts of one answer. */
export function partsOf(asked: Asked, related: Related): readonly Part[] {
  const parts = 'pattern' in asked ? patternParts(asked) : valueParts(asked, related);
  return parts.filter(({ ranges }) => ranges.length > 0);
}

/** All records, by itype and value. */
export function partsOfAll(): readonly Part[] {
  return [...itypes].sort().map((itype) => ({ itype, ranges: [allOf(itype)] }));
}

function valueParts({ itype, indicator }: Canonical, related: Related): readonly Part[] {
  const exact: Part = { match: 'exact', itype, ranges: [exactly(itype, indicator)] };
  switch (itype) {
    case 'ipv4':
    case 'ipv6':
      return [
        exact,
        ...coveringParts(readNetwork(indicator), related),
        ...(related.has('inside')
          ? [{ match: 'inside', itype, ranges: inside(itype, indicator) } as const]
          : []),
      ];
    case 'fqdn':
      return [exact, ...domainParts(indicator, related)];
    case 'url':
      return [exact, ...hostParts(splitAtHost(indicator).host, related)];
    case 'email':
      return [exact, ...hostParts(mailHost(indicator), related)];
    default:
      return [exact];
  }
}

function domainParts(name: string, related: Related): readonly Part[] {
  const below = related.has('subdomain');
  const parts: Part[] = [];
  if (below) parts.push({ match: 'subdomain', itype: 'fqdn', ranges: [namesBelow(name)] });
  for (const itype of ['url', 'email'] as const)
    if (related.has(itype)) parts.push({ match: itype, itype, ranges: [atHost(itype, name, below)] });
  return parts;
}

function hostParts(host: string, related: Related): readonly Part[] {
  const address = hostAddress(host);
  const itype = address?.itype ?? 'fqdn';
  const indicator = address === undefined ? host : formatNetwork(address);
  const parts: Part[] = [];
  if (related.has('host')) parts.push({ match: 'host', itype, ranges: [exactly(itype, indicator)] });
  return address === undefined ? parts : [...parts, ...coveringParts(address, related)];
}

/** The address or network that a value is, or is at. */
export function networkOf({ itype, indicator }: Canonical): Network | undefined {
  switch (itype) {
    case 'ipv4':
    case 'ipv6':
      return readNetwork(indicator);
    case 'url':
      return hostAddress(splitAtHost(indicator).host);
    case 'email':
      return hostAddress(mailHost(indicator));
    default:
      return undefined;
  }
}

function coveringParts(network: Network, related: Related): readonly Part[] {
  if (!related.has('covers')) return [];
  return [{ match: 'covers', itype: network.itype, ranges: covering(network) }];
}

/** MD5, SHA-1, SHA-256, SHA-512. */
const hashDigits = [32, 40, 64, 128];

function patternParts(pattern: Pattern): readonly Part[] {
  const parent = parentOf(pattern);
  const names: Part = {
    match: 'pattern',
    itype: 'fqdn',
    ranges: [parent === undefined ? allOf('fqdn') : namesBelow(parent)],
    accepts: ({ indicator }) => fits(pattern, indicator),
  };
  const digits = hashPrefixOf(pattern);
  if (digits === undefined) return [names];
  const hashes = hashDigits.flatMap((length): readonly Part[] => {
    const itype = digits.length < length ? hashItype(digits.padEnd(length, '0')) : undefined;
    return itype === undefined ? [] : [{ match: 'pattern', itype, ranges: [beginningWith(itype, digits)] }];
  });
  return [...hashes, names];
}
