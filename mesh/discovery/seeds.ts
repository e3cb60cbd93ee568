import { endpointOf, isAddress, isHostName, parseEndpoint } from '../endpoint.ts';
import { accept, type Parsed, refuse } from '../parsed.ts';
import { type Random, randomInt } from '../random.ts';

/**
 * Seeds, as their names are resolved again and again, and which hubs to dial of what they yield; pure steps.
 *
 *   tcp://192.0.2.1:5671     that hub, always
 *   tcp://name:5671          all addresses of the name, as does dns://name:5671
 *   dns://_gossip._tcp.name  all services of the name (SRV)
 */
export type Seed =
  | { readonly kind: 'hub'; readonly text: string; readonly endpoint: string }
  | { readonly kind: 'host'; readonly text: string; readonly name: string; readonly port: number }
  | { readonly kind: 'service'; readonly text: string; readonly name: string };

export type NamedSeed = Exclude<Seed, { kind: 'hub' }>;

export function parseSeed(text: string): Parsed<Seed, 'bad-seed'> {
  if (text.startsWith('dns://')) {
    const rest = text.slice('dns://'.length);
    if (!rest.includes(':')) {
      const isService = isHostName(rest) && /^_[^.]+\._tcp\./i.test(rest);
      return isService ? accept({ kind: 'service', text, name: rest }) : refuse('bad-seed');
    }
    const at = parseEndpoint(`tcp://${rest}`);
    if (!at.ok || isAddress(at.value.host)) return refuse('bad-seed');
    return accept({ kind: 'host', text, name: at.value.host, port: at.value.port });
  }
  const at = parseEndpoint(text);
  if (!at.ok) return refuse('bad-seed');
  const { host, port } = at.value;
  return accept(
    isAddress(host) ? { kind: 'hub', text, endpoint: text } : { kind: 'host', text, name: host, port },
  );
}

/** A hub that a name yielded. */
export type Candidate = {
  /** When an answer first lacked it; undefined while answers have it. */
  readonly missingSinceMs: number | undefined;
  readonly dialledAtMs: number | undefined;
};

/** Per name: what it yields, and which of that is dialled. */
export type Candidates = ReadonlyMap<string, Candidate>;

/** An answer that names more is cut: a hub knows the others. */
export const answersMax = 64;
/** Hubs dialled of one name. Any three of each node connect a mesh, and more only hear everything more often. */
export const dialsPerName = 3;
/** An address that left the answer for so long is not dialled any more. A name that does not answer drops nothing. */
export const missingMsMax = 5 * 60_000;

/** A name answered. */
export function answered(candidates: Candidates, endpoints: readonly string[], nowMs: number): Candidates {
  const named = new Set(endpoints.slice(0, answersMax));
  const next = new Map<string, Candidate>();
  for (const endpoint of named) {
    next.set(endpoint, {
      missingSinceMs: undefined,
      dialledAtMs: candidates.get(endpoint)?.dialledAtMs,
    });
  }
  for (const [endpoint, candidate] of candidates) {
    const missingSinceMs = candidate.missingSinceMs ?? nowMs;
    if (named.has(endpoint) || nowMs - missingSinceMs >= missingMsMax) continue;
    // Who is not dialled and not named is of no use.
    if (candidate.dialledAtMs !== undefined) next.set(endpoint, { ...candidate, missingSinceMs });
  }
  return next;
}

export type ChoiceContext = {
  readonly connected: (endpoint: string) => boolean;
  /** Not to be dialled: it is ourselves. */
  readonly barred: (endpoint: string) => boolean;
  readonly nowMs: number;
  readonly random: Random;
};

/**
 * Chooses anew whom to dial, by chance: who is connected stays, but for the one that was dialled first, which makes room for
 * another one. Halves of a mesh that each chose among themselves while they were apart so meet again.
 */
export function chosen(candidates: Candidates, context: ChoiceContext): Candidates {
  const { connected, barred, nowMs, random } = context;
  const free = [...candidates.keys()].filter((endpoint) => !barred(endpoint));
  const kept = free
    .filter((endpoint) => candidates.get(endpoint)?.dialledAtMs !== undefined && connected(endpoint))
    .sort((a, b) => (candidates.get(b)?.dialledAtMs ?? 0) - (candidates.get(a)?.dialledAtMs ?? 0));
  const hasOthers = free.length > dialsPerName;
  const dialled = new Set(kept.slice(0, hasOthers ? dialsPerName - 1 : dialsPerName));
  const rest = free.filter((endpoint) => !kept.includes(endpoint));
  while (dialled.size < dialsPerName && rest.length > 0) {
    for (const endpoint of rest.splice(randomInt(random, rest.length), 1)) dialled.add(endpoint);
  }
  return new Map(
    [...candidates].map(([endpoint, candidate]) => [
      endpoint,
      {
        ...candidate,
        dialledAtMs: dialled.has(endpoint) ? (candidate.dialledAtMs ?? nowMs) : undefined,
      },
    ]),
  );
}

/** Endpoints of a host's addresses, those of IPv4 first. */
export function endpointsOf(addresses: readonly string[], port: number): readonly string[] {
  const sorted = [...addresses].sort((a, b) => Number(a.includes(':')) - Number(b.includes(':')));
  return sorted.map((address) => endpointOf(address, port));
}
