import { describe, expect, test } from 'vitest';
import { pick, randomInt, seededRandom } from '../../mesh/random.ts';
import { lastSeqOf } from '../../src/event/vector.ts';
import { isAllowlistEntry } from '../../src/indicator/allowlist-tags.ts';
import { isStated, recordId } from '../../src/indicator/record.ts';
import { type IndicatorRecord, itypes, type Statement } from '../../src/indicator/types.ts';
import { countedFields } from '../../src/store/counts.ts';
import type { IndicatorStore } from '../../src/store/store.ts';
import { allOf } from '../../src/store/value-ranges.ts';
import { takeSnapshot } from './snapshot-contract.ts';
import { batchesOf, identityOf, observation, type StorePlace } from './store-contract.ts';

const dayMs = 24 * 60 * 60 * 1_000;

async function allRecords(store: IndicatorStore): Promise<readonly IndicatorRecord[]> {
  const pages = await Promise.all(itypes.map((itype) => store.inRanges([allOf(itype)], undefined, 10_000)));
  return pages.flatMap(({ records }) => records);
}

/** What the records say, counted anew, beside what the store kept. */
async function expectIndexesInStep(store: IndicatorStore): Promise<void> {
  const records = await allRecords(store);
  expect(store.count()).toBe(records.length);
  for (const record of records) {
    const { itype, indicator } = record;
    expect(await store.byId(recordId(record))).toStrictEqual(record);
    const ofValue = records.filter((other) => other.itype === itype && other.indicator === indicator);
    expect(await store.byValue(itype, indicator)).toStrictEqual(ofValue);
  }
  expect(await store.byValue('fqdn', 'nobody.example.com')).toEqual([]);
  const entries: IndicatorRecord[] = [];
  for await (const part of store.allowlist()) entries.push(...part);
  expect(new Set(entries)).toEqual(new Set(records.filter(isAllowlistEntry)));
  const counted = new Map<string, number>();
  for (const { itype, provider, tags, confidence } of records.filter(isStated)) {
    const says = {
      itype: [itype],
      provider: [provider],
      tag: tags,
      confidence: [String(Math.floor(confidence))],
    };
    for (const field of countedFields)
      for (const name of says[field])
        counted.set(`${field} ${name}`, (counted.get(`${field} ${name}`) ?? 0) + 1);
  }
  const kept = new Map<string, number>();
  for (const field of countedFields)
    for (const { name, records: of } of await store.counts(field, undefined, 1_000))
      kept.set(`${field} ${name}`, of);
  expect(kept).toEqual(counted);
}

/** What every IndicatorStore promises of what it computes from the records. */
export function indexContract(name: string, makePlace: () => Promise<StorePlace>): void {
  describe(`indexes, ${name}`, () => {
    test('whatever is said, taken back, swept, restarted or replaced by a snapshot, they are those of the records', async () => {
      const random = seededRandom(11);
      const [place, elsewhere] = [await makePlace(), await makePlace()];
      let store = await place.open();
      const other = await elsewhere.open();
      const self = identityOf(1);
      let seq = 1;
      for (let round = 0; round < 60; round++) {
        const said = Array.from({ length: 1 + randomInt(random, 8) }, (): Statement => {
          const indicator =
            pick(random, ['example.com', 'www.example.com', '192.0.2.1', 'http://example.com/a']) ?? '';
          const tags = [['a'], ['b', 'a'], ['allowlist'], ['allowlist-context', 'a'], []][
            randomInt(random, 5)
          ];
          const body = observation(indicator, {
            provider: pick(random, ['p1', 'p2', 'p3']),
            confidence: randomInt(random, 11),
            tags,
            lasttime: Date.UTC(2026, 0, 1) - randomInt(random, 400) * dayMs,
          });
          const { itype, provider, group } = body;
          const key = { itype, indicator: body.indicator, provider, group };
          const drawn = random.next();
          if (drawn < 0.2) return { kind: 'retract', body: { ...key, reason: 'wrong' } };
          if (drawn < 0.4) return { kind: 'sight', body: { ...key, count: 2, timeMs: Date.UTC(2026, 0, 1) } };
          return { kind: 'observe', body };
        });
        await store.commit(batchesOf(self, seq, said));
        seq += said.length;
        if (round % 7 === 3) await store.sweep(Date.UTC(2026, 0, 1) - randomInt(random, 50) * dayMs);
        if (round % 13 === 5) {
          await store.close();
          store = await place.open();
        }
        if (round % 20 === 9) {
          await other.commit(batchesOf(identityOf(2), round * 10 + 1, said));
          await takeSnapshot(other, store);
          seq = lastSeqOf(store.vector().get(self.nodeId)) + 1;
        }
        await expectIndexesInStep(store);
      }
      await store.close();
      await other.close();
      await place.remove();
      await elsewhere.remove();
    });

    test('whoever keeps something of the records is told when a snapshot or a sweep has changed them without an event', async () => {
      const [place, elsewhere] = [await makePlace(), await makePlace()];
      const [store, other] = [await place.open(), await elsewhere.open()];
      let told = 0;
      const stop = store.onReplaced(() => told++);
      await other.commit(batchesOf(identityOf(1), 1, [observation('example.com')]));
      await takeSnapshot(other, store);
      expect(told).toBe(1);
      await store.sweep(0);
      expect(told).toBe(1);
      await store.sweep(Number.MAX_SAFE_INTEGER);
      expect(told).toBe(2);
      stop();
      await takeSnapshot(other, store);
      expect(told).toBe(2);
      await store.close();
      await other.close();
      await place.remove();
      await elsewhere.remove();
    });
  });
}
