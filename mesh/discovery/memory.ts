import type { ExitReason } from '../events.ts';
import type { PeerId } from '../ids.ts';
import { jitter, type Random } from '../random.ts';
import type { Address } from './discovery.ts';

/**
 * Peers that were here for a while and were lost without a word; pure steps. They are tried again, ever more slowly: no way of
 * discovery may know them any more, and after a partition both sides wait for the other one.
 */
export type Memory = {
  readonly here: ReadonlyMap<PeerId, { readonly address: Address; readonly sinceMs: number }>;
  readonly lost: ReadonlyMap<PeerId, Lost>;
};

export type Lost = {
  readonly address: Address;
  readonly untilMs: number;
  readonly tryAtMs: number;
  /** Up to the try after the next one. */
  readonly waitMs: number;
};

/** Whoever was here for less may be a passer-by. */
const hereMsMin = 10_000;
const lostMsMax = 60 * 60_000;
const tryEveryMsMin = 5_000;
const tryEveryMsMax = 5 * 60_000;

export const noMemory: Memory = { here: new Map(), lost: new Map() };

export function entered(memory: Memory, id: PeerId, address: Address, nowMs: number): Memory {
  const sinceMs = memory.here.get(id)?.sinceMs ?? nowMs;
  const lost = new Map(memory.lost);
  lost.delete(id);
  return { here: new Map(memory.here).set(id, { address, sinceMs }), lost };
}

/** `peersMax` caps who is remembered; the one that was lost first makes room. */
export function exited(
  memory: Memory,
  id: PeerId,
  reason: ExitReason,
  nowMs: number,
  peersMax: number,
): Memory {
  const known = memory.here.get(id);
  if (known === undefined) return memory;
  // Its HELLO is here already.
  if (reason === 'restarted') return memory;
  const here = new Map(memory.here);
  here.delete(id);
  const isGone = reason === 'goodbye' || reason === 'replaced';
  if (isGone || nowMs - known.sinceMs < hereMsMin) return { here, lost: memory.lost };
  const lost = new Map(memory.lost);
  const [first] = lost.keys();
  if (lost.size >= peersMax && first !== undefined) lost.delete(first);
  lost.set(id, {
    address: known.address,
    untilMs: nowMs + lostMsMax,
    tryAtMs: nowMs + tryEveryMsMin,
    waitMs: 2 * tryEveryMsMin,
  });
  return { here, lost };
}

/** Whom to try now. */
export function dueOf(
  memory: Memory,
  nowMs: number,
  random: Random,
): { readonly memory: Memory; readonly due: ReadonlyMap<PeerId, Address> } {
  const due = new Map<PeerId, Address>();
  if (memory.lost.size === 0) return { memory, due };
  const lost = new Map<PeerId, Lost>();
  for (const [id, peer] of memory.lost) {
    if (peer.untilMs <= nowMs) continue;
    if (peer.tryAtMs > nowMs) {
      lost.set(id, peer);
      continue;
    }
    due.set(id, peer.address);
    const waitMs = Math.min(2 * peer.waitMs, tryEveryMsMax);
    lost.set(id, { ...peer, tryAtMs: nowMs + jitter(random, peer.waitMs), waitMs });
  }
  const isSame = due.size === 0 && lost.size === memory.lost.size;
  return { memory: isSame ? memory : { ...memory, lost }, due };
}
