import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { IndicatorRecord } from '../../src/indicator/types.ts';
import { readAsked } from '../../src/query/asked.ts';
import type { Filter } from '../../src/query/filter.ts';
import { type Match, type Relation, relations } from '../../src/query/match.ts';
import { runQuery } from '../../src/query/query.ts';
import { searchValues } from '../../src/query/search.ts';
import { type Sort, sortNames } from '../../src/query/sort.ts';
import type { IndicatorStore } from '../../src/store/store.ts';
import { dayMs, type Fields, nowMs, storeOf } from '../support/records.ts';

/*
 * Answers against a search that looks at every record and knows nothing of keys, ranges or pages. Its universe is small, so
 * that networks contain one another and names lie below one another.
 */

const octet = fc.constantFrom(0, 1, 127, 128, 255);
const ipv4 = fc
  .tuple(fc.constantFrom(10, 192), octet, octet, octet, fc.constantFrom(1, 2, 8, 15, 16, 17, 24, 31, 32))
  .map(([a, b, c, d, prefix]) => {
    const low = Math.floor((((a * 256 + b) * 256 + c) * 256 + d) / 2 ** (32 - prefix)) * 2 ** (32 - prefix);
    const address = [24, 16, 8, 0].map((shift) => Math.floor(low / 2 ** shift) % 256).join('.');
    return prefix === 32 ? address : `${address}/${prefix}`;
  });
const ipv6 = fc.constantFrom(
  '2001:db8::/32',
  '2001:db8::/33',
  '2001:db8::/127',
  '2001:db8::',
  '2001:db8::1',
  '2001:db8:8000::/33',
  '2001:db8:ffff::1',
  '8000::/1',
);
const label = fc.constantFrom('a', 'a-b', 'ab', '_x', 'login', 'example');
const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => `${labels.join('.')}.test`);
const host = fc.oneof(
  name,
  ipv4.filter((text) => !text.includes('/')),
);
const url = fc
  .tuple(host, fc.constantFrom('/', '/a', '/a,b.test', ':8080/'))
  .map(([at, rest]) => `http://${at}${rest}`);
const email = fc.tuple(fc.constantFrom('a', 'ß', 'Z'), name).map(([local, at]) => `${local}@${at}`);
const hash = fc.constantFrom('a'.repeat(32), `${'a'.repeat(31)}b`, 'a'.repeat(40), 'AS64500');
const value = fc.oneof(ipv4, ipv6, name, url, email, hash);

const row: fc.Arbitrary<Fields> = fc.record({
  indicator: value,
  provider: fc.constantFrom('one', 'two'),
  confidence: fc.integer({ min: 0, max: 10 }),
  tags: fc.constantFrom('', 'c2', 'c2,phishing'),
  tlp: fc.constantFrom('clear', 'red'),
  cc: fc.constantFrom('DE', 'FR', ''),
  asn: fc.constantFrom(64500, 64501, ''),
  lasttime: fc.integer({ min: 1, max: 5 }).map((days) => new Date(nowMs - days * dayMs).toISOString()),
});

const choice = (...names: readonly string[]) =>
  fc
    .constantFrom(...names)
    .chain((one) => fc.constantFrom({ any: [one], none: [] }, { any: [], none: [one] }));
const filter: fc.Arbitrary<Filter> = fc.record(
  {
    itypes: fc.subarray(['ipv4', 'fqdn', 'url', 'email'] as const, { minLength: 1 }),
    tags: choice('c2', 'phishing'),
    provider: choice('one'),
    tlp: choice('red'),
    cc: choice('DE'),
    asn: choice('64500'),
    confidence: fc.constantFrom({ min: 5, max: 10 }, { min: 0, max: 4 }),
    observed: fc.constantFrom({ fromMs: nowMs - 3 * dayMs }, { toMs: nowMs - 3 * dayMs }),
  },
  { requiredKeys: [] },
);
const question = fc.oneof(
  { weight: 4, arbitrary: value },
  { weight: 1, arbitrary: fc.array(value, { minLength: 2, maxLength: 3 }).map((values) => values.join(',')) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('*.test', '*.a.test', '*a*', 'a.*', '*login*.test', 'aaaaaaaaaa*'),
  },
);
const related = fc.subarray([...relations]);

