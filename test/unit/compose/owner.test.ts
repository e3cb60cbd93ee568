import { expect, test } from 'vitest';
import { ownerOf } from '../../../src/compose/owner.ts';
import type { NodeId } from '../../../src/event/types.ts';

const nodes = Array.from({ length: 10 }, (_, i) => i.toString(16).padStart(32, '0') as NodeId);
const keys = Array.from({ length: 2_000 }, (_, i) => `key ${i}`);

test('nodes that see the same members agree, in whatever order they see them', () => {
  for (const key of keys.slice(0, 100)) expect(ownerOf(key, nodes)).toBe(ownerOf(key, [...nodes].reverse()));
  expect(ownerOf('key', [])).toBeUndefined();
});

test('every node owns about its share', () => {
  const owned = new Map<NodeId | undefined, number>();
  for (const key of keys) owned.set(ownerOf(key, nodes), (owned.get(ownerOf(key, nodes)) ?? 0) + 1);
  for (const node of nodes) {
    expect(owned.get(node)).toBeGreaterThan(150);
    expect(owned.get(node)).toBeLessThan(250);
  }
});

test('when a node goes, only what it owned changes hands', () => {
  const left = nodes.slice(1);
  for (const key of keys) {
    const before = ownerOf(key, nodes);
    if (before === nodes[0]) expect(left).toContain(ownerOf(key, left));
    else expect(ownerOf(key, left)).toBe(before);
  }
});
