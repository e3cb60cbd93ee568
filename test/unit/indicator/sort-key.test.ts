import { describe, expect, test } from 'vitest';

import { valueKey } from '../../../src/indicator/sort-key.ts';
import type { Itype } from '../../../src/indicator/types.ts';

test.each<[Itype, string, string]>([
  ['ipv4', '192.0.2.1', `${'0'.repeat(24)}c000020120`],
  ['ipv4', '192.0.2.0/24', `${'0'.repeat(24)}c000020018`],
  ['ipv6', '2001:db8::1', '20010db800000000000000000000000180'],
  ['ipv6', '2001:db8::/32', '20010db800000000000000000000000020'],
  ['fqdn', 'www.example.com', 'com.example.www.'],
  ['url', 'http://www.example.com/a?b', 'com.example.www. http:///a?b'],
  ['url', 'https://u:p@example.com:8443/a@b', 'com.example. https://u:p@:8443/a@b'],
  ['url', 'http://192.0.2.1:8080/x', '4:c0000201 http://:8080/x'],
  ['url', 'http://[2001:db8::1]/x', '6:20010db8000000000000000000000001 http:///x'],
  ['email', 'Name@mail.example.com', 'com.example.mail. Name'],
  ['email', 'a@[192.0.2.1]', '4:c0000201 a'],
  ['email', 'a@[IPv6:2001:db8::1]', '6:20010db8000000000000000000000001 a'],
  ['md5', 'd41d8cd98f00b204e9800998ecf8427e', 'd41d8cd98f00b204e9800998ecf8427e'],
  ['asn', 'AS64500', '0000064500'],
  ['ssdeep', '3:aaaaaaa:b', '3:aaaaaaa:b'],
  ['ja3', 'd41d8cd98f00b204e9800998ecf8427e', 'd41d8cd98f00b204e9800998ecf8427e'],
  ['btc', '1111111111111111111114oLvT2', '1111111111111111111114oLvT2'],
])('the key of %s %s is %s', (itype, indicator, key) => {
  expect(valueKey(itype, indicator)).toBe(key);
});

test('text that is not canonical throws: it is our own mistake', () => {
  expect(() => valueKey('ipv4', 'example.com')).toThrow(/not canonical/);
  expect(() => valueKey('url', 'example.com')).toThrow(/no canonical URL/);
});

describe('a range of keys means something', () => {
  function sorted(itype: Itype, indicators: readonly string[]): readonly string[] {
    const keys = new Map(indicators.map((indicator) => [valueKey(itype, indicator), indicator]));
    return [...keys]
      .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      .map(([, value]) => value);
  }

  test('a network stands before what it contains, and nothing else stands between', () => {
    const order = [
      '192.0.0.0/16',
      '192.0.1.255',
      '192.0.2.0/24',
      '192.0.2.0/25',
      '192.0.2.0',
      '192.0.2.255',
      '192.0.3.0',
    ];
    expect(sorted('ipv4', [...order].reverse())).toEqual(order);
  });

  test('a name stands before its subdomains, and no other name stands between', () => {
    const order = ['example-a.com', 'example.com', 'a.example.com', 'b.a.example.com', 'a-b.example.com'];
    const inOrder = sorted('fqdn', [...order].reverse());
    const first = inOrder.indexOf('example.com');
    expect(new Set(inOrder.slice(first, first + 4))).toEqual(new Set(order.slice(1)));
  });
});
