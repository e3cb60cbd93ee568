import { expect, test } from 'vitest';
import { randomInt, seededRandom } from '../../../mesh/random.ts';
import { tick, witness } from '../../../src/event/hlc.ts';
import type { Held, NodeId, SeqRange, Vector } from '../../../src/event/types.ts';
import {
  addRange,
  covers,
  decodeVector,
  emptyHeld,
  encodeVector,
  holds,
  missingRanges,
  overlaps,
  rangesOf,
  union,
  vectorHash,
} from '../../../src/event/vector.ts';

const a = 'aa'.repeat(16) as NodeId;
const b = 'bb'.repeat(16) as NodeId;

function numbers(held: Held): ReadonlySet<number> {
  const all = new Set<number>();
  for (const { from, to } of rangesOf(held)) for (let n = from; n <= to; n++) all.add(n);
  return all;
}

test('ranges behave as sets of numbers do', () => {
  const random = seededRandom(3);
  for (let round = 0; round < 2_000; round++) {
    let held = emptyHeld;
    const naive = new Set<number>();
    for (let i = 0; i < 8; i++) {
      const from = 1 + randomInt(random, 20);
      const range: SeqRange = { from, to: from + randomInt(random, 5) };
      held = addRange(held, range);
      for (let n = range.from; n <= range.to; n++) naive.add(n);
    }
    expect([...numbers(held)].sort()).toEqual([...naive].sort());
    // Contiguous from 1, then ranges with a gap before each.
    let last = held.upTo;
    for (const { from, to } of held.above) {
      expect(from).toBeGreaterThan(last + 1);
      last = to;
    }
    const from = 1 + randomInt(random, 20);
    const probe = { from, to: from + 3 };
    const inside = [0, 1, 2, 3].filter((n) => naive.has(from + n)).length;
    expect(holds(held, probe)).toBe(inside === 4);
    expect(overlaps(held, probe)).toBe(inside > 0);
    const other = addRange(emptyHeld, probe);
    const missing = missingRanges(new Map([[a, other]]), new Map([[a, held]]));
    const expected = [...naive].filter((n) => n < probe.from || n > probe.to);
    expect(missing.flatMap(({ ranges }) => [...numbers({ upTo: 0, above: ranges })]).sort()).toEqual(
      expected.sort(),
    );
    expect(covers(new Map([[a, held]]), new Map([[a, other]]))).toBe(inside === 4);
    expect(covers(union(new Map([[a, held]]), new Map([[a, other]])), new Map([[a, other]]))).toBe(true);
  }
});

test('equal vectors have equal hashes, in whatever order they were filled', () => {
  const held: Held = { upTo: 3, above: [{ from: 7, to: 9 }] };
  const one: Vector = new Map([
    [a, held],
    [b, { upTo: 1, above: [] }],
  ]);
  const other: Vector = new Map([...one].reverse());
  expect(vectorHash(one)).toEqual(vectorHash(other));
  expect(vectorHash(one)).not.toEqual(vectorHash(new Map([[a, held]])));
  expect(decodeVector(encodeVector(one))).toEqual({ ok: true, value: one });
});

test('a stranger’s vector that is none is refused', () => {
  for (const hex of ['', '00', 'a0', '81', '8100', '8183410100', 'c249010000000000000000']) {
    expect(decodeVector(Buffer.from(hex, 'hex')).ok, hex).toBe(false);
  }
});

test('hybrid time never goes back, carries a full counter, and ignores what runs more than a minute ahead', () => {
  const wallMs = 1_000_000;
  const base = BigInt(wallMs) << 16n;
  expect(tick(0n, wallMs)).toBe(base);
  expect(tick(base, wallMs - 500)).toBe(base + 1n);
  expect(tick(base + 0xffffn, wallMs)).toBe(BigInt(wallMs + 1) << 16n);
  const near = BigInt(wallMs + 60_000) << 16n;
  expect(witness(base, near, wallMs)).toBe(near);
  expect(witness(base, BigInt(wallMs + 60_001) << 16n, wallMs)).toBe(base);
});
