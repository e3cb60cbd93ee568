import { isPeerId, type PeerId } from '../ids.ts';
import type { MeshLimits } from '../limits.ts';
import { isPublicKey } from '../security/curve.ts';
import type { GossipMessage } from '../wire/gossip.ts';
import type { Address, Sighting } from './discovery.ts';

/**
 * A zgossip hub as pure steps. Every node is one: it serves clients that dial it, and is a client of the hubs that it
 * dials (its seeds, here "remotes"). What either side publishes reaches everyone.
 *
 * zgossip has no word for "gone": a stock hub keeps and teaches dead entries for ever. Its PUBLISH carries a time to live
 * that nobody reads, so we use it as the lease that it was meant to be: the owner publishes its entry anew with a full
 * lease, and a hub hands on what is left of it. Entries of stock peers carry 0 and get a full lease at each hub that hears
 * them. Those who cannot renew their entry, stock peers and whoever sits behind a stock hub, have it renewed by the hubs
 * that hear them as peers. (docs/adr/0002.)
 */
export type Hub = {
  readonly own: { readonly key: PeerId; readonly value: string };
  readonly tuples: ReadonlyMap<string, Tuple>;
  /** Dialers that have spoken, by name. */
  readonly clients: ReadonlyMap<string, Client>;
  /** Seeds that are connected now. */
  readonly remotes: ReadonlyMap<string, Remote>;
  readonly publishedAtMs: number;
};

/** `pings`: it is one of ours, and so is gone when it falls silent. Stock clients are silent by nature. */
export type Client = { readonly heardAtMs: number; readonly pings: boolean };

/** `isPatient`: it is one of ours, and does not forget us after a second of silence. */
export type Remote = { readonly heardAtMs: number; readonly pingedAtMs: number; readonly isPatient: boolean };

/** `toldUntilMs`: the lease as it was last handed on. */
export type Tuple = { readonly value: string; readonly untilMs: number; readonly toldUntilMs: number };

export type HubTiming = {
  /** What an entry is worth from its owner's last word. */
  readonly leaseMs: number;
  /** How often the owner publishes its entry anew. */
  readonly renewEveryMs: number;
};

export const defaultHubTiming: HubTiming = { leaseMs: 30_000, renewEveryMs: 10_000 };

/** A renewal that gains less than this is an echo, and says nothing. */
const renewalMsMin = 1_000;
/** Hubs hand a renewal on when it gains this part of a lease: every second one, as each goes to everyone. */
const renewalToHandOn = 1 / 2;

/** Who pings and is silent for so long, or does not answer our pings, is gone: TCP itself may take many minutes to notice. */
const silentMsMax = 5_000;
const pingPatientEveryMs = 2_000;
/** An entry with less than this part of its lease left has not been renewed by its owner. */
const overdue = 1 / 6;

/** A side of the hub: a client by its routing id, or a remote by its endpoint. */
export type Side = { readonly kind: 'client' | 'remote'; readonly name: string };

export type HubInput =
  /** `isPatient`: a remote says that it is one of ours. */
  | {
      readonly kind: 'received';
      readonly from: Side;
      readonly message: GossipMessage;
      readonly isPatient?: boolean;
    }
  | { readonly kind: 'remote-connected'; readonly name: string }
  | { readonly kind: 'remote-lost'; readonly name: string }
  | { readonly kind: 'client-lost'; readonly name: string }
  | { readonly kind: 'tick' };

export type HubContext = {
  readonly nowMs: number;
  readonly timing: HubTiming;
  readonly limits: MeshLimits;
  /** Whether a peer is here: its mailbox talks to ours. */
  readonly isHeard: (id: PeerId) => boolean;
};

export type HubEffect =
  | { readonly kind: 'send'; readonly to: Side; readonly message: GossipMessage }
  | { readonly kind: 'sighted'; readonly sighting: Sighting }
  /** A remote is silent: give the connection up for a new one. */
  | { readonly kind: 'redial'; readonly name: string };

export type HubStep = { readonly hub: Hub; readonly effects: readonly HubEffect[] };

export function newHub(key: PeerId, value: string, context: HubContext): Hub {
  return {
    own: { key, value },
    tuples: new Map([[key, fullLease(value, context)]]),
    clients: new Map(),
    remotes: new Map(),
    publishedAtMs: context.nowMs,
  };
}

