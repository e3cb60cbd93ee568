import fc from 'fast-check';
import { expect, test } from 'vitest';

import { type AllowMatch, createAllowlist } from '../../src/feed/allowlist/allowlist.ts';
import { createExpiries } from '../../src/feed/allowlist/expiries.ts';
import { canonicalise } from '../../src/indicator/canonical.ts';
import type { Itype } from '../../src/indicator/types.ts';
import { bruteForceAllowlist, type PlainEntry } from '../support/brute-force-allowlist.ts';

const clock = { wallMs: () => Date.UTC(2026, 5, 1) };

// Few values, so that they meet: below one /16 and one /32, and names of few labels. Public suffixes are among them.
const octet = fc.constantFrom(0, 1, 8, 64, 128, 255);
const ipv4 = fc
  .tuple(
    fc.constantFrom('8.8', '8.9', '10.0'),
    octet,
    octet,
    fc.constantFrom(8, 14, 16, 17, 24, 25, 31, 32, 32, 32),
  )
  .map(([start, c, d, prefix]) => masked(`${start}.${c}.${d}`, prefix));
const group = fc.constantFrom('0', '1', '8000', 'ffff');
const ipv6 = fc
  .tuple(
    fc.constantFrom('2a00:1450', '2a00:1451', 'fe80:0'),
    fc.array(group, { minLength: 6, maxLength: 6 }),
    fc.constantFrom(16, 31, 32, 33, 64, 65, 127, 128, 128, 128),
  )
  .map(([start, groups, prefix]) => masked6(`${start}:${groups.join(':')}`, prefix));
const label = fc.constantFrom('a', 'b', 'www', 'evil');
const root = fc.constantFrom(
  'example.com',
  'github.io',
  'co.uk',
  'gmail.com',
  'wsimg.com',
  'a.github.io',
  'docs.google.com',
  'google.com',
);
const name = fc
  .tuple(fc.array(label, { maxLength: 2 }), root)
  .map(([labels, top]) => [...labels, top].join('.'));
const host = fc.oneof(
  name,
  name,
  ipv4.map((network) => network.split('/')[0] ?? ''),
  ipv6.map((network) => `[${network.split('/')[0]}]`),
);
const url = fc
  .tuple(
    fc.constantFrom('http://', 'https://', 'http://user@'),
    host,
    fc.constantFrom('/', ':8080/a', '/a?b', '/a@b'),
  )
  .map((parts) => parts.join(''));
const email = fc
  .tuple(fc.constantFrom('a', 'b@'), host)
  .map(([local, at]) => `${local.replace('@', '')}@${at.startsWith('[') ? at.replace('[', '[IPv6:') : at}`)
  .map((text) => text.replace(/@(\d+\.\d+\.\d+\.\d+)$/, '@[$1]'));
const hash = fc.constantFrom(
  '0'.repeat(32),
  'a'.repeat(32),
  'a'.repeat(40),
  'b'.repeat(64),
  'AS64500',
  'AS64501',
);
const value = fc.oneof(ipv4, ipv6, name, url, email, hash).map((text) => {
  const canonical = canonicalise(text);
  if (!canonical.ok) throw new Error(canonical.reason);
  return canonical.value;
});
const tags = fc.constantFrom(
  ['allowlist'],
  ['allowlist'],
  ['allowlist'],
  ['allowlist-context'],
  ['allowlist', 'allowlist-children'],
  ['allowlist', 'allowlist-exact'],
  ['allowlist-context', 'allowlist-exact'],
  ['malware'],
);
const entry = fc
  .tuple(value, tags, fc.constantFrom('p', 'q', 'r'))
  .map(([canonical, said, provider]): PlainEntry & { readonly itype: Itype } => ({
    ...canonical,
    tags: said,
    provider,
  }));
const step = fc.oneof(
  { weight: 3, arbitrary: entry.map((put) => ({ put })) },
  { weight: 1, arbitrary: entry.map((remove) => ({ remove })) },
  { weight: 2, arbitrary: value.map((check) => ({ check })) },
);

