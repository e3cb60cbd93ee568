import { describe, expect, test } from 'vitest';

import { createAllowlist } from '../../../../src/feed/allowlist/allowlist.ts';
import type { AllowRecord } from '../../../../src/feed/allowlist/statement.ts';
import { canonicalise } from '../../../../src/indicator/canonical.ts';
import { dayMs, nowMs, recordOf } from '../../../support/records.ts';

const lists = {
  suppress: ['allowlist'],
  children: ['allowlist', 'allowlist-children'],
  exact: ['allowlist', 'allowlist-exact'],
  context: ['allowlist-context'],
  'exact context': ['allowlist-context', 'allowlist-exact'],
} as const;

type Entry = readonly [list: keyof typeof lists, indicator: string];

function allowlistOf(...entries: readonly Entry[]) {
  const allowlist = createAllowlist({ wallMs: () => nowMs });
  for (const [list, indicator] of entries) {
    allowlist.put(recordOf({ indicator, tags: [...lists[list]], provider: list.replace(' ', '-') }));
  }
  return {
    ...allowlist,
    of(text: string) {
      const canonical = canonicalise(text);
      if (!canonical.ok) throw new Error(canonical.reason);
      const { suppressedBy, context } = allowlist.check(canonical.value.itype, canonical.value.indicator);
      return {
        out: suppressedBy && `${suppressedBy.list} ${suppressedBy.entry}`,
        context: context.map(({ list, entry }) => `${list} ${entry}`),
      };
    },
  };
}

describe.each<
  readonly [why: string, entries: readonly Entry[], rows: readonly (readonly [string, string | undefined])[]]