export function stepHub(hub: Hub, input: HubInput, context: HubContext): HubStep {
  switch (input.kind) {
    case 'received':
      return receive(hub, input, context);
    case 'remote-connected':
      return introduce(heardRemote(hub, input.name, false, context), input.name, context);
    case 'remote-lost':
      return { hub: { ...hub, remotes: without(hub.remotes, input.name) }, effects: [] };
    case 'client-lost':
      return { hub: { ...hub, clients: without(hub.clients, input.name) }, effects: [] };
    case 'tick':
      return tick(hub, context);
    default:
      return input satisfies never;
  }
}

function receive(
  hub: Hub,
  { from, message, isPatient = false }: Extract<HubInput, { kind: 'received' }>,
  context: HubContext,
): HubStep {
  const known =
    from.kind === 'client'
      ? heardClient(hub, from.name, message.kind === 'ping', context)
      : heardRemote(hub, from.name, isPatient, context);
  switch (message.kind) {
    case 'hello':
      // A stock hub takes offence at a second HELLO and forgets the client. Whoever asks is answered.
      return from.kind === 'client'
        ? { hub: known, effects: publishAll(known, from, context) }
        : { hub: known, effects: [] };
    case 'publish':
      return learn(known, from, message, context);
    case 'ping':
      return { hub: known, effects: [{ kind: 'send', to: from, message: { kind: 'pong' } }] };
    case 'invalid':
      // A stock hub has forgotten us, after a second of silence or a lost frame: it needs all of it again.
      return from.kind === 'remote' ? introduce(known, from.name, context) : { hub: known, effects: [] };
    case 'pong':
      return { hub: known, effects: [] };
    default:
      return message satisfies never;
  }
}

function learn(
  hub: Hub,
  from: Side,
  message: Extract<GossipMessage, { kind: 'publish' }>,
  context: HubContext,
): HubStep {
  const { key, value, ttlMs } = message;
  // Only we speak for ourselves: an old entry of ours would otherwise outlive the new one.
  if (key === hub.own.key) return { hub, effects: [] };
  const leaseMs = ttlMs === 0 ? context.timing.leaseMs : Math.min(ttlMs, context.timing.leaseMs);
  const untilMs = context.nowMs + leaseMs;
  const held = hub.tuples.get(key);
  if (held === undefined && hub.tuples.size >= context.limits.gossipTuplesMax) return { hub, effects: [] };
  // The lease decides between two values as well: an owner renews only its newest one.
  if (held !== undefined && untilMs < held.untilMs + renewalMsMin) return { hub, effects: [] };
  const isNews =
    held?.value !== value || untilMs - held.toldUntilMs >= renewalToHandOn * context.timing.leaseMs;
  const tuple: Tuple = { value, untilMs, toldUntilMs: isNews ? untilMs : held.toldUntilMs };
  const next: Hub = { ...hub, tuples: new Map(hub.tuples).set(key, tuple) };
  const effects: HubEffect[] = [];
  const address = addressOf(value);
  if (isPeerId(key) && (address.publicKey === undefined || isPublicKey(address.publicKey))) {
    effects.push({ kind: 'sighted', sighting: { source: 'gossip', id: key, ...address, leaseMs } });
  }
  if (!isNews) return { hub: next, effects };
  const handedOn: GossipMessage = { kind: 'publish', key, value, ttlMs: leaseMs };
  for (const to of everyone(next)) {
    if (to.kind !== from.kind || to.name !== from.name) effects.push({ kind: 'send', to, message: handedOn });
  }
  return { hub: next, effects };
}

/** An entry's value: the endpoint, and behind `|`, which Z85 lacks, the key of an encrypted node. */
export function tupleValue({ endpoint, publicKey }: Address): string {
  return publicKey === undefined ? endpoint : `${endpoint}|${publicKey}`;
}

function addressOf(value: string): Address {
  const at = value.indexOf('|');
  return at < 0
    ? { endpoint: value, publicKey: undefined }
    : { endpoint: value.slice(0, at), publicKey: value.slice(at + 1) };
}

