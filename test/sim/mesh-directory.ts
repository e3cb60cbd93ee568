import { type Clock, type Discovery, every, type PeerId, type Sighting } from 'tocsin/mesh';

/** Where everyone is found, as in a DNS that nodes enter themselves into: their entries end unless they renew them. */
export interface Directory {
  discovery(): Discovery;
  readonly entries: number;
}

export type DirectoryTiming = { readonly lookUpEveryMs: number; readonly leaseMs: number };

export function createDirectory(clock: Clock, { lookUpEveryMs, leaseMs }: DirectoryTiming): Directory {
  const entries = new Map<PeerId, { readonly endpoint: string; readonly untilMs: number }>();
  const source = 'directory';

  return {
    discovery: () => ({
      source,
      async start({ self, onSighting }) {
        const [{ endpoint }] = self.addresses;
        const lookUp = (): void => {
          const nowMs = clock.monotonicMs();
          entries.set(self.id, { endpoint, untilMs: nowMs + leaseMs });
          for (const [id, entry] of entries) {
            if (entry.untilMs <= nowMs) entries.delete(id);
            else if (id !== self.id) onSighting(sightingOf(id, entry.endpoint));
          }
        };
        lookUp();
        const timer = every(clock, () => lookUpEveryMs, lookUp);
        return {
          async stop() {
            timer.stop();
            entries.delete(self.id);
          },
        };
      },
    }),
    get entries() {
      return entries.size;
    },
  };

  function sightingOf(id: PeerId, endpoint: string): Sighting {
    return { source, id, endpoint, publicKey: undefined, leaseMs };
  }
}
