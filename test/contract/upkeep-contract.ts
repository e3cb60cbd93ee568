import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { IndicatorStore } from '../../src/store/store.ts';
import { recordChanges } from '../support/changes.ts';
import { expectInStep } from './snapshot-contract.ts';
import { batchesOf, identityOf, observation, type StorePlace } from './store-contract.ts';

const day = 24 * 60 * 60 * 1_000;

/** What every IndicatorStore promises of its log's window, of sweeping, and of forgetting. */
export function upkeepContract(name: string, makePlace: () => Promise<StorePlace>): void {
  describe(`upkeep, ${name}`, () => {
    const a = identityOf(1);
    const b = identityOf(2);
    let place: StorePlace;
    let store: IndicatorStore;

    beforeEach(async () => {
      place = await makePlace();
      store = await place.open();
    });
    afterEach(async () => {
      await store.close();
      await place.remove();
    });

    async function commitSingly(from: number, to: number): Promise<void> {
      for (let seq = from; seq <= to; seq++) {
        await store.commit(batchesOf(a, seq, [observation(`h${seq}.example.com`)]));
      }
    }

    async function logged(): Promise<readonly number[]> {
      return (await store.batches(a.nodeId, { from: 1, to: 1_000 }, 1e9)).map(({ firstSeq }) => firstSeq);
    }

    test('the log is trimmed by age; records, vector and positions stay, and the stream has its gap at the start only', async () => {
      await commitSingly(1, 9);
      const digest = await store.digest();
      const changes = await store.changesAfter(0, 100);
      const sinceMs = store.lastMs().get(a.nodeId) ?? 0;
      expect(await store.trimLog({ sinceMs: sinceMs - 2_000, bytesMax: 1e9 })).toBe(6);
      expect(await logged()).toEqual([7, 8, 9]);
      expect(await store.lostMs()).toEqual(new Map([[a.nodeId, sinceMs - 3_000]]));
      for (let opened = 0; opened < 2; opened++) {
        expect(await store.digest()).toEqual(digest);
        expect(store.lastPosition()).toBe(9);
        expect(await store.changesAfter(0, 100)).toEqual(changes.slice(6));
        expect(await store.changesAfter(7, 100)).toEqual(changes.slice(7));
        await expectInStep(store);
        await store.close();
        store = await place.open();
      }
      expect(await store.trimLog({ sinceMs: sinceMs - 2_000, bytesMax: 1e9 })).toBe(0);
      await commitSingly(10, 10);
      expect(store.lastPosition()).toBe(10);
    });

    test('the log is trimmed by bytes, oldest first, to what fits', async () => {
      await commitSingly(1, 9);
      const bytesMax = Math.ceil((store.logBytes() * 4) / 9) + 10;
      expect(await store.trimLog({ sinceMs: 0, bytesMax })).toBe(5);
      expect(store.logBytes()).toBeLessThanOrEqual(bytesMax);
      expect(await logged()).toEqual([6, 7, 8, 9]);
      expect(await store.trimLog({ sinceMs: 0, bytesMax: 0 })).toBe(4);
      expect(store.logBytes()).toBe(0);
      expect(await store.changesAfter(0, 100)).toEqual([]);
      // What left the log is held all the same.
      expect((await store.commit(batchesOf(a, 1, [observation('h1.example.com')]))).batches).toEqual([]);
    });

    test('more is trimmed and swept than one write takes', async () => {
      const many = Array.from({ length: 1_100 }, (_, i) =>
        batchesOf(a, i + 1, [observation(`h${i}.example.com`)]),
      );
      await store.commit(many.flat());
      expect(await store.trimLog({ sinceMs: 0, bytesMax: 0 })).toBe(1_100);
      expect(await store.sweep(Date.UTC(2099))).toBe(1_100);
      expect(store.count()).toBe(0);
      await expectInStep(store);
    });

    test('what has expired is swept, as if it had never been there', async () => {
      const lives = [observation('here.example.com'), observation('192.0.2.1')];
      const expired = [
        observation('stated.example.com', { expiretime: Date.UTC(2026, 0, 2) }),
        observation('old.example.com', { lasttime: Date.UTC(2024, 0, 1) }),
      ];
      await store.commit(batchesOf(a, 1, [...lives, ...expired]));
      const other = await makePlace();
      const never = await other.open();
      await never.commit(batchesOf(a, 1, lives));
      expect(await store.sweep(Date.UTC(2026, 0, 2))).toBe(1);
      expect(await store.sweep(Date.UTC(2026, 0, 2) + day)).toBe(1);
      expect(await store.sweep(Date.UTC(2026, 0, 2) + day)).toBe(0);
      expect((await store.digest()).sha256).toBe((await never.digest()).sha256);
      expect(store.count()).toBe(2);
      await expectInStep(store);
      expect(await store.byValue('fqdn', 'old.example.com')).toEqual([]);
      // The stream shows it still, as its event made it.
      expect(recordChanges(await store.changesAfter(0, 10)).map(({ record }) => record.indicator)).toEqual([
        'here.example.com',
        '192.0.2.1',
        'stated.example.com',
        'old.example.com',
      ]);
      await store.close();
      store = await place.open();
      expect(store.count()).toBe(2);
      // Said again, it is created again.
      const again = await store.commit(batchesOf(a, 5, [observation('old.example.com')]));
      expect(recordChanges(again.changes).map(({ outcome }) => outcome)).toEqual(['created']);
      await never.close();
      await other.remove();
    });

    test('an origin that is forgotten is in no vector; its records stay', async () => {
      await store.commit([
        ...batchesOf(a, 1, [observation('a.example.com')]),
        ...batchesOf(b, 1, [observation('b.example.com')]),
      ]);
      const { sha256 } = await store.digest();
      await store.forgetOrigins([a.nodeId]);
      for (let opened = 0; opened < 2; opened++) {
        expect([...store.vector().keys()]).toEqual([b.nodeId]);
        expect([...store.lastMs().keys()]).toEqual([b.nodeId]);
        expect((await store.digest()).sha256).toBe(sha256);
        expect(store.count()).toBe(2);
        await store.close();
        store = await place.open();
      }
    });
  });
}