function tick(hub: Hub, context: HubContext): HubStep {
  const { nowMs, timing } = context;
  const isSilent = (heardAtMs: number): boolean => nowMs - heardAtMs > silentMsMax;
  const effects: HubEffect[] = [];
  const remotes = new Map(hub.remotes);
  for (const [name, remote] of hub.remotes) {
    if (isSilent(remote.heardAtMs)) {
      remotes.delete(name);
      effects.push({ kind: 'redial', name });
    } else if (!remote.isPatient || nowMs - remote.pingedAtMs >= pingPatientEveryMs) {
      // A stock hub forgets whoever is silent for one second.
      remotes.set(name, { ...remote, pingedAtMs: nowMs });
      effects.push({ kind: 'send', to: { kind: 'remote', name }, message: { kind: 'ping' } });
    }
  }
  const next: Hub = {
    ...hub,
    remotes,
    clients: kept(hub.clients, ({ heardAtMs, pings }) => !pings || !isSilent(heardAtMs)),
    tuples: kept(hub.tuples, ({ untilMs }) => untilMs > nowMs),
  };
  const due: [string, string][] = [];
  for (const [key, { value, untilMs }] of next.tuples) {
    const isOverdue = untilMs - nowMs < timing.leaseMs * overdue;
    if (isOverdue && isPeerId(key) && key !== hub.own.key && context.isHeard(key)) due.push([key, value]);
  }
  const isOwnDue = nowMs - hub.publishedAtMs >= timing.renewEveryMs;
  if (isOwnDue) due.push([hub.own.key, hub.own.value]);
  if (due.length === 0) return { hub: next, effects };

  const tuples = new Map(next.tuples);
  for (const [key, value] of due) {
    tuples.set(key, fullLease(value, context));
    const message: GossipMessage = { kind: 'publish', key, value, ttlMs: timing.leaseMs };
    for (const to of everyone(next)) effects.push({ kind: 'send', to, message });
  }
  return { hub: { ...next, tuples, publishedAtMs: isOwnDue ? nowMs : hub.publishedAtMs }, effects };
}

function fullLease(value: string, { nowMs, timing }: HubContext): Tuple {
  return { value, untilMs: nowMs + timing.leaseMs, toldUntilMs: nowMs + timing.leaseMs };
}

function introduce(hub: Hub, name: string, context: HubContext): HubStep {
  const to: Side = { kind: 'remote', name };
  return {
    hub,
    effects: [{ kind: 'send', to, message: { kind: 'hello' } }, ...publishAll(hub, to, context)],
  };
}

function publishAll(hub: Hub, to: Side, context: HubContext): readonly HubEffect[] {
  const effects: HubEffect[] = [];
  for (const [key, { value, untilMs }] of hub.tuples) {
    const ttlMs = Math.floor(untilMs - context.nowMs);
    if (ttlMs > 0) effects.push({ kind: 'send', to, message: { kind: 'publish', key, value, ttlMs } });
  }
  return effects;
}

/** Clients come and go with new names. Above the cap the one that was silent for longest makes room. */
function heardClient(hub: Hub, name: string, isPing: boolean, { nowMs, limits }: HubContext): Hub {
  const known = hub.clients.get(name);
  const clients = new Map(hub.clients);
  if (known === undefined && clients.size >= limits.peersMax) {
    const [oldest] = [...clients].sort(([, a], [, b]) => a.heardAtMs - b.heardAtMs);
    if (oldest !== undefined) clients.delete(oldest[0]);
  }
  clients.set(name, { heardAtMs: nowMs, pings: isPing || (known?.pings ?? false) });
  return { ...hub, clients };
}

function heardRemote(hub: Hub, name: string, isPatient: boolean, { nowMs }: HubContext): Hub {
  const known = hub.remotes.get(name);
  const remote: Remote = {
    heardAtMs: nowMs,
    pingedAtMs: known?.pingedAtMs ?? Number.NEGATIVE_INFINITY,
    isPatient: isPatient || (known?.isPatient ?? false),
  };
  return { ...hub, remotes: new Map(hub.remotes).set(name, remote) };
}

function everyone(hub: Hub): readonly Side[] {
  return [
    ...[...hub.clients.keys()].map((name): Side => ({ kind: 'client', name })),
    ...[...hub.remotes.keys()].map((name): Side => ({ kind: 'remote', name })),
  ];
}

function without<Value>(map: ReadonlyMap<string, Value>, name: string): ReadonlyMap<string, Value> {
  const rest = new Map(map);
  rest.delete(name);
  return rest;
}

/** The same map when all of it is kept. */
function kept<Value>(
  map: ReadonlyMap<string, Value>,
  isKept: (value: Value) => boolean,
): ReadonlyMap<string, Value> {
  const rest = [...map].filter(([, value]) => isKept(value));
  return rest.length === map.size ? map : new Map(rest);
}
