import { parse } from 'tldts';

import { freeMailDomains, hostingPlatforms } from '../../src/feed/allowlist/built-in.ts';

/** An entry as it was submitted: canonical, in force, whoever said it. */
export type PlainEntry = {
  readonly itype: string;
  readonly indicator: string;
  readonly tags: readonly string[];
  readonly provider: string;
};

/**
 * The rules of docs/allowlist.md once more, written so that they can be read and not so that they are fast, and without what
 * src/ reads addresses, splits values and looks entries up by: addresses are texts of 0 and 1 here, names are arrays of
 * labels. Only the names
 * of the free-mail domains and hosting platforms are shared, which are data.
 * @returns for a canonical value all entries that forbid it to be in a feed: none, and it may
 */
export function bruteForceAllowlist(
  entries: Iterable<PlainEntry>,
): (itype: string, indicator: string) => readonly PlainEntry[] {
  const byBits = new Map<string, PlainEntry[]>();
  const byText = new Map<string, PlainEntry[]>();
  /** By family and first octet: only networks wider than that are looked for among all. */
  const byOctet = new Map<string, string[]>();
  for (const entry of [...specialEntries(), ...entries]) {
    if (isNetwork(entry.itype)) push(byBits, bitsOf(entry.indicator), entry);
    else push(byText, `${entry.itype} ${entry.indicator}`, entry);
  }

  for (const bits of byBits.keys()) push(byOctet, bits.slice(0, octetLength), bits);

  function forbidNetwork(indicator: string): readonly PlainEntry[] {
    const bits = bitsOf(indicator);
    const found = prefixesOf(bits).flatMap((prefix) => byBits.get(prefix) ?? []);
    if (indicator.includes('/')) {
      const others =
        bits.length < octetLength ? byBits.keys() : (byOctet.get(bits.slice(0, octetLength)) ?? []);
      for (const other of others) {
        if (other !== bits && other.startsWith(bits)) found.push(...(byBits.get(other) ?? []));
      }
    }
    return found.filter(suppresses);
  }

  /** @param isGuest it is a URL or a mailbox: someone's thing at that host */
  function forbidHost(host: string, isGuest: boolean, isFreeMail: boolean): readonly PlainEntry[] {
    if (/^\d+\.\d+\.\d+\.\d+$/.test(host) || host.startsWith('[')) {
      return forbidNetwork(host.replaceAll(/[[\]]/g, ''));
    }
    const labels = host.split('.');
    const above = labels.flatMap((_, i) => byText.get(`fqdn ${labels.slice(i).join('.')}`) ?? []);
    const reaching = above.filter(
      (entry) => entry.indicator === host || !entry.tags.includes('allowlist-exact'),
    );
    const isBuiltIn = labels.some((_, i) => hostingPlatforms.has(labels.slice(i).join('.')));
    if (isGuest && (isFreeMail || isBuiltIn || reaching.some((entry) => !suppresses(entry)))) {
      return reaching.filter(
        (entry) =>
          suppresses(entry) &&
          entry.tags.includes('allowlist-children') &&
          !entry.tags.includes('allowlist-exact'),
      );
    }
    return reaching.filter(
      (entry) =>
        suppresses(entry) &&
        (entry.indicator === host || entry.tags.includes('allowlist-children') || !isSuffix(entry.indicator)),
    );
  }

  return (itype, indicator) => {
    const exact = (byText.get(`${itype} ${indicator}`) ?? []).filter(suppresses);
    switch (itype) {
      case 'ipv4':
      case 'ipv6':
        return forbidNetwork(indicator);
      case 'fqdn': {
        const forbidding = forbidHost(indicator, false, false);
        return isSuffix(indicator)
          ? [...forbidding, builtIn('fqdn', indicator, 'public-suffix')]
          : forbidding;
      }
      case 'url': {
        const authority = (indicator.split('//')[1] ?? '').split(/[/?]/)[0] ?? '';
        const host = authority.slice(authority.indexOf('@') + 1).replace(/:\d+$/, '');
        return [...exact, ...forbidHost(host, true, false)];
      }
      case 'email': {
        const host = (indicator.split('@').at(-1) ?? '').replace('IPv6:', '').replaceAll(/[[\]]/g, '');
        if (host.includes(':')) return [...exact, ...forbidNetwork(host)];
        return [...exact, ...forbidHost(host, true, freeMailDomains.has(host))];
      }
      default:
        return exact;
    }
  };
}

/** The family, then eight bits. */
const octetLength = 9;

function suppresses({ tags }: PlainEntry): boolean {
  return tags.includes('allowlist');
}

function isNetwork(itype: string): boolean {
  return itype === 'ipv4' || itype === 'ipv6';
}

function isSuffix(name: string): boolean {
  const { publicSuffix, domain } = parse(name, { allowPrivateDomains: true, validateHostname: false });
  return publicSuffix === name && domain === null;
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, [value]);
  else values.push(value);
}

/** `4` or `6`, then the bits of the prefix: a network covers those whose text begins with its own. */
function bitsOf(network: string): string {
  const [address = '', length] = network.split('/');
  const bits = address.includes(':') ? `6${bitsOfIpv6(address)}` : `4${bitsOfIpv4(address)}`;
  return length === undefined ? bits : bits.slice(0, 1 + Number(length));
}

function bitsOfIpv4(address: string): string {
  return address
    .split('.')
    .map((octet) => Number(octet).toString(2).padStart(8, '0'))
    .join('');
}

function bitsOfIpv6(address: string): string {
  const [head = '', tail = ''] = address.split('::');
  const groups = (text: string) => text.split(':').filter((group) => group !== '');
  const missing = 8 - groups(head).length - groups(tail).length;
  return [...groups(head), ...Array<string>(missing).fill('0'), ...groups(tail)]
    .map((group) => Number.parseInt(group, 16).toString(2).padStart(16, '0'))
    .join('');
}

function prefixesOf(bits: string): readonly string[] {
  return Array.from({ length: bits.length }, (_, i) => bits.slice(0, bits.length - i));
}

function builtIn(itype: string, indicator: string, provider: string): PlainEntry {
  return { itype, indicator, tags: ['allowlist'], provider };
}

/** The widest ranges of IANA's registries of special-purpose addresses and of multicast, copied from there. */
function specialEntries(): readonly PlainEntry[] {
  const ipv4 = [
    '0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24',
    '192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24',
    '203.0.113.0/24 224.0.0.0/4 240.0.0.0/4',
  ];
  const ipv6 = [
    '::1 :: 64:ff9b::/96 64:ff9b:1::/48 100::/64 100:0:0:1::/64 2001::/23 2001:db8::/32 2002::/16 2620:4f:8000::/48',
    '3fff::/20 5f00::/16 fc00::/7 fe80::/10 fec0::/10 ff00::/8',
  ];
  const all = (itype: string, lines: readonly string[]) =>
    lines.flatMap((line) => line.split(' ')).map((network) => builtIn(itype, network, 'special-purpose'));
  return [...all('ipv4', ipv4), ...all('ipv6', ipv6)];
}