/** The addresses of an address or a network: whole numbers, as text to compare with. */
function span(
  text: string,
): { readonly low: bigint; readonly high: bigint; readonly prefix: number } | undefined {
  const [address = '', length] = text.split('/');
  const wide = isWide(address);
  if (!wide && !/^\d+(\.\d+){3}$/.test(address)) return undefined;
  const bits = wide ? 128 : 32;
  const [head = '', tail = ''] = address.split('::');
  const groups = (of: string) => (of === '' ? [] : of.split(':'));
  const middle = Array<string>(Math.max(0, 8 - groups(head).length - groups(tail).length)).fill('0');
  const words = wide
    ? (address.includes('::') ? [...groups(head), ...middle, ...groups(tail)] : groups(head)).map((word) =>
        BigInt(`0x${word}`),
      )
    : address.split('.').map(BigInt);
  const low = words.reduce((sum, word) => sum * (wide ? 65_536n : 256n) + word, 0n);
  const prefix = length === undefined ? bits : Number(length);
  return { low, high: low + 2n ** BigInt(bits - prefix) - 1n, prefix };
}

const isWide = (text: string) => /^[\da-f:]*:[\da-f:/]*$/.test(text);

function covers(outer: string, inner: string): boolean {
  const [a, b] = [span(outer), span(inner)];
  if (a === undefined || b === undefined || isWide(outer) !== isWide(inner)) return false;
  return a.prefix < b.prefix && a.low <= b.low && b.high <= a.high;
}

function hostOf(text: string): string | undefined {
  if (text.startsWith('http://')) return new URL(text).hostname;
  return text.includes('@') ? text.slice(text.lastIndexOf('@') + 1) : undefined;
}

/** Why a record answers one value; undefined when it does not. */
function whyOf(
  text: string,
  { itype, indicator }: IndicatorRecord,
  wanted: readonly Relation[],
): Match | undefined {
  if (text.includes('*')) {
    const glob = new RegExp(`^${text.replaceAll('.', '\\.').replaceAll('*', '.*')}$`);
    const isHash = /^a{10}\*$/.test(text) && ['md5', 'sha1'].includes(itype);
    return (itype === 'fqdn' || isHash) && glob.test(indicator) ? 'pattern' : undefined;
  }
  if (indicator === text) return 'exact';
  const reasons: readonly (readonly [Relation, boolean])[] = [
    ['host', hostOf(text) === indicator],
    ['covers', covers(indicator, text) || covers(indicator, hostOf(text) ?? '')],
    ['inside', covers(text, indicator)],
    ...(/\.test$/.test(text) && hostOf(text) === undefined
      ? ([
          ['subdomain', itype === 'fqdn' && indicator.endsWith(`.${text}`)],
          ['url', itype === 'url' && isAt(hostOf(indicator), text, wanted)],
          ['email', itype === 'email' && isAt(hostOf(indicator), text, wanted)],
        ] as const)
      : []),
  ];
  return reasons.find(([relation, holds]) => holds && wanted.includes(relation))?.[0];
}

function isAt(at: string | undefined, text: string, wanted: readonly Relation[]): boolean {
  return at === text || (wanted.includes('subdomain') && at?.endsWith(`.${text}`) === true);
}

function passes(f: Filter, r: IndicatorRecord): boolean {
  const chosen = (part: Filter['tags'], has: (one: string) => boolean) =>
    part === undefined || ((part.any.length === 0 || part.any.some(has)) && !part.none.some(has));
  return (
    (f.itypes?.includes(r.itype) ?? true) &&
    chosen(f.tags, (tag) => r.tags.includes(tag)) &&
    chosen(f.provider, (one) => r.provider === one) &&
    chosen(f.tlp, (one) => r.tlp === one) &&
    chosen(f.cc, (one) => r.cc === one) &&
    chosen(f.asn, (one) => r.asn === Number(one)) &&
    (f.confidence === undefined || (r.confidence >= f.confidence.min && r.confidence <= f.confidence.max)) &&
    r.lasttimeMs >= (f.observed?.fromMs ?? 0) &&
    r.lasttimeMs <= (f.observed?.toMs ?? Number.MAX_SAFE_INTEGER)
  );
}

/** The values of a question: all of its parts, and the whole where it is a URL. */
function valuesOf(text: string): readonly string[] {
  if (!text.includes(',')) return [text];
  const parts = text.split(',');
  const isList = parts.every((part) => readAsked(part, undefined).ok);
  const whole = text.startsWith('http') ? [text] : [];
  return isList ? [...whole, ...parts] : whole;
}

async function everyRecord(store: IndicatorStore): Promise<readonly IndicatorRecord[]> {
  return (await store.newest(undefined, 10_000)).records;
}

const idOf = ({ itype, indicator, provider, group }: IndicatorRecord) =>
  `${itype} ${indicator} ${provider} ${group}`;

type Shown = { readonly id: string; readonly match: Match | undefined; readonly record: IndicatorRecord };

