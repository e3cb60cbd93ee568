import { expect, test } from 'vitest';
import { readNetwork } from '../../../src/indicator/address.ts';
import { recordKey } from '../../../src/store/keys.ts';
import { createNetworkIndex } from '../../../src/store/network-index.ts';
import type { IndicatorStore } from '../../../src/store/store.ts';
import { allOf, covering, exactly, inside } from '../../../src/store/value-ranges.ts';
import { chunksOf, putChunk } from '../../contract/snapshot-contract.ts';
import { storeOf } from '../../support/records.ts';

const keyOf = (indicator: string) =>
  recordKey({
    itype: indicator.includes(':') ? 'ipv6' : 'ipv4',
    indicator,
    provider: 'test',
    group: 'everyone',
  });

/** Lots of keys that are handed over one by one. */
function handedOver(...lots: readonly (readonly string[])[]) {
  const waiting: (() => void)[] = [];
  async function* keys(): AsyncIterable<readonly string[]> {
    for (const lot of lots) {
      await new Promise<void>((resolve) => waiting.push(resolve));
      yield lot;
    }
  }
  return {
    keys,
    async next() {
      waiting.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

test('until it is complete every range is looked for, then those of networks that are known', async () => {
  const lots = handedOver([keyOf('192.0.2.0/24'), keyOf('192.0.2.1')], [keyOf('2001:db8::/32')]);
  const index = createNetworkIndex(lots.keys);
  const ranges = [
    ...covering(readNetwork('192.0.2.1')),
    ...covering(readNetwork('2001:db8::1')),
    exactly('ipv4', '198.51.100.1'),
    exactly('fqdn', 'example.com'),
    ...inside('ipv4', '10.0.0.0/8'),
    allOf('url'),
  ];
  expect(index.narrow(ranges)).toBe(ranges);
  await lots.next();
  // What is written meanwhile belongs to it.
  index.added(keyOf('192.0.0.0/16'));
  expect(index.narrow(ranges)).toBe(ranges);
  await lots.next();
  const known = [
    exactly('ipv4', '192.0.0.0/16'),
    exactly('ipv4', '192.0.2.0/24'),
    exactly('ipv6', '2001:db8::/32'),
  ];
  expect(index.narrow(ranges)).toEqual([...known, ...ranges.slice(-4)]);
  index.added(keyOf('192.0.2.0/31'));
  expect(index.narrow(covering(readNetwork('192.0.2.1')))).toHaveLength(3);
  index.forget();
  expect(index.narrow(ranges)).toBe(ranges);
});

test('what takes the place of the records while it is built begins it anew', async () => {
  const first = handedOver([keyOf('192.0.2.0/24')]);
  const second = handedOver([keyOf('192.0.0.0/16')]);
  const sources = [first.keys, second.keys];
  const index = createNetworkIndex(() => sources.shift()?.() ?? first.keys());
  const ranges = covering(readNetwork('192.0.2.1'));
  index.narrow(ranges);
  index.forget();
  index.narrow(ranges);
  await first.next();
  expect(index.narrow(ranges)).toBe(ranges);
  await second.next();
  expect(index.narrow(ranges)).toEqual([exactly('ipv4', '192.0.0.0/16')]);
});

test('with too many networks, and when it cannot be read, each is looked for', async () => {
  const many = Array.from({ length: 200_001 }, (_, i) =>
    keyOf(`10.${i >> 15}.${(i >> 7) & 255}.${(i & 127) * 2}/31`),
  );
  const lots = handedOver(many);
  const index = createNetworkIndex(lots.keys);
  const ranges = covering(readNetwork('192.0.2.1'));
  index.narrow(ranges);
  await lots.next();
  expect(index.narrow(ranges)).toBe(ranges);
  const broken = createNetworkIndex(() => ({
    [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('closed')) }),
  }));
  for (let i = 0; i < 2; i++) {
    expect(broken.narrow(ranges)).toBe(ranges);
    await new Promise((resolve) => setImmediate(resolve));
  }
});

async function coveringIn(store: IndicatorStore, address: string): Promise<readonly string[]> {
  const { records } = await store.inRanges(covering(readNetwork(address)), undefined, 100);
  return records.map(({ indicator }) => indicator);
}

test('a store finds a network from its commit on, whether the index was built before, since, or is being built', async () => {
  const { store, add } = await storeOf(
    { indicator: '192.0.0.0/16' },
    ...Array.from({ length: 3_000 }, (_, i) => ({ indicator: `10.0.${i >> 8}.${i & 255}` })),
  );
  const expected = ['192.0.0.0/16'];
  for (let prefix = 17; prefix <= 31; prefix++) {
    const before = coveringIn(store, '192.0.0.1');
    const adding = add({ indicator: `192.0.0.0/${prefix}` });
    expect((await before).slice(0, expected.length)).toEqual(expected);
    await adding;
    expected.push(`192.0.0.0/${prefix}`);
    expect(await coveringIn(store, '192.0.0.1')).toEqual(expected);
  }
  await store.close();
});

test('a store finds the networks of a snapshot that took the place of its own', async () => {
  const { store } = await storeOf({ indicator: '192.0.2.0/24' });
  const { store: other } = await storeOf({ indicator: '192.0.0.0/16' }, { indicator: '192.0.2.0/25' });
  for (let i = 0; i < 5; i++) expect(await coveringIn(store, '192.0.2.1')).toEqual(['192.0.2.0/24']);
  const source = await other.snapshot();
  const sink = await store.receiveSnapshot();
  for (const chunk of await chunksOf(source, 1_000)) await putChunk(sink, chunk);
  await sink.install(source.state);
  for (let i = 0; i < 5; i++) {
    expect(await coveringIn(store, '192.0.2.1')).toEqual(['192.0.0.0/16', '192.0.2.0/25']);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all([store.close(), other.close()]);
});
