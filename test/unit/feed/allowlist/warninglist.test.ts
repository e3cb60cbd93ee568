import { describe, expect, test } from 'vitest';
import { warninglistLimits } from '../../../../src/feed/allowlist/limits.ts';
import { effectOf } from '../../../../src/feed/allowlist/list-effects.ts';
import {
  parseWarninglist,
  providerOf,
  warninglistEntries,
} from '../../../../src/feed/allowlist/warninglist.ts';

const options = { slug: 'some', providerPrefix: 'warninglist:', as: undefined } as const;

function entriesOf(fields: Readonly<Record<string, unknown>>, slug: string = options.slug) {
  const list = parseWarninglist(JSON.stringify({ name: 'Some list', version: 3, ...fields }));
  if (!list.ok) throw new Error(list.reason);
  return [...warninglistEntries(list.value, { ...options, slug })].map((entry) => {
    if (entry.kind === 'row') return `${entry.place}: ${entry.row.itype} ${entry.row.indicator}`;
    return entry.kind === 'repeated' ? `${entry.place} repeated` : `${entry.place}! ${entry.code}`;
  });
}

test('an entry becomes a row that says which list it is of', () => {
  const list = parseWarninglist(
    JSON.stringify({ name: 'Known\u0007  things', version: 20260811, type: 'cidr', list: ['8.8.8.0/24'] }),
  );
  if (!list.ok) throw new Error(list.reason);
  expect([...warninglistEntries(list.value, { ...options, slug: 'amazon-aws' })]).toEqual([
    {
      kind: 'row',
      place: 1,
      row: {
        indicator: '8.8.8.0/24',
        itype: 'ipv4',
        provider: 'warninglist:amazon-aws',
        tags: ['allowlist-context'],
        description: 'Known things, version 20260811',
        confidence: 10,
        tlp: 'clear',
      },
    },
  ]);
});

test.each([
  [
    'networks',
    { type: 'cidr', list: ['FE80::/10', '8.8.8.8/32', '8.8.8.8', '8.8.8.1/24', 'example.com', 5] },
    [
      '1: ipv6 fe80::/10',
      '2: ipv4 8.8.8.8',
      '3 repeated',
      '4! host-bits',
      '5! itype-mismatch',
      '6! wrong-type',
    ],
  ],
  [
    'host names, with a dot or a star in front for what is below',
    {
      type: 'hostname',
      list: ['.google.ad', 'Google.AD.', '*.example.com', 'münchen.example', 'localhost', 'a b'],
    },
    [
      '1: fqdn google.ad',
      '2 repeated',
      '3: fqdn example.com',
      '4: fqdn xn--mnchen-3ya.example',
      '5! bad-host',
      '6! whitespace',
    ],
  ],
  [
    'texts of any kind',
    {
      type: 'string',
      list: ['example.com', 'http://example.com/A', 'a@example.com', 'A'.repeat(40), 'AS64500'],
    },
    [
      '1: fqdn example.com',
      '2: url http://example.com/A',
      '3: email a@example.com',
      `4: sha1 ${'a'.repeat(40)}`,
      '5: asn AS64500',
    ],
  ],
  [
    'only what the list is for: the ssdeep of an empty file reads as an address',
    {
      type: 'string',
      matching_attributes: ['md5', 'filename|sha1', 'ssdeep'],
      list: ['3::', '0'.repeat(32), '0'.repeat(40)],
    },
    ['1! itype-mismatch', `2: md5 ${'0'.repeat(32)}`, `3: sha1 ${'0'.repeat(40)}`],
  ],
  [
    'parts of texts only where they are host names',
    { type: 'substring', list: ['virustotal.com', '/wp-content/', 'evil'] },
    ['1: fqdn virustotal.com', '2! pattern', '3! pattern'],
  ],
  ['no patterns', { type: 'regex', list: ['/^(noc|abuse)@/i', 'example.com'] }, ['1! pattern', '2! pattern']],
])('%s', (_, fields, expected) => {
  expect(entriesOf(fields)).toEqual(expected);
});

