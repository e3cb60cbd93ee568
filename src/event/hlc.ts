import type { Clock } from '../clock.ts';
import type { Hlc } from './types.ts';

/** How far a peer's clock may run ahead of ours before its events are held back (design 3). */
export const aheadMsMax = 60_000;

const counterBits = 16n;

/** The next time that is later than `last`, and not before the wall clock. A full counter carries into the milliseconds. */
export function tick(last: Hlc, wallMs: number): Hlc {
  const wall = hlcAt(wallMs);
  return wall > last ? wall : last + 1n;
}

/** `last` after a time was seen elsewhere. A time too far ahead is ignored: a wrong clock must not drag ours along. */
export function witness(last: Hlc, seen: Hlc, wallMs: number, aheadMs: number = aheadMsMax): Hlc {
  return seen > last && hlcMs(seen) <= wallMs + aheadMs ? seen : last;
}

/** Its Unix milliseconds. */
export function hlcMs(hlc: Hlc): number {
  return Number(hlc >> counterBits);
}

export function hlcAt(wallMs: number): Hlc {
  return BigInt(Math.floor(wallMs)) << counterBits;
}

/** A node's hybrid logical clock (Kulkarni and others, 2014): never goes back, and never falls behind what it has seen. */
export type HybridClock = {
  now(): Hlc;
  witness(seen: Hlc): void;
};

/** `start` is the latest time that this node has signed or stored. */
export function hybridClock(clock: Clock, start: Hlc): HybridClock {
  let last = start;
  return {
    now() {
      last = tick(last, clock.wallMs());
      return last;
    },
    witness(seen) {
      last = witness(last, seen, clock.wallMs());
    },
  };
}
