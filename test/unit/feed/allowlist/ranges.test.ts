import { seededRandom } from 'tocsin/mesh';
import { expect, test } from 'vitest';

import { createRanges } from '../../../../src/feed/allowlist/ranges.ts';
import type { Words } from '../../../../src/feed/allowlist/words.ts';

type Value = { readonly words: Words; retired: boolean };

/** A walk over all, with big numbers. */
function covers(outer: Words, inner: Words): boolean {
  const bits = BigInt(outer.low.length * 32);
  const hostBits = bits - BigInt(outer.prefix);
  return outer.prefix <= inner.prefix && wide(outer) >> hostBits === wide(inner) >> hostBits;
}

function wide({ low }: Words): bigint {
  return low.reduce((sum, word) => (sum << 32n) | BigInt(word), 0n);
}

function inOrder(values: readonly Value[]): readonly Words[] {
  return values
    .map(({ words }) => words)
    .sort((a, b) => Number(wide(a) > wide(b)) - Number(wide(a) < wide(b)) || a.prefix - b.prefix);
}

function masked(low: readonly number[], prefix: number): Words {
  return {
    low: low.map((word, i) => {
      const bits = Math.min(32, Math.max(0, prefix - i * 32));
      return bits === 0 ? 0 : ((word >>> (32 - bits)) << (32 - bits)) >>> 0;
    }),
    prefix,
  };
}

for (const width of [1, 4] as const) {
  test(`thousands of networks that come and go while they are asked for, ${width * 32} bits`, () => {
    const random = seededRandom(width);
    // Dense: the words that vary take few values.
    const draw = () =>
      masked(
        Array.from({ length: width }, (_, i) =>
          i === width - 1 ? Math.floor(random.next() * 4_096) * 0x10_0000 : 7,
        ),
        width * 32 - Math.floor(random.next() ** 3 * 30),
      );
    const ranges = createRanges<Value>(width);
    let held: Value[] = [];
    for (let round = 0; round < 60; round++) {
      for (let i = 0; i < 150; i++) {
        const value = { words: draw(), retired: false };
        if (
          held.some(({ words }) => wide(words) === wide(value.words) && words.prefix === value.words.prefix)
        )
          continue;
        held.push(value);
        ranges.add(value.words, value);
      }
      for (const value of held) {
        if (random.next() > 0.4) continue;
        value.retired = true;
        ranges.noteRetired();
      }
      held = held.filter(({ retired }) => !retired);
      for (let i = 0; i < 20; i++) {
        const query = draw();
        const around = held.filter(({ words }) => covers(words, query));
        expect(ranges.covering(query).map(({ words }) => words)).toEqual(inOrder(around).toReversed());
        const within = held.filter(({ words }) => words.prefix > query.prefix && covers(query, words));
        expect(ranges.within(query, 5).map(({ words }) => words)).toEqual(inOrder(within).slice(0, 5));
      }
    }
    expect(held.length).toBeGreaterThan(150);
  });
}
