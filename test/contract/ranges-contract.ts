import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readNetwork } from '../../src/indicator/address.ts';
import type { IndicatorRecord } from '../../src/indicator/types.ts';
import type { KeyRange } from '../../src/store/keys.ts';
import type { IndicatorStore } from '../../src/store/store.ts';
import {
  allOf,
  atHost,
  beginningWith,
  covering,
  exactly,
  inside,
  namesBelow,
} from '../../src/store/value-ranges.ts';
import { batchesOf, identityOf, observation, type StorePlace } from './store-contract.ts';

const values = [
  '192.0.2.0/24',
  '192.0.2.0/25',
  '192.0.2.0',
  '192.0.2.127',
  '192.0.2.128/25',
  '192.0.2.255',
  '192.0.3.0',
  '192.0.0.0/16',
  '128.0.0.0/1',
  '0.0.0.0/1',
  '2001:db8::/32',
  '2001:db8::1',
  'com.example.net',
  'example.com',
  'example.com.test',
  'a.example.com',
  'b.a.example.com',
  'aexample.com',
  'example-a.com',
  '_x.example.com',
  'http://example.com/a',
  'https://example.com:8443/b',
  'http://www.example.com/',
  'http://example.co/',
  'http://192.0.2.1/x',
  'a@example.com',
  'b@mail.example.com',
  'ß@example.com',
  'a@example.co',
  `${'a'.repeat(31)}0`,
  `${'a'.repeat(31)}1`,
  `${'a'.repeat(30)}b1`,
  `${'a'.repeat(39)}2`,
];

