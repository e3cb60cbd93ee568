import { expect, test } from 'vitest';
import type { Itype } from '../../../src/indicator/types.ts';
import { itypes } from '../../../src/indicator/types.ts';
import type { IndicatorStore } from '../../../src/store/store.ts';
import { allOf } from '../../../src/store/value-ranges.ts';
import { type Fields, nowMs, storeOf } from '../../support/records.ts';

type Value = readonly { readonly indicator: string; readonly provider: string }[];

async function scanned(store: IndicatorStore, itype: Itype, after?: string) {
  const values: Value[] = [];
  const glances: string[] = [];
  for await (const part of store.scan(itype, after, (confidences, lasttimesMs) => {
    glances.push(JSON.stringify([confidences, lasttimesMs]));
    return true;
  }))
    values.push(...part);
  return { values, glances };
}

/** Tags that JSON writes with escapes, or that look like its punctuation. */
const odd = ['plain', 'qu"ote', 'end"', 'a""b', 'of two words', 'x" 5', '9'];

test('what is seen at a glance is what the record says, whatever its strings hold', async () => {
  const rows: Fields[] = odd.flatMap((name, i) => [
    {
      indicator: 'example.com',
      provider: `p${i}`,
      tags: [...odd.slice(0, i), name],
      confidence: i + 0.5,
      count: i + 1,
    },
    {
      indicator: `http://example.com/?${i}`,
      provider: 'one',
      tags: [name],
      confidence: i,
      lasttime: nowMs - i,
    },
  ]);
  const { store } = await storeOf(...rows);
  for (const itype of itypes) {
    const { values, glances } = await scanned(store, itype);
    const { records } = await store.inRanges([allOf(itype)], undefined, 1_000);
    expect(values.flat()).toEqual(records);
    expect(glances).toEqual(
      values.map((value) => {
        const found = records.filter(({ indicator }) => indicator === value[0]?.indicator);
        return JSON.stringify([
          found.map(({ confidence }) => confidence),
          found.map(({ lasttimeMs }) => lasttimeMs),
        ]);
      }),
    );
  }
});

test('values come in order, each whole, also across parts; from behind one of them', async () => {
  const rows = Array.from({ length: 5_100 }, (_, i) => ({
    indicator: `h${String(Math.floor(i / 3)).padStart(4, '0')}.example.com`,
    provider: `p${i % 3}`,
  }));
  const { store } = await storeOf(...rows, { indicator: 'h0001.example.com.x.example.org' });
  const { values } = await scanned(store, 'fqdn');
  expect(values).toHaveLength(1_701);
  for (const value of values.slice(0, 1_700)) expect(value).toHaveLength(3);
  const { values: rest } = await scanned(store, 'fqdn', 'com.example.h1000.');
  expect(rest[0]?.[0]?.indicator).toBe('h1001.example.com');
  expect(rest).toHaveLength(700);
});

test('a value that is not wanted is not parsed, and leaving early is allowed', async () => {
  const { store } = await storeOf(
    { indicator: 'a.example', confidence: 3 },
    { indicator: 'b.example', confidence: 9 },
  );
  const found: string[] = [];
  for await (const part of store.scan('fqdn', undefined, ([confidence = 0]) => confidence > 5)) {
    found.push(...part.map(([record]) => record?.indicator ?? ''));
    break;
  }
  expect(found).toEqual(['b.example']);
});

test('a store that is closed says so', async () => {
  const { store } = await storeOf({ indicator: 'a.example' });
  await store.close();
  await expect(scanned(store, 'fqdn')).rejects.toMatchObject({ code: 'CLOSED' });
});