>([
  [
    'an address is out by itself and by each network around it; a network by one that it contains',
    [
      ['suppress', '8.8.8.8'],
      ['suppress', '9.9.9.0/24'],
      ['suppress', '9.9.0.0/16'],
    ],
    [
      ['8.8.8.8', 'suppress 8.8.8.8'],
      ['8.8.8.9', undefined],
      ['9.9.9.9', 'suppress 9.9.9.0/24'],
      ['9.9.8.9', 'suppress 9.9.0.0/16'],
      ['9.9.9.128/25', 'suppress 9.9.9.0/24'],
      ['9.9.9.0/24', 'suppress 9.9.9.0/24'],
      // CIF lets a network pass that contains what is allow-listed.
      ['8.8.8.0/24', 'suppress 8.8.8.8'],
      ['8.0.0.0/8', 'suppress 8.8.8.8'],
      ['9.0.0.0/8', 'suppress 9.9.0.0/16'],
      ['8.8.8.0/29', undefined],
      ['11.0.0.0/8', undefined],
    ],
  ],
  [
    'IPv6 has 128 bits, not 32 as in CIF',
    [
      ['suppress', '2a00:1450:4001::/48'],
      ['suppress', '2606:4700:4700::1111'],
    ],
    [
      ['2a00:1450:4001:1::1', 'suppress 2a00:1450:4001::/48'],
      ['2a00:1450:4002::1', undefined],
      ['2a00:1450::/32', 'suppress 2a00:1450:4001::/48'],
      ['2606:4700:4700::1111', 'suppress 2606:4700:4700::1111'],
      ['2606:4700:4700::1112', undefined],
      ['2606:4700:4700::/64', 'suppress 2606:4700:4700::1111'],
      ['::ffff:8.8.8.8', undefined],
    ],
  ],
  [
    'special-purpose space is out without any entry, wherever it is written',
    [],
    [
      ['172.21.25.140', 'Private-Use (RFC 1918) 172.16.0.0/12'],
      ['100.64.1.1', 'Shared Address Space (RFC 6598) 100.64.0.0/10'],
      ['172.0.0.0/8', 'Private-Use (RFC 1918) 172.16.0.0/12'],
      ['fe80::1', 'Link-Local Unicast (RFC 4291) fe80::/10'],
      ['::ffff:10.1.2.3', 'Private-Use (RFC 1918) 10.0.0.0/8'],
      ['http://192.168.1.1/evil', 'Private-Use (RFC 1918) 192.168.0.0/16'],
      ['http://[::1]:8080/', 'Loopback Address (RFC 4291) ::1'],
      ['http://2130706433/', 'Loopback (RFC 1122) 127.0.0.0/8'],
      ['root@[10.0.0.1]', 'Private-Use (RFC 1918) 10.0.0.0/8'],
      ['root@[IPv6:fe80::1]', 'Link-Local Unicast (RFC 4291) fe80::/10'],
      ['8.8.8.8', undefined],
    ],
  ],
  [
    'a name is out by itself and by each name above it',
    [['suppress', 'google.com']],
    [
      ['google.com', 'suppress google.com'],
      // CIF v4 lets it pass.
      ['evil.google.com', 'suppress google.com'],
      ['a.b.c.google.com', 'suppress google.com'],
      ['GOOGLE.com.', 'suppress google.com'],
      ['evilgoogle.com', undefined],
      ['google.com.evil.example', undefined],
      ['google.co', undefined],
    ],
  ],
  [
    'an entry that is a public suffix means itself only, whoever put it there by mistake',
    [
      ['suppress', 'github.io'],
      ['suppress', 'blogspot.com'],
      ['children', 'co.uk'],
    ],
    [
      ['github.io', 'suppress github.io'],
      ['evil.github.io', undefined],
      ['http://evil.github.io/', undefined],
      ['evil.blogspot.com', undefined],
      ['evil.co.uk', 'children co.uk'],
      // Nobody's entry is needed to keep a whole suffix out of a feed.
      ['duckdns.org', 'public-suffix duckdns.org'],
      ['evil.duckdns.org', undefined],
    ],
  ],
  [
    'an exact entry means the name and what is at that host',
    [['exact', 'example.com']],
    [
      ['example.com', 'exact example.com'],
      ['www.example.com', undefined],
      ['http://example.com/a', 'exact example.com'],
      ['http://www.example.com/a', undefined],
    ],
  ],
  [
    'a URL is out by itself or by its host',
    [
      ['suppress', 'http://files.example.net/setup.exe?a=1'],
      ['suppress', 'example.com'],
      ['suppress', '9.9.9.0/24'],
    ],
    [
      ['http://files.example.net/setup.exe?a=1', 'suppress http://files.example.net/setup.exe?a=1'],
      ['http://files.example.net/setup.exe', undefined],
      ['http://files.example.net/Setup.exe?a=1', undefined],
      ['files.example.net', undefined],
      ['https://www.example.com:8443/evil', 'suppress example.com'],
      ['http://9.9.9.9/evil', 'suppress 9.9.9.0/24'],
      // The host is what a browser goes to, not what is shown.
      ['http://example.com@evil.example.org/', undefined],
      ['http://evil.example.org/?http://example.com/', undefined],
    ],
  ],
  [
    'at a hosting platform the host being vouched for does not hide the URL, and does keep out the name',
    [
      ['suppress', 'google.com'],
      ['context', 'docs.google.com'],
      ['suppress', 'www.dropbox.com'],
      ['suppress', 'dropbox.com'],
      ['context', 'dropbox.com'],
      ['suppress', 'https://docs.google.com/ours'],
      ['context', 'sharepoint.com'],
      ['children', 'ours.sharepoint.com'],
      ['suppress', 'wsimg.com'],
    ],
    [
      ['https://docs.google.com/forms/d/evil', undefined],
      ['docs.google.com', 'suppress google.com'],
      ['https://www.google.com/evil', 'suppress google.com'],
      ['https://www.dropbox.com/s/evil', undefined],
      ['www.dropbox.com', 'suppress www.dropbox.com'],
      ['https://docs.google.com/ours', 'suppress https://docs.google.com/ours'],
      ['https://ours.sharepoint.com/report', 'children ours.sharepoint.com'],
      ['https://evil.sharepoint.com/report', undefined],
      // A platform without any entry that says so.
      ['https://img1.wsimg.com/blobby/go/evil.pdf', undefined],
      ['img1.wsimg.com', 'suppress wsimg.com'],
    ],
  ],
  [
    'an e-mail address is out by itself or by its domain, unless the domain gives mailboxes to strangers',
    [
      ['suppress', 'noc@example.net'],
      ['suppress', 'example.com'],
      ['suppress', 'gmail.com'],
      ['suppress', 'friend@gmail.com'],
      ['suppress', 'mailinator.com'],
      ['context', 'mailinator.com'],
    ],
    [
      ['noc@example.net', 'suppress noc@example.net'],
      ['evil@example.net', undefined],
      ['anyone@example.com', 'suppress example.com'],
      ['anyone@mail.example.com', 'suppress example.com'],
      ['evil@gmail.com', undefined],
      ['friend@gmail.com', 'suppress friend@gmail.com'],
      ['gmail.com', 'suppress gmail.com'],
      ['http://gmail.com/', 'suppress gmail.com'],
      ['evil@mailinator.com', undefined],
    ],
  ],
  [
    'hashes and AS numbers are out by themselves',
    [
      ['suppress', 'd41d8cd98f00b204e9800998ecf8427e'],
      ['suppress', 'AS15169'],
      ['context', 'da39a3ee5e6b4b0d3255bfef95601890afd80709'],
    ],
    [
      ['D41D8CD98F00B204E9800998ECF8427E', 'suppress d41d8cd98f00b204e9800998ecf8427e'],
      ['d41d8cd98f00b204e9800998ecf8427f', undefined],
      ['AS15169', 'suppress AS15169'],
      ['AS1516', undefined],
      ['da39a3ee5e6b4b0d3255bfef95601890afd80709', undefined],
    ],
  ],
])('%s', (_, entries, rows) => {
  const allowlist = allowlistOf(...entries);
  test.each(rows)('%s: %s', (text, out) => {
    expect(allowlist.of(text).out).toBe(out);
  });
});

