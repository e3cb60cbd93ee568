import type { PeerId } from '../ids.ts';
import type { Address, Sighting } from './discovery.ts';

type Lease = Address & { readonly source: string; readonly untilMs: number };

/** What all ways of discovery know together: per peer and source one address, until its lease ends. */
export interface Sightings {
  add(sighting: Sighting, nowMs: number): void;
  /** Cheap when no lease has ended, so that it may be called often. */
  dropEnded(nowMs: number): void;
  /** It said itself that it goes: what was known of it is worth nothing. */
  drop(id: PeerId): void;
  ids(): Iterable<PeerId>;
  /** The address with the longest lease: the one that was announced last. */
  addressOf(id: PeerId): Address | undefined;
  /** Which ways of discovery know a peer now. */
  sourcesOf(id: PeerId): readonly string[];
}

/**
 * `peersMax` caps what strangers can make us remember; a newcomer above it is ignored. Of a peer that announces two addresses
 * while keys rotate, the one with `currentKey` stays.
 */
export function createSightings(peersMax: number, currentKey: string | undefined): Sightings {
  /** A peer has one lease or two, so a list is less than a map. Changed in place: hundreds of peers are sighted every second. */
  const leasesOf = new Map<PeerId, Lease[]>();
  /** No lease ends before. */
  let nextEndMs = Number.POSITIVE_INFINITY;

  return {
    add({ id, source, endpoint, publicKey, leaseMs }, nowMs) {
      const lease: Lease = { source, endpoint, publicKey, untilMs: nowMs + leaseMs };
      const leases = leasesOf.get(id);
      if (leases === undefined) {
        if (leasesOf.size >= peersMax) return;
        leasesOf.set(id, [lease]);
      } else {
        const at = leases.findIndex((held) => held.source === source);
        const held = leases[at];
        const isBetter = held?.publicKey === currentKey && publicKey !== currentKey;
        if (held !== undefined && isBetter && held.untilMs > nowMs) return;
        if (at < 0) leases.push(lease);
        else leases[at] = lease;
      }
      nextEndMs = Math.min(nextEndMs, lease.untilMs);
    },
    dropEnded(nowMs) {
      if (nowMs < nextEndMs) return;
      nextEndMs = Number.POSITIVE_INFINITY;
      for (const [id, leases] of leasesOf) {
        const alive = leases.filter(({ untilMs }) => untilMs > nowMs);
        if (alive.length === 0) leasesOf.delete(id);
        else if (alive.length < leases.length) leasesOf.set(id, alive);
        for (const { untilMs } of alive) nextEndMs = Math.min(nextEndMs, untilMs);
      }
    },
    drop: (id) => void leasesOf.delete(id),
    ids: () => leasesOf.keys(),
    addressOf(id) {
      let best: Lease | undefined;
      for (const lease of leasesOf.get(id) ?? []) {
        if (best === undefined || lease.untilMs > best.untilMs) best = lease;
      }
      return best;
    },
    sourcesOf: (id) => (leasesOf.get(id) ?? []).map(({ source }) => source).sort(),
  };
}
