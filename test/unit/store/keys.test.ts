import { expect, test } from 'vitest';
import {
  itypeRange,
  logKey,
  newestKey,
  rangeOfLogKey,
  recordKey,
  recordKeyOf,
} from '../../../src/store/keys.ts';
import { exactly } from '../../../src/store/value-ranges.ts';
import { identityOf, observation } from '../../contract/store-contract.ts';

const { nodeId } = identityOf(1);

function isWithin(key: string, { gt, lt }: { gt: string; lt: string }): boolean {
  return gt < key && key < lt;
}

test('the range of a value holds all its providers and groups, and no subdomain or network within', () => {
  const range = exactly('fqdn', 'example.com');
  const keyOf = (indicator: string, provider: string, group = 'everyone') =>
    recordKey(observation(indicator, { provider, group }));
  expect(isWithin(keyOf('example.com', '-'), range)).toBe(true);
  expect(isWithin(keyOf('example.com', 'zz', 'few'), range)).toBe(true);
  expect(isWithin(keyOf('a.example.com', 'a'), range)).toBe(false);
  expect(isWithin(keyOf('example.com.org', 'a'), range)).toBe(false);
  expect(isWithin(keyOf('192.0.2.0/25', 'a'), exactly('ipv4', '192.0.2.0/24'))).toBe(false);
});

test('the range of an itype holds its records only', () => {
  const sha1 = recordKey(observation('a'.repeat(40)));
  const sha256 = recordKey(observation('a'.repeat(64)));
  expect(isWithin(sha1, itypeRange('sha1', undefined))).toBe(true);
  expect(isWithin(sha256, itypeRange('sha1', undefined))).toBe(false);
  expect(isWithin(sha256, itypeRange('sha256', undefined))).toBe(true);
});

test('a later time sorts before an earlier one, and names its record', () => {
  const key = recordKey(observation('example.com'));
  expect(newestKey(2_000, key) < newestKey(1_999, key)).toBe(true);
  expect(newestKey(10_000, key) < newestKey(9_999, key)).toBe(true);
  expect(recordKeyOf(newestKey(2_000, key))).toBe(key);
});

test('batches of one origin sort by seq, up to the largest', () => {
  const ranges = [1, 2, 10, 2 ** 40, Number.MAX_SAFE_INTEGER].map((seq) => ({ from: seq, to: seq }));
  const keys = ranges.map((range) => logKey(nodeId, range));
  expect([...keys].sort()).toEqual(keys);
  expect(keys.map(rangeOfLogKey)).toEqual(ranges);
});

test.each([0, 1, 9_999_999, 10_000_000, 99_999_999, 100_000_000, 1_767_225_600_000, Number.MAX_SAFE_INTEGER])(
  'seq %i has sixteen digits in a key, and is read again',
  (seq) => {
    const key = logKey(nodeId, { from: seq, to: seq });
    expect(key).toBe(`${nodeId}\0${String(seq).padStart(16, '0')}\0${String(seq).padStart(16, '0')}`);
    expect(rangeOfLogKey(key)).toEqual({ from: seq, to: seq });
  },
);
