import type { PeerId } from '../ids.ts';
import type { Sighting } from './discovery.ts';

/** What all ways of discovery know together: per peer and source one endpoint, until its lease ends. */
export type Sightings = ReadonlyMap<PeerId, ReadonlyMap<string, Lease>>;
export type Lease = { readonly endpoint: string; readonly untilMs: number };

export const noSightings: Sightings = new Map();

/** `peersMax` caps what strangers can make us remember; a newcomer above it is ignored. */
export function addSighting(
  sightings: Sightings,
  sighting: Sighting,
  nowMs: number,
  peersMax: number,
): Sightings {
  const known = sightings.get(sighting.id);
  if (known === undefined && sightings.size >= peersMax) return sightings;
  const leases = new Map(known);
  leases.set(sighting.source, { endpoint: sighting.endpoint, untilMs: nowMs + sighting.leaseMs });
  return new Map(sightings).set(sighting.id, leases);
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

/** The endpoint with the longest lease: the one that was announced last. */
export function endpointOf(leases: ReadonlyMap<string, Lease>): string | undefined {
  let best: Lease | undefined;
  for (const lease of leases.values()) {
    if (best === undefined || lease.untilMs > best.untilMs) best = lease;
  }
  return best?.endpoint;
}

/** Which ways of discovery know a peer now. */
export function sourcesOf(sightings: Sightings, id: PeerId): readonly string[] {
  return [...(sightings.get(id)?.keys() ?? [])].sort();
}