test('context is told, the closest first, and keeps nothing out', () => {
  const allowlist = allowlistOf(
    ['context', '13.64.0.0/11'],
    ['context', '13.64.1.0/24'],
    ['context', 'duckdns.org'],
    ['suppress', 'google.com'],
    ['context', 'docs.google.com'],
    ['exact context', 'archive.org'],
  );
  expect(allowlist.of('13.64.1.1')).toEqual({
    out: undefined,
    context: ['context 13.64.1.0/24', 'context 13.64.0.0/11'],
  });
  expect(allowlist.of('13.64.0.0/12')).toEqual({
    out: undefined,
    context: ['context 13.64.0.0/11', 'context 13.64.1.0/24'],
  });
  expect(allowlist.of('evil.duckdns.org')).toEqual({ out: undefined, context: ['context duckdns.org'] });
  expect(allowlist.of('https://docs.google.com/evil')).toEqual({
    out: undefined,
    context: ['context docs.google.com', 'suppress google.com'],
  });
  expect(allowlist.of('evil@gmail.com')).toEqual({ out: undefined, context: ['free-mail gmail.com'] });
  expect(allowlist.of('http://archive.org/a').context).toEqual(['exact-context archive.org']);
  expect(allowlist.of('http://www.archive.org/a').context).toEqual([]);
});

test('a network with thousands of a cloud in it is told a few of them', () => {
  const allowlist = createAllowlist({ wallMs: () => nowMs });
  for (let i = 0; i < 2_000; i++) {
    allowlist.put(recordOf({ indicator: `13.${i >> 8}.${i & 255}.0/24`, tags: ['allowlist-context'] }));
  }
  expect(allowlist.check('ipv4', '13.0.0.0/8').context).toHaveLength(20);
});