/** What every IndicatorStore promises of ranges, run against each of them. */
export function rangesContract(name: string, makePlace: () => Promise<StorePlace>): void {
  describe(`ranges ${name}`, () => {
    let place: StorePlace;
    let store: IndicatorStore;

    beforeEach(async () => {
      place = await makePlace();
      store = await place.open();
      const bodies = values.flatMap((value) => [
        observation(value, { provider: 'one' }),
        observation(value, { provider: 'two' }),
      ]);
      await store.commit(batchesOf(identityOf(1), 1, bodies));
    });
    afterEach(async () => {
      await store.close();
      await place.remove();
    });

    /** Read in pages, each value of which stands there for its two providers. */
    async function valuesIn(ranges: readonly KeyRange[], limit = 3): Promise<readonly string[]> {
      const records: IndicatorRecord[] = [];
      let after: string | undefined;
      do {
        const page = await store.inRanges(ranges, after, limit);
        expect(page.records.length).toBeLessThanOrEqual(limit);
        records.push(...page.records);
        if (page.next !== undefined)
          expect(page.next).toBe(store.itypeKeyOf(page.records.at(-1) as IndicatorRecord));
        after = page.next;
      } while (after !== undefined);
      const found = [...new Set(records.map(({ indicator }) => indicator))];
      expect(records.map(({ indicator, provider }) => `${indicator} ${provider}`)).toEqual(
        found.flatMap((indicator) => [`${indicator} one`, `${indicator} two`]),
      );
      return found;
    }

    const cases: readonly (readonly [string, readonly KeyRange[], readonly string[]])[] = [
      ['one value', [exactly('fqdn', 'example.com')], ['example.com']],
      ['a value that nobody knows', [exactly('fqdn', 'example.org')], []],
      ['no range at all', [], []],
      [
        'what lies inside a network',
        inside('ipv4', '192.0.2.0/24'),
        ['192.0.2.0/25', '192.0.2.0', '192.0.2.127', '192.0.2.128/25', '192.0.2.255'],
      ],
      ['what lies inside an address', inside('ipv4', '192.0.2.0'), []],
      ['what lies inside an IPv6 network', inside('ipv6', '2001:db8::/32'), ['2001:db8::1']],
      [
        'the networks that cover an address',
        covering(readNetwork('192.0.2.127')),
        ['128.0.0.0/1', '192.0.0.0/16', '192.0.2.0/24', '192.0.2.0/25'],
      ],
      [
        'the networks that cover a network',
        covering(readNetwork('192.0.2.0/24')),
        ['128.0.0.0/1', '192.0.0.0/16'],
      ],
      ['the networks that cover half of the Internet', covering(readNetwork('128.0.0.0/1')), []],
      ['the networks that cover an IPv6 address', covering(readNetwork('2001:db8::ffff')), ['2001:db8::/32']],
      [
        'the names below a name',
        [namesBelow('example.com')],
        ['_x.example.com', 'a.example.com', 'b.a.example.com'],
      ],
      [
        'the names below a label',
        [namesBelow('com')],
        [
          'aexample.com',
          'example-a.com',
          'example.com',
          '_x.example.com',
          'a.example.com',
          'b.a.example.com',
        ],
      ],
      [
        'the URLs at a host',
        [atHost('url', 'example.com', false)],
        ['http://example.com/a', 'https://example.com:8443/b'],
      ],
      [
        'the URLs at a host and below it',
        [atHost('url', 'example.com', true)],
        ['http://example.com/a', 'https://example.com:8443/b', 'http://www.example.com/'],
      ],
      ['the URLs at an address', [atHost('url', '192.0.2.1', false)], ['http://192.0.2.1/x']],
      [
        'the e-mail addresses at a host',
        [atHost('email', 'example.com', false)],
        ['a@example.com', 'ß@example.com'],
      ],
      [
        'the e-mail addresses at a host and below it',
        [atHost('email', 'example.com', true)],
        ['a@example.com', 'ß@example.com', 'b@mail.example.com'],
      ],
      [
        'the hashes that begin so',
        [beginningWith('md5', 'a'.repeat(31))],
        [`${'a'.repeat(31)}0`, `${'a'.repeat(31)}1`],
      ],
      ['an e-mail address beyond ASCII', [exactly('email', 'ß@example.com')], ['ß@example.com']],
      ['an itype', [allOf('sha1')], [`${'a'.repeat(39)}2`]],
      [
        'ranges of several itypes',
        [
          exactly('fqdn', 'a.example.com'),
          exactly('fqdn', 'nobody.test'),
          exactly('ipv4', '192.0.3.0'),
          allOf('sha1'),
        ],
        ['a.example.com', '192.0.3.0', `${'a'.repeat(39)}2`],
      ],
    ];
    for (const [what, ranges, expected] of cases) {
      test(`${what}: in one page and in many, alone and among others`, async () => {
        for (const limit of [1, 2, 3, 100]) expect(await valuesIn(ranges, limit)).toEqual(expected);
        const each = await store.ofEachRange([...ranges, allOf('fqdn'), ...ranges], 100, 10_000);
        expect(each).toHaveLength(ranges.length * 2 + 1);
        const names = each.map(({ records }) => records.map(({ indicator }) => indicator));
        const own = [...new Set(names.slice(0, ranges.length).flat())];
        expect(own).toEqual(expected);
        expect(names.slice(ranges.length + 1)).toEqual(names.slice(0, ranges.length));
        expect(new Set(names[ranges.length]).size).toBe(8);
      });
    }

    test('of each range no more is given than was asked, and it is said that there is more', async () => {
      const ranges = [exactly('fqdn', 'example.com'), allOf('fqdn'), exactly('fqdn', 'nobody.test')];
      const [exact, all, none] = await store.ofEachRange(ranges, 2, 100);
      expect(exact).toMatchObject({ more: false, records: [{ provider: 'one' }, { provider: 'two' }] });
      expect(all?.records).toHaveLength(2);
      expect(all?.more).toBe(true);
      expect(none).toEqual({ records: [], more: false });
      const capped = await store.ofEachRange(ranges, 100, 3);
      expect(capped.reduce((sum, { records }) => sum + records.length, 0)).toBe(3);
      expect(capped.map(({ more }) => more)).toContain(true);
      expect(capped[2]?.more).toBe(false);
      expect(await store.ofEachRange([], 1, 1)).toEqual([]);
    });

    test('newest first, from a time on', async () => {
      const all = (await store.newest(undefined, 1_000)).records;
      const middleMs = all[10]?.reporttimeMs ?? 0;
      const { records } = await store.newest(store.newestFrom(middleMs), 1_000);
      expect(records).toEqual(all.slice(10));
    });
  });
}