test('a refusal shows what cannot be shown as escapes, and is short', () => {
  const list = parseWarninglist(
    JSON.stringify({ name: 'x', type: 'regex', list: [`\u001b${'a'.repeat(500)}`] }),
  );
  if (!list.ok) throw new Error(list.reason);
  const [entry] = warninglistEntries(list.value, options);
  expect(entry?.kind === 'refused' && entry.reason).toMatch(/^"\\u001ba{70,80}…" is a pattern/);
});

test.each([
  ['{', 'it is no JSON'],
  ['[]', 'it is no JSON object'],
  ['null', 'it is no JSON object'],
  ['{"type":"cidr","list":[]}', 'it has no name'],
  ['{"name":"a","type":"glob","list":[]}', 'its type is none of cidr, hostname, string, substring, regex'],
  ['{"name":"a","type":"cidr"}', 'it has no list'],
  ['<!DOCTYPE html>', 'it is no JSON'],
])('%s is no warninglist', (json, reason) => {
  expect(parseWarninglist(json)).toEqual({ ok: false, code: 'no-warninglist', reason });
});

test('entries are capped', () => {
  const json = (count: number) => `{"name":"a","type":"cidr","list":[${'0,'.repeat(count - 1)}0]}`;
  expect(parseWarninglist(json(warninglistLimits.entriesMax)).ok).toBe(true);
  expect(parseWarninglist(json(warninglistLimits.entriesMax + 1))).toMatchObject({
    ok: false,
    code: 'too-long',
  });
  const long = (length: number) => entriesOf({ type: 'hostname', list: ['a'.repeat(length)] });
  expect(long(warninglistLimits.entryCharactersMax + 1)).toEqual(['1! too-long']);
});

test('the provider has the letters and the length that a provider may have', () => {
  expect(providerOf({ providerPrefix: 'warninglist:', slug: 'eicar.com' })).toBe('warninglist:eicar.com');
  expect(providerOf({ providerPrefix: 'w:', slug: 'Our lists/new "x"' })).toBe('w:Our-lists-new-x');
  expect(providerOf({ providerPrefix: 'w:', slug: '   ' })).toBe('w:list');
  expect(providerOf({ providerPrefix: 'w:', slug: 'a'.repeat(100) })).toHaveLength(64);
});

describe('what a list does', () => {
  test.each<
    readonly [
      slug: string,
      name: string,
      category: string | undefined,
      wish: 'suppress' | 'context' | undefined,
      string,
    ]
  >([
    ['amazon-aws', 'AWS', undefined, undefined, 'allowlist-context'],
    ['amazon-aws', 'AWS', 'False positive', undefined, 'allowlist-context'],
    ['amazon-aws', 'AWS', undefined, 'suppress', 'allowlist'],
    ['dynamic-dns', 'List of known dynamic DNS domains', undefined, undefined, 'allowlist-context'],
    ['tranco10k', 'Top 10K', undefined, undefined, 'allowlist'],
    ['tranco10k', 'Top 10K', undefined, 'context', 'allowlist-context'],
    ['second-level-tlds', 'x', undefined, undefined, 'allowlist allowlist-exact'],
    ['digitalside', 'x', undefined, undefined, 'allowlist-context allowlist-exact'],
    ['new-list', 'x', 'Known identifier', undefined, 'allowlist-context'],
    ['new-list', 'x', 'known', undefined, 'allowlist-context'],
    ['new-list', 'Cloud things', 'false_positive', undefined, 'allowlist'],
    ['new-list', 'Networks of a new cloud', undefined, undefined, 'allowlist-context'],
    ['new-list', 'VPN exits', undefined, undefined, 'allowlist-context'],
    ['new-list', 'Torino theatres', undefined, undefined, 'allowlist'],
  ])('%s, "%s", category %s, wish %s: %s', (slug, name, category, wish, tags) => {
    expect(effectOf(slug, { name, category }, wish).tags.join(' ')).toBe(tags);
  });
});