describe('a record that changes', () => {
  const google: AllowRecord = recordOf({ indicator: 'google.com', tags: ['allowlist'], provider: 'ours' });
  const listing = () => {
    let wallMs = nowMs;
    const allowlist = createAllowlist({ wallMs: () => wallMs });
    return {
      ...allowlist,
      isOut: () => allowlist.check('fqdn', 'www.google.com').suppressedBy !== undefined,
      passes(ms: number) {
        wallMs += ms;
      },
    };
  };

  test('removed, retracted, or without its tag it is no entry', () => {
    const allowlist = listing();
    for (const end of [
      () => allowlist.remove(google),
      () => allowlist.put({ ...google, retracted: { reason: 'a mistake' } }),
      () => allowlist.put({ ...google, tags: ['malware'] }),
      () => allowlist.put({ ...google, expiretimeMs: nowMs - 1 }),
    ]) {
      allowlist.put(google);
      expect([allowlist.isOut(), allowlist.size()]).toEqual([true, 1]);
      end();
      expect([allowlist.isOut(), allowlist.size()]).toEqual([false, 0]);
    }
  });

  test('said by two, it stays until both took it back; the first by name is told', () => {
    const allowlist = listing();
    allowlist.put({ ...google, provider: 'z' });
    allowlist.put({ ...google, provider: 'a' });
    allowlist.put({ ...google, provider: 'a', group: 'other' });
    expect(allowlist.size()).toBe(1);
    expect(allowlist.check('fqdn', 'google.com').suppressedBy?.list).toBe('a');
    allowlist.remove({ ...google, provider: 'a' });
    expect(allowlist.check('fqdn', 'google.com').suppressedBy?.list).toBe('a');
    allowlist.remove({ ...google, provider: 'a', group: 'other' });
    expect(allowlist.check('fqdn', 'google.com').suppressedBy?.list).toBe('z');
    allowlist.remove({ ...google, provider: 'z' });
    expect(allowlist.isOut()).toBe(false);
  });

  test('it ends at its expiretime, and the version tells', () => {
    const allowlist = listing();
    allowlist.put({ ...google, expiretimeMs: nowMs + dayMs });
    allowlist.put({ ...google, provider: 'longer', expiretimeMs: nowMs + 2 * dayMs });
    const version = allowlist.version();
    allowlist.passes(dayMs - 1);
    expect([allowlist.isOut(), allowlist.version() === version]).toEqual([true, true]);
    allowlist.passes(1);
    expect(allowlist.version()).not.toBe(version);
    expect(allowlist.check('fqdn', 'google.com').suppressedBy?.list).toBe('longer');
    allowlist.passes(dayMs);
    expect([allowlist.isOut(), allowlist.size()]).toEqual([false, 0]);
  });

  test('its expiretime moved or dropped, it stays', () => {
    const allowlist = listing();
    allowlist.put({ ...google, expiretimeMs: nowMs + 1 });
    allowlist.put({ ...google, expiretimeMs: nowMs + dayMs });
    allowlist.passes(dayMs - 1);
    expect(allowlist.isOut()).toBe(true);
    allowlist.put(google);
    allowlist.passes(10 * dayMs);
    expect(allowlist.isOut()).toBe(true);
  });

  test('an end that is moved thousands of times holds no more than the last few', () => {
    const allowlist = listing();
    for (let i = 1; i <= 5_000; i++) {
      allowlist.put({ ...google, expiretimeMs: nowMs + dayMs + i });
      allowlist.version();
    }
    allowlist.passes(dayMs + 4_999);
    expect(allowlist.isOut()).toBe(true);
    allowlist.passes(1);
    expect(allowlist.isOut()).toBe(false);
  });

  test('said again it changes nothing: what was checked stands', () => {
    const allowlist = listing();
    allowlist.put(google);
    const version = allowlist.version();
    allowlist.put({ ...google, tags: ['allowlist', 'popular'] });
    expect(allowlist.version()).toBe(version);
    allowlist.put({ ...google, tags: ['allowlist-context'] });
    expect(allowlist.version()).not.toBe(version);
    expect(allowlist.isOut()).toBe(false);
  });
});
