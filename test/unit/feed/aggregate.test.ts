import { describe, expect, test } from 'vitest';
import {
  aggregate,
  type FeedRow,
  type Statements,
  unitedConfidence,
  unitedTags,
} from '../../../src/feed/aggregate.ts';
import { dayMs, type Fields, nowMs, recordOf } from '../../support/records.ts';

const indicator = '198.51.100.7';

function rowOf(first: Omit<Fields, 'indicator'>, ...more: readonly Omit<Fields, 'indicator'>[]): FeedRow {
  const record = (fields: Omit<Fields, 'indicator'>, i: number) =>
    recordOf({ ...fields, indicator }, nowMs + i);
  return together([record(first, 0), ...more.map((fields, i) => record(fields, i + 1))]);
}

function together(statements: Statements): FeedRow {
  return aggregate(statements, [], unitedTags(statements), unitedConfidence(statements, nowMs), []);
}

test('one statement is its own row, with its fields in fixed order', () => {
  const row = rowOf({
    provider: 'feodo',
    tags: 'c2,botnet',
    confidence: 9,
    tlp: 'green',
    count: 3,
    firsttime: '2026-05-01',
    lasttime: '2026-05-20',
  });
  expect(JSON.stringify(row)).toBe(
    '{"indicator":"198.51.100.7","itype":"ipv4","providers":["feodo"],"tlp":"green","confidence":8.64,' +
      '"tags":["botnet","c2"],"count":3,"firsttime":"2026-05-01T00:00:00.000Z","lasttime":"2026-05-20T00:00:00.000Z",' +
      '"reporttime":"2026-06-01T00:00:00.000Z"}',
  );
});

describe('of several statements', () => {
  test.each<[string, Partial<FeedRow>, readonly [Omit<Fields, 'indicator'>, ...Omit<Fields, 'indicator'>[]]]>(
    [
      [
        'the confidence of one provider is the highest that it states',
        { confidence: 9 },
        [{ confidence: 3 }, { confidence: 9 }, { confidence: 8, group: 'x' }],
      ],
      [
        'the confidence of several providers rises',
        { confidence: 9.3 },
        [
          { confidence: 9, provider: 'a' },
          { confidence: 8, provider: 'b' },
        ],
      ],
      [
        'a weak new statement does not keep a strong old one fresh',
        { confidence: 5 },
        [
          { confidence: 10, provider: 'a', lasttime: new Date(nowMs - 91 * dayMs).toISOString() },
          { confidence: 1, provider: 'b' },
        ],
      ],
      [
        'ports, description and reference are those of the most confident who states some',
        { portlist: '22', description: 'first', reference: 'https://example.com/2' },
        [
          { confidence: 9, provider: 'a', description: 'first', portlist: '22' },
          {
            confidence: 8,
            provider: 'b',
            description: 'second',
            reference: 'https://example.com/2',
            protocol: 'tcp',
          },
        ],
      ],
      [
        'of equally confident ones the newest',
        { description: 'new' },
        [
          { provider: 'a', description: 'old' },
          { provider: 'b', description: 'new' },
        ],
      ],
      [
        'the TLP is the strictest',
        { tlp: 'amber+strict' },
        [{ tlp: 'clear' }, { tlp: 'amber+strict' }, { tlp: 'green' }],
      ],
      [
        'tags are united, sorted, each once',
        { tags: ['a', 'b', 'c'] },
        [{ tags: 'c,a' }, { tags: 'b' }, { tags: 'a,b' }],
      ],
      ['no tags stay no tags', { tags: [] }, [{}, {}]],
      [
        'providers are united, sorted, each once',
        { providers: ['a', 'b'] },
        [{ provider: 'b' }, { provider: 'a' }, { provider: 'b', group: 'x' }],
      ],
      ['counts add up', { count: 111 }, [{ count: 1 }, { count: 10 }, { count: 100 }]],
      [
        'firsttime is the earliest, lasttime the latest',
        { firsttime: '2026-01-01T00:00:00.000Z', lasttime: '2026-05-01T00:00:00.000Z' },
        [
          { firsttime: '2026-02-01', lasttime: '2026-05-01' },
          { firsttime: '2026-01-01', lasttime: '2026-03-01' },
        ],
      ],
      ['reporttime is the latest', { reporttime: '2026-06-01T00:00:00.002Z' }, [{}, {}, {}]],
    ],
  )('%s, in any order', (_, expected, statements) => {
    const [first, ...more] = statements;
    expect(rowOf(first, ...more)).toMatchObject(expected);
    const records = statements.map((fields, i) => recordOf({ ...fields, indicator }, nowMs + i));
    const [last, ...rest] = records.reverse();
    if (last !== undefined) expect(together([last, ...rest])).toEqual(rowOf(first, ...more));
  });

  test('a value that a quarter of a million providers name is still one row', () => {
    const record = recordOf({ indicator });
    const row = together([record, ...Array.from({ length: 250_000 }, () => record)]);
    expect(row).toMatchObject({ confidence: 5, count: 250_001, providers: ['test'] });
  });

  test('sightings are added, those of sensors that state nothing as well', () => {
    const seen = (count: number) => ({
      ...recordOf({ indicator, provider: 'sensor' }),
      sightings: { count, lasttimeMs: nowMs },
    });
    const [first, second, third] = [seen(2), seen(3), { ...seen(4), count: 0, tlp: 'red' as const }];
    const row = aggregate([first, second], [third], [], 5, []);
    expect(row).toMatchObject({ sightings: 9, count: 2, tlp: 'amber' });
  });

  test('a count stays an exact number', () => {
    const record = { ...recordOf({ indicator }), count: Number.MAX_SAFE_INTEGER };
    expect(together([record, record]).count).toBe(Number.MAX_SAFE_INTEGER);
  });
});