test('whatever is put and removed, it says what the brute-force checker says', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const allowlist = createAllowlist(clock);
      const plain = new Map<string, PlainEntry>();
      for (const each of steps) {
        if ('put' in each) {
          allowlist.put({ ...each.put, group: 'everyone' });
          plain.set(keyOf(each.put), each.put);
        } else if ('remove' in each) {
          allowlist.remove({ ...each.remove, group: 'everyone' });
          plain.delete(keyOf(each.remove));
        } else {
          const { itype, indicator } = each.check;
          const entries = [...plain.values()].filter(({ tags }) => !tags.includes('malware'));
          const forbidding = bruteForceAllowlist(entries)(itype, indicator);
          const { suppressedBy } = allowlist.check(itype, indicator);
          expect(suppressedBy === undefined, JSON.stringify({ each, forbidding, suppressedBy })).toBe(
            forbidding.length === 0,
          );
          if (suppressedBy !== undefined && !isBuiltIn(suppressedBy)) {
            expect(forbidding.map(({ provider, indicator: of }) => `${provider} ${of}`)).toContain(
              `${suppressedBy.list} ${suppressedBy.entry}`,
            );
          }
        }
      }
    }),
    { numRuns: 1_000 },
  );
});

test('what is said does not depend on the order in which entries came, nor on what was there between', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(entry, { selector: keyOf, maxLength: 20 }),
      fc.array(entry, { maxLength: 5 }),
      fc.array(value, { minLength: 5, maxLength: 10 }),
      (entries, passing, values) => {
        const one = createAllowlist(clock);
        for (const each of entries) one.put({ ...each, group: 'everyone' });
        const other = createAllowlist(clock);
        for (const each of passing) other.put({ ...each, group: 'passing' });
        for (const { itype, indicator } of values) other.check(itype, indicator);
        for (const each of entries.toReversed()) other.put({ ...each, group: 'everyone' });
        for (const each of passing) other.remove({ ...each, group: 'passing' });
        for (const { itype, indicator } of values) {
          expect(other.check(itype, indicator)).toEqual(one.check(itype, indicator));
        }
        expect(other.size()).toBe(one.size());
      },
    ),
    { numRuns: 300 },
  );
});

test('what is due is taken in the order of its time, and nothing before it', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50)), fc.nat(50), (times, nowMs) => {
      const expiries = createExpiries<number>();
      for (const atMs of times) expiries.add(atMs, atMs);
      const taken: number[] = [];
      for (let due = expiries.takeDue(nowMs); due !== undefined; due = expiries.takeDue(nowMs))
        taken.push(due);
      expect(taken).toEqual(times.filter((atMs) => atMs <= nowMs).sort((a, b) => a - b));
      expect(expiries.size()).toBe(times.length - taken.length);
    }),
  );
});

function keyOf({ itype, indicator, provider }: PlainEntry): string {
  return `${itype} ${indicator} ${provider}`;
}

function isBuiltIn({ list }: AllowMatch): boolean {
  return !['p', 'q', 'r'].includes(list);
}

function masked(address: string, prefix: number): string {
  const bits = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const low = Math.floor(bits / 2 ** (32 - prefix)) * 2 ** (32 - prefix);
  const text = [24, 16, 8, 0].map((shift) => Math.floor(low / 2 ** shift) % 256).join('.');
  return prefix === 32 ? text : `${text}/${prefix}`;
}

function masked6(address: string, prefix: number): string {
  const bits = address
    .split(':')
    .map((part) => Number.parseInt(part, 16).toString(2).padStart(16, '0'))
    .join('');
  const low = bits.slice(0, prefix).padEnd(128, '0').match(/.{16}/g) ?? [];
  const text = low.map((part) => Number.parseInt(part, 2).toString(16)).join(':');
  return prefix === 128 ? text : `${text}/${prefix}`;
}
