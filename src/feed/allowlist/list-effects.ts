import { allowlistTags } from '../../indicator/allowlist-tags.ts';

/** What being on a list does: keep out of every feed, or annotate. */
export type Effect = 'suppress' | 'context';

/** What a list's entries become, and how that was decided, in words for the person. */
export type ListEffect = {
  readonly tags: readonly string[];
  readonly effect: Effect;
  readonly because: string;
};

/**
 * MISP's lists that describe a place where strangers' things are, or who someone is, and that do not make it harmless: a tenth of
 * the addresses in some feeds of attackers lie in the clouds' networks. By the directory of each in github.com/MISP/misp-warninglists.
 */
const contextLists: ReadonlySet<string> = new Set([
  // Clouds, hosting and CDNs: whoever pays has an address there.
  'akamai',
  'amazon-aws',
  'cloudflare',
  'fastly',
  'github',
  'google-gcp',
  'microsoft-azure',
  'microsoft-azure-china',
  'microsoft-azure-germany',
  'microsoft-azure-us-gov',
  'oracle-oci',
  'ovh-cluster',
  'stackpath',
  'zscaler',
  // Names and pages for whoever asks.
  'digitalside',
  'disposable-email',
  'dynamic-dns',
  'link-in-bio',
  'lots-project',
  'url-shortener',
  // Who looks, passes on, or holds: known, and some wish to block it.
  'censys-scanning',
  'microsoft-attack-simulator',
  'openai-gptbot',
  'parking-domain',
  'parking-domain-ns',
  'shadowserver',
  'shodan-scanning',
  'sinkholes',
  'tenable-cloud-ipv4',
  'tenable-cloud-ipv6',
  'vpn-ipv4',
  'vpn-ipv6',
]);

const suppressLists: ReadonlySet<string> = new Set([
  // Addresses that are nobody's, and names that are not for use.
  'ipv6-linklocal',
  'multicast',
  'rfc1918',
  'rfc3849',
  'rfc5735',
  'rfc6598',
  'rfc6761',
  'second-level-tlds',
  'tlds',
  // The most visited sites.
  'alexa',
  'cisco_top1000',
  'cisco_top10k',
  'cisco_top20k',
  'cisco_top5k',
  'cloudflare-top10k',
  'cloudflare-top1k',
  'google-chrome-crux-1million',
  'majestic_million',
  'moz-top500',
  'tranco',
  'tranco10k',
  // Who must stay in reach.
  'apple',
  'automated-malware-analysis',
  'bank-website',
  'captive-portals',
  'covid',
  'covid-19-cyber-threat-coalition-whitelist',
  'covid-19-krassi-whitelist',
  'crl-hostname',
  'crl-ip',
  'dax30',
  'findip-host',
  'google',
  'google-gmail-sending-ips',
  'googlebot',
  'microsoft',
  'microsoft-office365',
  'microsoft-office365-cn',
  'microsoft-office365-ip',
  'microsoft-win10-connection-endpoints',
  'public-dns-hostname',
  'public-dns-v4',
  'public-dns-v6',
  'security-provider-blogpost',
  'smtp-receiving-ips',
  'smtp-sending-ips',
  'umbrella-blockpage-hostname',
  'umbrella-blockpage-v4',
  'umbrella-blockpage-v6',
  'university_domains',
  'whats-my-ip',
  'wikimedia',
  // Files and certificates that everyone has.
  'common-contact-emails',
  'common-ioc-false-positive',
  'eicar.com',
  'empty-hashes',
  'mozilla-CA',
  'mozilla-IntermediateCA',
  'nioc-filehash',
  'ti-falsepositives',
]);

/** Lists whose names mean themselves: below a public suffix is everyone, and a host of DigitalSide's is one host. */
const exactLists: ReadonlySet<string> = new Set(['digitalside', 'second-level-tlds', 'tlds']);

const contextWords =
  /\b(?:cloud|cdns?|hosting|hosters?|vpns?|prox(?:y|ies)|tor|dynamic dns|dyndns|shorteners?|sinkholes?|park(?:ed|ing)|scan(?:ners?|ning)|disposable|data ?cent(?:er|re)s?|aws|azure)\b/i;

/**
 * What a warninglist does when nobody says otherwise: as the table above says; for one that is not there, as its category
 * says (MISP's `false_positive` and `known`, as words); without one, by words in its name. Else it suppresses: for MISP too
 * a list without a category is one of false positives.
 * @param slug the directory in MISP's repository, or the name of the file
 * @param wish what the person says, which goes before all
 */
export function effectOf(
  slug: string,
  list: { readonly name: string; readonly category: string | undefined },
  wish: Effect | undefined,
): ListEffect {
  const exact = exactLists.has(slug) ? [allowlistTags.exact] : [];
  const [effect, because] = decide(slug, list, wish);
  return { effect, because, tags: [allowlistTags[effect], ...exact] };
}

function decide(
  slug: string,
  { name, category }: { readonly name: string; readonly category: string | undefined },
  wish: Effect | undefined,
): readonly [Effect, string] {
  if (wish !== undefined) return [wish, 'as you said'];
  if (contextLists.has(slug)) return ['context', 'a known list'];
  if (suppressLists.has(slug)) return ['suppress', 'a known list'];
  if (category !== undefined) {
    if (/known/i.test(category)) return ['context', 'by its category'];
    if (/false/i.test(category)) return ['suppress', 'by its category'];
  }
  if (contextWords.test(name)) return ['context', 'by its name'];
  return ['suppress', 'an unknown list'];
}
