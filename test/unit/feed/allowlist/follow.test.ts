import { MemoryLevel } from 'memory-level';
import { expect, test } from 'vitest';
import { followAllowlist } from '../../../../src/feed/allowlist/follow.ts';
import type { Statement } from '../../../../src/indicator/types.ts';
import { openStore } from '../../../../src/store/level-store.ts';
import { takeSnapshot } from '../../../contract/snapshot-contract.ts';
import { batchesOf, identityOf, observation } from '../../../contract/store-contract.ts';
import { manualClock } from '../../../support/rooms.ts';

const self = identityOf(1);
const entry = (indicator: string) => observation(indicator, { tags: 'allowlist', provider: 'ops' });

async function openFollowed() {
  const store = await openStore(new MemoryLevel<string, string>());
  const failures: unknown[] = [];
  const allowlist = followAllowlist(store, manualClock(), (error) => failures.push(error));
  let seq = 1;
  return {
    store,
    allowlist,
    failures,
    say: async (...said: (Statement | ReturnType<typeof observation>)[]) => {
      await store.commit(batchesOf(self, seq, said));
      seq += said.length;
    },
    keepsOut: (name: string) => allowlist.current()?.check('fqdn', name).suppressedBy?.list,
  };
}

test('it is undefined until it is loaded, and then has what the store had', async () => {
  const level = new MemoryLevel<string, string>();
  let store = await openStore(level);
  await store.commit(batchesOf(self, 1, [entry('example.com'), observation('example.org')]));
  await store.close();
  await level.open();
  store = await openStore(level);
  const allowlist = followAllowlist(store, manualClock(), (error) => expect.fail(String(error)));
  expect(allowlist.current()).toBeUndefined();
  await allowlist.loaded();
  expect(allowlist.current()?.check('fqdn', 'www.example.com').suppressedBy).toEqual({
    list: 'ops',
    entry: 'example.com',
  });
  expect(allowlist.current()?.size()).toBe(1);
  await store.close();
});

test('what is committed while it is loaded counts, whatever was read before', async () => {
  const { store, allowlist, say, keepsOut } = await openFollowed();
  await say(entry('a.test'));
  await say(observation('a.test', { provider: 'ops' }), entry('b.test'));
  await allowlist.loaded();
  expect([keepsOut('a.test'), keepsOut('b.test')]).toEqual([undefined, 'ops']);
  await store.close();
});

test('an entry counts with its commit, and no more once it is taken back or says something else', async () => {
  const { store, allowlist, say, keepsOut } = await openFollowed();
  await allowlist.loaded();
  await say(entry('a.test'), entry('b.test'));
  expect([keepsOut('a.test'), keepsOut('b.test')]).toEqual(['ops', 'ops']);
  const { itype, indicator, provider, group } = entry('a.test');
  await say(
    { kind: 'retract', body: { itype, indicator, provider, group, reason: 'sold' } },
    observation('b.test', { provider: 'ops', tags: 'malware' }),
  );
  expect([keepsOut('a.test'), keepsOut('b.test')]).toEqual([undefined, undefined]);
  await store.close();
});

test('a snapshot’s entries take the place of those before; until they are loaded there is no allowlist', async () => {
  const { store, allowlist, say, keepsOut } = await openFollowed();
  await say(entry('a.test'));
  await allowlist.loaded();
  const other = await openStore(new MemoryLevel<string, string>());
  await other.commit(batchesOf(identityOf(2), 1, [entry('b.test')]));
  const meanwhile: unknown[] = [];
  store.onReplaced(() => meanwhile.push(allowlist.current()));
  await takeSnapshot(other, store);
  expect(meanwhile).toEqual([undefined]);
  await allowlist.loaded();
  expect(keepsOut('b.test')).toBe('ops');
  await store.close();
  await other.close();
});

test('a store that cannot be read leaves it undefined, and says why', async () => {
  const { store, allowlist, failures } = await openFollowed();
  await allowlist.loaded();
  await store.close();
  const again = followAllowlist(store, manualClock(), (error) => failures.push(error));
  await again.loaded();
  expect(again.current()).toBeUndefined();
  expect(failures).toMatchObject([{ code: 'CLOSED' }]);
});
