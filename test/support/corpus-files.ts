import { columnOf, csvOf, linesOf } from './plain-reader.ts';

/** A file of the corpus, as a person would submit it, and how a short reader of our own finds its indicators. */
export type CorpusFile = {
  /** Below the feeds. */
  readonly file: string;
  /** Distinguishes what takes another column of the same file. */
  readonly column?: string;
  /** Flags of `tocsin submit`. */
  readonly flags: readonly string[];
  /** The indicator of each row; an empty one is a row without it. */
  readonly indicators: (text: string) => readonly string[];
  readonly areAsns?: boolean;
  /** Why a row is refused for another column than the indicator, in the order of `indicators`. */
  readonly otherwise?: (text: string) => readonly (string | undefined)[];
};

/** Formats that `tocsin submit` does not take, by directory or file, and why. */
export const notTaken: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/^stix\//, 'STIX bundles: patterns have to be read, not columns'],
  [/^misp\//, 'MISP events: composite types and to_ids decide what an attribute is'],
  [/^openioc\//, 'OpenIOC: XML trees of conditions'],
  [/^suricata\//, 'Suricata rules: addresses stand within conditions'],
  [/^zeek\//, 'Zeek intelligence: its type column decides, as in MISP'],
  [/^logs\/(?:bro_bro|cef_cef|ufw_ufw)\.log$/, 'logs of sensors: sentences and keyed fields'],
];

const csv = ['--format', 'csv'];
const remarks = ['--skip-comments'];

function column(of: string, more = ''): readonly string[] {
  return ['--column', `indicator=${of}${more}`];
}

/** One indicator a line. */
function plain(file: string): CorpusFile {
  return { file, flags: [], indicators: (text) => linesOf(text) };
}

/** One indicator a line, among remarks. */
function remarked(file: string): CorpusFile {
  return { file, flags: remarks, indicators: (text) => linesOf(text, true) };
}

/** The column of that title, beside others that become fields: `,lasttime=dateadded`. */
function titled(file: string, title: string, more = '', flags: readonly string[] = []): CorpusFile {
  return {
    file,
    column: title,
    flags: [...remarks, ...column(title, more), ...flags],
    indicators: (text) => columnOf(csvOf(text), title),
  };
}

/** The same where the titles are a remark, or missing. */
function untitled(
  file: string,
  at: number,
  choice: readonly string[],
  flags: readonly string[] = [],
): CorpusFile {
  return {
    file,
    flags: [...csv, ...remarks, ...choice, ...flags],
    indicators: (text) => columnOf(csvOf(text), at),
  };
}

const eset =
  'ace_cryptor agrius amavaldo apt_c_60 aridspy attor casbaneiro evilnum grandoreiro machete'.split(' ');
function hashes(): readonly CorpusFile[] {
  return eset
    .flatMap((name) => ['md5', 'sha1', 'sha256'].map((kind) => `hashes/eset/${name}.${kind}`))
    .map(plain);
}

function infoblox(): readonly CorpusFile[] {
  return [
    'emotet_cta_20221006_iocs',
    'prolific_puma_20231031',
    'savvy_seahorse_20240228_iocs',
    'smishing_cta_20220408_iocs',
    'turkiye_earthquake_malicious_suspicious_iocs',
    'ukraine_russia_malicous_suspicious_iocs',
    'usps_cta_20231219',
  ].map((name) => titled(`infoblox/${name}.csv`, 'indicator', ',firsttime=detected_date'));
}

/** Rule "a URL may hold commas": the feed does not quote, and its value is the first of what the commas make of it. */
function tweetfeed(): readonly CorpusFile[] {
  return Array.from({ length: 14 }, (_, i) => `tweetfeed/202511${String(i + 1).padStart(2, '0')}.csv`).map(
    (file) => untitled(file, 3, ['--column', 'indicator=4,lasttime=1,tags=5']),
  );
}

/**
 * Rule "first comes before last": a row whose publisher says otherwise is refused. A last day alone is no earlier than a first
 * time on that day.
 */
function timesOf(firsts: readonly string[], lasts: readonly string[]): readonly (string | undefined)[] {
  return firsts.map((first, i) => {
    const last = lasts[i] ?? '';
    // Written in one form, which sorts.
    return last !== '' && first.slice(0, last.length) > last ? 'time-order' : undefined;
  });
}

type Json = { readonly [name: string]: unknown };

function jsonColumn(rows: readonly Json[], name: string): readonly string[] {
  return rows.map((row) => String(row[name] ?? ''));
}

function ndjson(text: string): readonly Json[] {
  return linesOf(text).map((line) => JSON.parse(line) as Json);
}

const threatfox = (text: string) => Object.values(JSON.parse(text) as Record<string, readonly Json[]>).flat();
const honeypot = (text: string) => (JSON.parse(text) as { ips: readonly Json[] }).ips;
const phishing = (text: string) => (JSON.parse(text) as { blacklist: readonly string[] }).blacklist;

/** All but Volexity's. What has other columns than the indicator's states times, tags or text out of them too. */
export const corpusFiles: readonly CorpusFile[] = [
  {
    file: 'alienvault/reputation.data',
    flags: ['--delimiter', '#', '--column', '1'],
    indicators: (text) => linesOf(text).map((line) => line.split('#')[0] ?? ''),
  },
  {
    file: 'abuse.ch/feodotracker_ipblocklist.json',
    flags: column('ip_address', ',portlist=port,firsttime=first_seen,lasttime=last_online'),
    indicators: (text) => jsonColumn(JSON.parse(text) as readonly Json[], 'ip_address'),
  },
  {
    ...titled(
      'abuse.ch/feodotracker_ipblocklist_2021-10-25.csv',
      'dst_ip',
      ',portlist=dst_port,firsttime=first_seen_utc,lasttime=last_online',
    ),
    otherwise: (text) =>
      timesOf(columnOf(csvOf(text), 'first_seen_utc'), columnOf(csvOf(text), 'last_online')),
  },
  ...['sha256', 'md5', 'sha1'].map((hash) =>
    titled('abuse.ch/malwarebazaar_2024-05-07.csv', hash, ',firsttime=first_seen'),
  ),
  untitled(
    'abuse.ch/sslblacklist_2023-11-14.csv',
    1,
    column('SHA1', ',lasttime=Listingdate,description=Listingreason'),
  ),
  {
    file: 'abuse.ch/threatfox_recent_2026-07-09.json',
    flags: column('ioc_value', ',firsttime=first_seen_utc,lasttime=last_seen_utc'),
    indicators: (text) => jsonColumn(threatfox(text), 'ioc_value'),
    otherwise: (text) =>
      timesOf(jsonColumn(threatfox(text), 'first_seen_utc'), jsonColumn(threatfox(text), 'last_seen_utc')),
  },
  {
    ...untitled(
      'abuse.ch/threatfox_recent_2026-07-09_sample.csv',
      2,
      column('ioc_value', ',firsttime=first_seen_utc,lasttime=last_seen_utc,tags=tags'),
    ),
    otherwise: (text) => timesOf(columnOf(csvOf(text), 0), columnOf(csvOf(text), 8)),
  },
  titled('abuse.ch/urlhaus_2025-04-21.csv', 'url', ',firsttime=dateadded,lasttime=last_online,tags=tags'),
  untitled('abuse.ch/urlhaus_csv_2018-08-20.txt', 2, column('url', ',firsttime=dateadded,tags=tags')),
  titled('amnesty/2018-08-01_nso_indicators.csv', 'domain_name'),
  titled('amnesty/2018-08-01_nso_indicators.csv', 'ip_address'),
  plain('amnesty/2019-03-06_egypt_oauth_emails.txt'),
  plain('amnesty/2019-08-16_evolving_phishing_emails.txt'),
  plain('amnesty/2020-06-15_india_emails.txt'),
  plain('amnesty/2020-06-15_india_sha256.txt'),
  { ...titled('asn/bad-asn-list.csv', 'ASN', ',description=Entity', ['--itype', 'asn']), areAsns: true },
  titled('blackbook/blackbook.csv', 'Domain', ',firsttime=Date added'),
  {
    file: 'blocklistproject/ransomware-ags.txt',
    flags: remarks,
    indicators: (text) => linesOf(text).flatMap((line) => /^\|\|(.*)\^$/.exec(line)?.[1] ?? []),
  },
  {
    file: 'blocklistproject/ransomware.txt',
    flags: remarks,
    indicators: (text) => linesOf(text, true).map((line) => line.replace(/^0\.0\.0\.0\s+/, '')),
  },
  plain('chainapsis/block-list.txt'),
  untitled('csirtg/feed.txt', 1, ['--column', '2']),
  titled(
    'csirtg/feed2_csv.txt',
    'indicator',
    ',portlist=portlist,lasttime=updated_at,description=description',
  ),
  untitled('csirtg/feed_defanged.txt', 1, ['--column', '2']),
  plain('disposable-email/burner_emails.txt'),
  plain('disposable-email/disposable_email_blocklist.conf'),
  plain('emergingthreats/compromised-ips_2021.txt'),
  {
    file: 'eth-phishing-detect/config.json',
    flags: ['--rows', 'blacklist'],
    indicators: phishing,
  },
  remarked('firehol/et_compromised.ipset'),
  remarked('firehol/spamhaus_drop.netset'),
  remarked('firehol/tor_exits.ipset'),
  ...hashes(),
  ...infoblox(),
  // What is legitimate is allow data: a list that people must never block.
  titled('infoblox/turkiye_earthquake_legitimate_iocs.csv', 'indicator', '', ['--tags', 'allowlist']),
  {
    file: 'ipsum/ipsum.txt',
    flags: [...remarks, '--column', '1'],
    indicators: (text) => linesOf(text, true).map((line) => line.split('\t')[0] ?? ''),
  },
  plain('ipsum/levels-3.txt'),
  titled(
    'jacobrakai-honeypot/blocklist.csv',
    'ip',
    ',count=attempts,firsttime=first_seen,lasttime=last_seen',
  ),
  untitled('jacobrakai-honeypot/blocklist.misp.csv', 0, [
    '--column',
    'indicator=1,count=4,firsttime=5,lasttime=6',
  ]),
  {
    file: 'jacobrakai-honeypot/blocklist.json',
    flags: column('ip', ',count=attempts,firsttime=first_seen,lasttime=last_seen'),
    indicators: (text) => jsonColumn(honeypot(text), 'ip'),
  },
  remarked('jacobrakai-honeypot/blocklist.txt'),
  {
    file: 'logs/packetmail_feed.txt',
    flags: [...csv, ...remarks, '--column', 'indicator=1,lasttime=2,description=3'],
    indicators: (text) => columnOf(csvOf(text, ';'), 0),
  },
  remarked('maltrail/malware/asyncrat.txt'),
  remarked('maltrail/malware/emotet.txt'),
  remarked('maltrail/mass_scanner.txt'),
  plain('matomo/spammers.txt'),
  plain('phishing-database/phishing-IPs-ACTIVE.txt'),
  plain('phishing-database/phishing-links-2025-03.txt'),
  {
    // Tables among prose: the first word of a line is the indicator, where it has one.
    file: 'rapid7/BlackBasta_SocialEngineering_IOCs.txt',
    flags: ['--delimiter', 'whitespace', '--column', '1'],
    indicators: (text) => linesOf(text, true).map((line) => line.split(/\s+/)[0] ?? ''),
  },
  {
    ...titled('shadowwhisperer/Threats.csv', 'ip', ',firsttime=first_seen,lasttime=last_seen'),
    otherwise: (text) => timesOf(columnOf(csvOf(text), 'first_seen'), columnOf(csvOf(text), 'last_seen')),
  },
  titled('sinkholes/Sinkholes_List.csv', 'IP Range', ',description=Organization'),
  {
    file: 'spamhaus/asndrop.json',
    flags: [...column('asn'), '--itype', 'asn'],
    areAsns: true,
    indicators: (text) => jsonColumn(ndjson(text), 'asn'),
  },
  remarked('spamhaus/drop_2015.txt'),
  plain('spamhaus/drop_ipv6.txt'),
  {
    file: 'spamhaus/drop_v4.json',
    flags: column('cidr'),
    indicators: (text) => jsonColumn(ndjson(text), 'cidr'),
  },
  remarked('spamhaus/edrop_2015.txt'),
  plain('tor/tor-exit-nodes.lst'),
  ...tweetfeed(),
  plain('x4bnet/vpn_ipv4.txt'),
  plain('x4bnet/vpn_ipv6.txt'),
];

/** Volexity's reports, whose file names are their titles: all files of the directory. */
export function volexity(file: string): CorpusFile {
  return titled(file, 'value');
}
