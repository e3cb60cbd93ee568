import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openBatch } from '../../src/event/batch.ts';
import type { Saying } from '../../src/event/types.ts';
import { eventIdOfSearch } from '../../src/store/document.ts';
import type { IndicatorStore } from '../../src/store/store.ts';
import { all, expectInStep, takeSnapshot } from './snapshot-contract.ts';
import { batchesOf, identityOf, observation, type StorePlace } from './store-contract.ts';

/** What every IndicatorStore promises of documents, of searches, and of records whose time is over. */
export function documentContract(name: string, makePlace: () => Promise<StorePlace>): void {
  describe(`${name}: documents`, () => {
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

    const written = (id: string, text: string | undefined, expiresMs?: number): Saying => ({
      kind: 'admin',
      body: {
        collection: 'webhook',
        id,
        ...(text !== undefined && { body: JSON.stringify({ text }) }),
        ...(expiresMs !== undefined && { expiresMs }),
      },
    });
    const textOf = async (id: string): Promise<unknown> => {
      const found = await store.document('webhook', id);
      return found?.body === undefined ? undefined : (JSON.parse(found.body) as { text: string }).text;
    };
    const asked = (q: string): Saying => ({ kind: 'search', body: { q, itype: 'fqdn', by: 'alice' } });

    test('a batch of every kind is read by whoever gets it as it was written', () => {
      const sayings = [observation('example.com'), written('w1', 'hello', 5), asked('example.com')];
      const [batch] = batchesOf(a, 1, [...sayings, written('w1', undefined)]);
      const opened = openBatch(batch?.bytes ?? new Uint8Array());
      expect(opened.ok && opened.value.events).toEqual(batch?.events);
    });

    test.each(['null', '[]', '"text"', '1', '{"open":', ''])(
      'a body that is no object is refused: %s',
      (body) => {
        const said: Saying = { kind: 'admin', body: { collection: 'webhook', id: 'w1', body } };
        const [batch] = batchesOf(a, 1, [said]);
        expect(openBatch(batch?.bytes ?? new Uint8Array())).toMatchObject({ ok: false, code: 'batch-event' });
      },
    );

    test('the last write of a document wins, in whatever order writes come', async () => {
      const [early, late] = [
        batchesOf(a, 1, [written('w1', 'early')]),
        batchesOf(b, 9, [written('w1', 'late')]),
      ];
      await store.commit(late);
      await store.commit(early);
      expect(await textOf('w1')).toBe('late');
      const other = await makePlace();
      await using beside = await other.open();
      await beside.commit([...early, ...late]);
      expect((await beside.digest()).sha256).toBe((await store.digest()).sha256);
      expect(store.count()).toBe(0);
    });

    test('documents of a collection come by id, without those that are deleted', async () => {
      await store.commit(
        batchesOf(a, 1, [
          written('w3', '3'),
          written('w1', '1'),
          written('w2', '2'),
          written('w1', undefined),
        ]),
      );
      const ids = async (after: string | undefined, limit: number) =>
        (await store.documents('webhook', after, limit)).map(({ id }) => id);
      expect(await ids(undefined, 10)).toEqual(['w2', 'w3']);
      expect(await ids('w2', 10)).toEqual(['w3']);
      expect(await ids(undefined, 1)).toEqual(['w2']);
      expect(await store.document('webhook', 'w1')).toBeUndefined();
      expect(await store.documents('webhoo', undefined, 10)).toEqual([]);
    });

    test('a change of a document has its position, live and when it is read back', async () => {
      const { changes } = await store.commit(
        batchesOf(a, 1, [observation('example.com'), written('w1', '1'), asked('example.com')]),
      );
      expect(changes.map(({ position, event }) => [position, event.kind])).toEqual([
        [1, 'observe'],
        [2, 'admin'],
        [3, 'search'],
      ]);
      await store.close();
      store = await place.open();
      expect(await store.changesAfter(0, 10)).toEqual(changes);
      expect(await store.changesAfter(1, 1)).toEqual(changes.slice(1, 2));
    });

    test('searches come newest first, are of no record, and know their event', async () => {
      await store.commit(
        batchesOf(a, 1, [asked('one.example'), asked('two.example'), asked('three.example')]),
      );
      const found = await store.documents('search', undefined, 2);
      expect(found.map(({ body }) => (JSON.parse(body ?? '') as { q: string }).q)).toEqual([
        'three.example',
        'two.example',
      ]);
      expect(found.map(eventIdOfSearch)).toEqual([`${a.nodeId}-3`, `${a.nodeId}-2`]);
      expect(store.count()).toBe(0);
      expect((await store.newest(undefined, 10)).records).toEqual([]);
    });

    test('a snapshot has the documents too, and what it does not know of them is said anew', async () => {
      const other = await makePlace();
      await using from = await other.open();
      await from.commit(
        batchesOf(a, 20, [observation('a.example.com'), written('w1', 'a'), written('w2', 'a')]),
      );
      await store.commit(
        batchesOf(b, 1, [observation('b.example.com'), written('w1', 'older'), written('w2', 'older')]),
      );
      // Newer than what the other one says.
      await store.commit(
        batchesOf(b, 50, [written('w2', 'newer'), written('w3', 'only here'), asked('x.example')]),
      );
      await store.trimLog({ sinceMs: Number.MAX_SAFE_INTEGER, bytesMax: 0 });
      await takeSnapshot(from, store);
      expect((await store.digest()).sha256).toBe((await from.digest()).sha256);
      await expectInStep(store);
      const unsaid = await all(store.unsaid(0));
      const documents = unsaid.flatMap((saying) => (saying.kind === 'admin' ? [saying.body] : []));
      expect(documents.map(({ collection, body }) => [collection, body])).toEqual([
        ['search', JSON.stringify({ q: 'x.example', itype: 'fqdn', by: 'alice' })],
        ['webhook', '{"text":"newer"}'],
        ['webhook', '{"text":"only here"}'],
      ]);
      await store.commit(batchesOf(b, 100, unsaid));
      expect(await textOf('w1')).toBe('a');
      expect(await textOf('w2')).toBe('newer');
      expect(await all(store.unsaid(0))).toEqual([]);
    });

    test('documents whose time is over are swept', async () => {
      await store.commit(batchesOf(a, 1, [written('w1', 'short', 1_000), written('w2', 'for ever')]));
      await store.sweep(2_000);
      expect(await store.document('webhook', 'w1')).toBeUndefined();
      expect(await textOf('w2')).toBe('for ever');
    });

    test('a record whose time is over has its change once', async () => {
      const day = 24 * 60 * 60 * 1_000;
      const untilMs = Date.UTC(2026, 6, 1);
      const ends = (indicator: string, atMs: number) =>
        observation(indicator, { expiretime: new Date(atMs).toISOString() });
      expect(await store.expire(untilMs - day)).toBe(0);
      await store.commit(
        batchesOf(a, 1, [
          ends('long-over.example.com', untilMs - 2 * day),
          ends('over.example.com', untilMs - day / 2),
          ends('lives.example.com', untilMs + day),
          ends('taken-back.example.com', untilMs - day / 2),
          {
            kind: 'retract',
            body: {
              itype: 'fqdn',
              indicator: 'taken-back.example.com',
              provider: 'test',
              group: 'everyone',
              reason: 'wrong',
            },
          },
        ]),
      );
      const before = store.lastPosition();
      expect(await store.expire(untilMs)).toBe(1);
      expect(await store.expire(untilMs)).toBe(0);
      await store.close();
      store = await place.open();
      const changes = await store.changesAfter(before, 10);
      expect(
        changes.map((change) => [
          change.position,
          change.event,
          'record' in change && change.record.indicator,
        ]),
      ).toEqual([[before + 1, { kind: 'expire', atMs: untilMs - day / 2 }, 'over.example.com']]);
      expect(await store.expire(untilMs + day)).toBe(1);
      const bytes = store.logBytes();
      await store.trimLog({ sinceMs: Number.MAX_SAFE_INTEGER, bytesMax: 0 });
      expect(bytes).toBeGreaterThan(0);
      expect(store.logBytes()).toBe(0);
    });
  });
}
