import { canonicalise } from '../../indicator/canonical.ts';
import { quote } from '../../indicator/quote.ts';
import type { Itype } from '../../indicator/types.ts';
import { accept, type Parsed, refuse } from '../../parsed.ts';
import { warninglistLimits as limits } from './limits.ts';
import { type Effect, effectOf, type ListEffect } from './list-effects.ts';

/** One entry as a row to submit, with CIF's field names. */
export type WarninglistRow = {
  readonly indicator: string;
  readonly itype: Itype;
  readonly provider: string;
  readonly tags: readonly string[];
  readonly description: string;
  readonly confidence: 10;
  readonly tlp: 'clear';
};

/** What became of one entry; `place` counts the list's entries from 1. */
export type WarninglistEntry =
  /** It was in the list before, perhaps with a dot in front. */
  | { readonly kind: 'repeated'; readonly place: number }
  | { readonly kind: 'row'; readonly place: number; readonly row: WarninglistRow }
  | { readonly kind: 'refused'; readonly place: number; readonly code: string; readonly reason: string };

/** A warninglist of MISP (github.com/MISP/misp-warninglists, schema.json), checked but for its entries. */
export type Warninglist = {
  readonly name: string;
  readonly version: string;
  readonly type: (typeof types)[number];
  readonly category: string | undefined;
  /** What its entries may be, by MISP's attributes that it is for; undefined when it names none that we know. */
  readonly itypes: ReadonlySet<Itype> | undefined;
  readonly list: readonly unknown[];
};

export type WarninglistOptions = {
  /** The list's directory in MISP's repository, or its file's name: by it the list is known and its provider named. */
  readonly slug: string;
  readonly providerPrefix: string;
  readonly as: Effect | undefined;
};

/** MISP's attribute types, in parts: `domain|ip`, `ip-dst|port`, `filename|md5`, `x509-fingerprint-sha1`. */
const itypesByAttribute: readonly (readonly [RegExp, readonly Itype[]])[] = [
  [/\bip(?:-src|-dst)?\b/, ['ipv4', 'ipv6']],
  [/\b(?:domain|hostname)\b/, ['fqdn']],
  [/\b(?:url|uri|link)\b/, ['url']],
  [/\bemail\b/, ['email']],
  [/\bmd5\b/, ['md5']],
  [/\bsha1\b/, ['sha1']],
  [/\bsha256\b/, ['sha256']],
  [/\bsha512\b/, ['sha512']],
  [/\bAS\b/, ['asn']],
];

const types = ['cidr', 'hostname', 'string', 'substring', 'regex'] as const;

/** Reads the JSON of a list's file. Refuses what is no warninglist, and lists beyond the caps, with a reason. */
export function parseWarninglist(json: string): Parsed<Warninglist, 'no-warninglist' | 'too-long'> {
  let content: unknown;
  try {
    content = JSON.parse(json);
  } catch {
    return refuse('no-warninglist', 'it is no JSON');
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    return refuse('no-warninglist', 'it is no JSON object');
  }
  const { name, type, version, list, category, matching_attributes } = content as Readonly<
    Record<string, unknown>
  >;
  if (typeof name !== 'string' || name.trim() === '') return refuse('no-warninglist', 'it has no name');
  const known = types.find((each) => each === type);
  if (known === undefined) {
    return refuse('no-warninglist', `its type is none of ${types.join(', ')}`);
  }
  if (!Array.isArray(list)) return refuse('no-warninglist', 'it has no list');
  if (list.length > limits.entriesMax) {
    return refuse('too-long', `${list.length} entries; allowed are ${limits.entriesMax}`);
  }
  return accept({
    name: oneLine(name),
    version:
      typeof version === 'number' || typeof version === 'string' ? oneLine(String(version)) : 'unknown',
    type: known,
    category: typeof category === 'string' ? category : undefined,
    itypes: itypesOf(matching_attributes),
    list,
  });
}

/** What a list does, by the person's wish or by what is known of it. */
export function warninglistEffect(list: Warninglist, { slug, as }: WarninglistOptions): ListEffect {
  return effectOf(slug, list, as);
}

/** Each entry as a row, or refused with a reason. Lazy: a list may have a million. */
export function* warninglistEntries(
  list: Warninglist,
  options: WarninglistOptions,
): Generator<WarninglistEntry> {
  const { tags } = warninglistEffect(list, options);
  const provider = providerOf(options);
  const description = `${list.name}, version ${list.version}`;
  const seen = new Set<string>();
  for (const [i, entry] of list.list.entries()) {
    const place = i + 1;
    const read = readEntry(entry, list);
    if (!read.ok) {
      yield { kind: 'refused', place, code: read.code, reason: read.reason };
      continue;
    }
    const { itype, indicator } = read.value;
    if (seen.has(indicator)) {
      yield { kind: 'repeated', place };
      continue;
    }
    seen.add(indicator);
    const row = { indicator, itype, provider, tags, description, confidence: 10, tlp: 'clear' } as const;
    yield { kind: 'row', place, row };
  }
}

/** `warninglist:` and the list's own name, in the letters that a provider may have. */
export function providerOf({
  providerPrefix,
  slug,
}: Pick<WarninglistOptions, 'providerPrefix' | 'slug'>): string {
  const name = slug.replace(/[^A-Za-z0-9._@:-]+/g, '-').replace(/^-+|-+$/g, '');
  return `${providerPrefix}${name === '' ? 'list' : name}`.slice(0, limits.providerCharactersMax);
}

function readEntry(entry: unknown, { type, itypes }: Warninglist): ReturnType<typeof canonicalise> | Refused {
  if (typeof entry !== 'string') return refuse('wrong-type', 'it is no text');
  const text = entry.trim();
  if (text.length > limits.entryCharactersMax) {
    return refuse('too-long', `${text.length} characters; allowed are ${limits.entryCharactersMax}`);
  }
  const host = text.replace(/^\*?\./, '');
  if (type === 'regex' || (type === 'substring' && !canonicalise(host, 'fqdn').ok)) {
    return refuse(
      'pattern',
      `${quote(text)} is a pattern; an entry is one value, or a domain with all below it`,
    );
  }
  const detected = canonicalise(host);
  // One label has no shape of its own: stated as a name it is refused for what it is, a top-level domain.
  const isLabel = !detected.ok && detected.code === 'unrecognised' && itypes?.has('fqdn') !== false;
  const read = isLabel ? canonicalise(host, 'fqdn') : detected;
  if (!read.ok) return read;
  const allowed = type === 'cidr' ? networkItypes : itypes;
  if (allowed === undefined || allowed.has(read.value.itype)) return read;
  // The ssdeep of an empty file, `3::`, reads as an address.
  return refuse(
    'itype-mismatch',
    `${quote(text)} reads as ${read.value.itype}; allowed in this list are ${[...allowed].join(', ')}`,
  );
}

const networkItypes: ReadonlySet<Itype> = new Set(['ipv4', 'ipv6']);

function itypesOf(attributes: unknown): ReadonlySet<Itype> | undefined {
  if (!Array.isArray(attributes)) return undefined;
  const text = attributes.slice(0, limits.attributesMax).join(' ');
  const itypes = itypesByAttribute.flatMap(([pattern, found]) => (pattern.test(text) ? found : []));
  return itypes.length === 0 ? undefined : new Set(itypes);
}

type Refused = Parsed<never, 'wrong-type' | 'too-long' | 'pattern' | 'itype-mismatch'>;

function oneLine(text: string): string {
  return text
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, limits.nameCharactersMax);
}
