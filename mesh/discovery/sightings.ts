import type { PeerId } from '../ids.ts';
import type { Address, Sighting } from './discovery.ts';

/** What all ways of discovery know together: per peer and source one address, until its lease ends. */
export type Sightings = ReadonlyMap<PeerId, ReadonlyMap<string, Lease>>;
export type Lease = Address & { readonly untilMs: number };

export const noSightings: Sightings = new Map();

/**
 * `peersMax` caps what strangers can make us remember; a newcomer above it is ignored. Of a peer that announces two addresses
 * while keys rotate, the one with `currentKey` stays.
 */
export function addSighting(
  sightings: Sightings,
  { id, source, endpoint, publicKey, leaseMs }: Sighting,
  nowMs: number,
  peersMax: number,
  currentKey: string | undefined,
): Sightings {
  const known = sightings.get(id);
  if (known === undefined && sightings.size >= peersMax) return sightings;
  const held = known?.get(source);
  const isBetter = held?.publicKey === currentKey && publicKey !== currentKey && (held?.untilMs ?? 0) > nowMs;
  if (held !== undefined && isBetter) return sightings;
  const leases = new Map(known);
  leases.set(source, { endpoint, publicKey, untilMs: nowMs + leaseMs });
  return new Map(sightings).set(id, leases);
}

export function withoutExpired(sightings: Sightings, nowMs: number): Sightings {
  const kept = new Map<PeerId, ReadonlyMap<string, Lease>>();
  let changed = false;
  for (const [id, leases] of sightings) {
    const alive = new Map([...leases].filter(([, lease]) => lease.untilMs > nowMs));
    if (alive.size > 0) kept.set(id, alive.size === leases.size ? leases : alive);
    if (alive.size !== leases.size) changed = true;
  }
  return changed ? kept : sightings;
}

/** The address with the longest lease: the one that was announced last. */
export function addressOf(leases: ReadonlyMap<string, Lease>): Address | undefined {
  let best: Lease | undefined;
  for (const lease of leases.values()) {
    if (best === undefined || lease.untilMs > best.untilMs) best = lease;
  }
  return best;
}

/** Which ways of discovery know a peer now. */
export function sourcesOf(sightings: Sightings, id: PeerId): readonly string[] {
  return [...(sightings.get(id)?.keys() ?? [])].sort();
}
