import { randomBytes } from 'node:crypto';

/** Chance, handed in: the system's in a running node, a seed's in a simulated fleet. */
export interface Random {
  /** A float in [0, 1). */
  next(): number;
  bytes(length: number): Uint8Array;
}

export const systemRandom: Random = {
  next: () => Math.random(),
  bytes: (length) => randomBytes(length),
};

/** mulberry32: small, fast and good enough to draw faults; never for secrets. The same seed gives the same draws. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }
  return {
    next,
    bytes: (length) => Uint8Array.from({ length }, () => Math.floor(next() * 256)),
  };
}

/** An integer in [0, below). */
export function randomInt(random: Random, below: number): number {
  return Math.floor(random.next() * below);
}

/** One of `items`, or undefined when there are none. */
export function pick<T>(random: Random, items: readonly T[]): T | undefined {
  return items[randomInt(random, items.length)];
}

/** `meanMs` give or take `spread` (0.2 = 20 %), so that a fleet started at once does not act at once. */
export function jitter(random: Random, meanMs: number, spread = 0.2): number {
  return meanMs * (1 - spread + 2 * spread * random.next());
}