async function allPages(
  store: IndicatorStore,
  ask: {
    readonly text: string;
    readonly related: readonly Relation[];
    readonly filter: Filter;
    readonly sort?: Sort;
  },
  sizes: readonly number[],
  between: (page: number) => Promise<void>,
): Promise<readonly Shown[]> {
  const asked = readAsked(ask.text, undefined);
  if (!asked.ok) throw new Error(asked.reason);
  const shown: Shown[] = [];
  let after: string | undefined;
  for (let page = 0; ; page++) {
    const limit = sizes[page % sizes.length] ?? 1;
    const answer = await runQuery(store, {
      asked: asked.value,
      related: new Set(ask.related),
      filter: ask.filter,
      limit,
      ...(ask.sort && { sort: ask.sort }),
      ...(after !== undefined && { after }),
    });
    if (!answer.ok) throw new Error(answer.reason);
    expect(answer.value.answers.length).toBeLessThanOrEqual(limit);
    shown.push(...answer.value.answers.map(({ record, match }) => ({ id: idOf(record), match, record })));
    after = answer.value.next;
    if (after === undefined) return shown;
    // `next` is only given when there is more.
    expect(answer.value.answers).toHaveLength(limit);
    await between(page);
  }
}

const sizes = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 4 });

test('an answer is what a look at every record finds, whatever the pages, and says why each is in it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { minLength: 20, maxLength: 60 }),
      fc.array(fc.record({ text: question, related, filter }), { minLength: 1, maxLength: 5 }),
      sizes,
      async (rows, questions, pageSizes) => {
        const { store } = await storeOf(...rows);
        const all = await everyRecord(store);
        for (const ask of questions) {
          const values = valuesOf(ask.text);
          const expected = all.flatMap((record) => {
            const why = values
              .map((text) => whyOf(text, record, ask.related))
              .find((each) => each !== undefined);
            return why !== undefined && passes(ask.filter, record) ? [`${why} ${idOf(record)}`] : [];
          });
          const shown = await allPages(store, ask, pageSizes, async () => {});
          expect(shown.map(({ id, match }) => `${match} ${id}`).sort()).toEqual(expected.sort());
        }
        await store.close();
      },
    ),
    { numRuns: 120 },
  );
});

test('whatever is written between pages, what is not touched is shown once, and nothing twice', async () => {
  const sort = fc.option(fc.record({ by: fc.constantFrom(...sortNames), descending: fc.boolean() }), {
    nil: undefined,
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { minLength: 20, maxLength: 60 }),
      fc.array(fc.array(row, { maxLength: 4 }), { minLength: 1, maxLength: 6 }),
      question,
      sort,
      sizes,
      async (rows, writes, text, order, pageSizes) => {
        const { store, add } = await storeOf(...rows);
        const before = await everyRecord(store);
        const touched = new Set<string>();
        const shown = await allPages(
          store,
          { text, related: relations, filter: {}, ...(order && { sort: order }) },
          pageSizes,
          async (page) => {
            const more = writes[page] ?? [];
            await add(...more);
            for (const { indicator, provider } of more) touched.add(`${indicator} ${provider}`);
          },
        );
        const answers = (record: IndicatorRecord) =>
          valuesOf(text).some((each) => whyOf(each, record, relations) !== undefined);
        const untouched = before.filter(
          (record) => answers(record) && !touched.has(`${record.indicator} ${record.provider}`),
        );
        const ids = shown.map(({ id }) => id);
        for (const record of untouched) expect(ids.filter((id) => id === idOf(record))).toHaveLength(1);
        for (const { record } of shown) expect(answers(record)).toBe(true);
        // In the order of values nothing ever moves; in another, what was touched may have.
        const settled =
          order === undefined || order.by === 'indicator'
            ? shown
            : shown.filter(({ record }) => !touched.has(`${record.indicator} ${record.provider}`));
        expect(new Set(settled.map(({ id }) => id)).size).toBe(settled.length);
        await store.close();
      },
    ),
    { numRuns: 150 },
  );
});

test('a search of many values gives each what a question about it alone gives', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { minLength: 20, maxLength: 60 }),
      fc.array(value, { minLength: 1, maxLength: 12 }),
      related,
      filter,
      async (rows, values, wanted, narrowed) => {
        const { store } = await storeOf(...rows);
        const kinds = values.map((text) => {
          const asked = readAsked(text.replaceAll(',', ''), undefined);
          if (!asked.ok) throw new Error(asked.reason);
          return asked.value.flatMap((one) => ('pattern' in one ? [] : [one]));
        });
        const found = await searchValues(store, kinds, {
          related: new Set(wanted),
          filter: narrowed,
          limit: 1_000,
        });
        for (const [i, asked] of kinds.entries()) {
          const alone = await runQuery(store, {
            asked,
            related: new Set(wanted),
            filter: narrowed,
            limit: 1_000,
          });
          if (!alone.ok) throw new Error(alone.reason);
          expect(found[i]).toEqual({ answers: alone.value.answers, more: false });
        }
        await store.close();
      },
    ),
    { numRuns: 100 },
  );
});
