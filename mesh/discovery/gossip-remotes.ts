import { every, type Timer } from '../clock.ts';
import { parseEndpoint } from '../endpoint.ts';
import { jitter } from '../random.ts';
import type { Frames, Link } from '../transport/transport.ts';
import type { DiscoveryContext } from './discovery.ts';
import { isOwnAddress } from './interfaces.ts';
import { keepResolving } from './resolve.ts';
import { answered, type Candidates, chosen, type NamedSeed, type Seed } from './seeds.ts';

/** The first wait after a seed has turned us away. */
const redialMs = 500;
const redialMsMax = 8_000;
/** So many refusals are no hub that stopped just then, and no key that comes next. */
const refusalsToTell = 2;
/** A seed that turned out to be ourselves is left alone for so long: behind a balancer it may be another one next time. */
const selfMs = 10 * 60_000;
const reviewEveryMs = 60_000;
const queueMessagesMax = 10_000;
const queueBytesMax = 4 * 1024 * 1024;

export type RemotesParts = {
  readonly context: DiscoveryContext;
  readonly seeds: readonly Seed[];
  /** Where our own hub is bound. */
  readonly ownEndpoint: string;
  readonly onMessage: (endpoint: string, frames: Frames) => void;
  readonly onConnected: (endpoint: string) => void;
  /** The connection is gone, or we gave it up. */
  readonly onLost: (endpoint: string) => void;
};

/** The hubs that the seeds name, each dialled for as long as it is named. Known by their endpoints. */
export interface Remotes {
  readonly size: number;
  send(endpoint: string, frames: Frames): void;
  /** Gives the connection up for a new one. */
  redial(endpoint: string): void;
  /** It is ourselves. */
  bar(endpoint: string): void;
  stop(): Promise<void>;
}

type Remote = { readonly link: Link; isConnected: boolean; redialling: Timer | undefined };

export function dialRemotes(parts: RemotesParts): Remotes {
  const { context, seeds, ownEndpoint, onMessage, onConnected, onLost } = parts;
  const { clock, keys, random, transport } = context;
  const remotes = new Map<string, Remote>();
  const closing = new Set<Promise<void>>();
  const barredUntilMs = new Map<string, number>();
  const stated = seeds.flatMap((seed) => (seed.kind === 'hub' ? [seed.endpoint] : []));
  const candidates = new Map<string, Candidates>();
  let stopped = false;

  function isBarred(endpoint: string): boolean {
    return isOwnHub(endpoint, ownEndpoint) || (barredUntilMs.get(endpoint) ?? 0) > clock.monotonicMs();
  }

  /** Dials who is to be dialled, and nobody else. */
  function review(): void {
    if (stopped) return;
    for (const [endpoint, untilMs] of barredUntilMs) {
      if (untilMs <= clock.monotonicMs()) barredUntilMs.delete(endpoint);
    }
    const wanted = new Set(stated);
    for (const yielded of candidates.values()) {
      for (const [endpoint, { dialledAtMs }] of yielded) if (dialledAtMs !== undefined) wanted.add(endpoint);
    }
    for (const endpoint of remotes.keys()) if (!wanted.has(endpoint) || isBarred(endpoint)) hangUp(endpoint);
    for (const endpoint of wanted) if (!remotes.has(endpoint) && !isBarred(endpoint)) dial(endpoint, 0);
  }

  function hangUp(endpoint: string): void {
    const remote = remotes.get(endpoint);
    if (remote === undefined) return;
    remotes.delete(endpoint);
    remote.redialling?.stop();
    const closed = remote.link.close(0).finally(() => closing.delete(closed));
    closing.add(closed);
    onLost(endpoint);
  }

  /** A seed has one key, which may be any of ours while keys rotate: they are tried in turn. */
  function dial(endpoint: string, attempt: number): void {
    let refused = false;
    const isCurrent = (): boolean => !stopped && remotes.get(endpoint) === remote;
    const link = transport.dial(endpoint, {
      pair: keys[attempt % Math.max(1, keys.length)],
      onMessage(frames) {
        if (isCurrent()) onMessage(endpoint, frames);
      },
      onConnected() {
        if (!isCurrent()) return;
        remote.isConnected = true;
        onConnected(endpoint);
      },
      onDisconnected() {
        if (!isCurrent()) return;
        remote.isConnected = false;
        onLost(endpoint);
      },
      onRefused() {
        // libzmq does not always try again after a refusal.
        if (refused || !isCurrent()) return;
        refused = true;
        if (attempt >= refusalsToTell) context.onTurnedAway(endpoint);
        const waitMs = Math.min(redialMs * 2 ** attempt, redialMsMax);
        remote.redialling = clock.after(jitter(random, waitMs, 0.5), () => {
          hangUp(endpoint);
          dial(endpoint, attempt + 1);
        });
      },
      queueMessagesMax,
      queueBytesMax,
    });
    const remote: Remote = { link, isConnected: false, redialling: undefined };
    remotes.set(endpoint, remote);
  }

  function choose(seed: NamedSeed, yielded: Candidates): void {
    const next = chosen(yielded, {
      connected: (endpoint) => remotes.get(endpoint)?.isConnected ?? false,
      barred: isBarred,
      nowMs: clock.monotonicMs(),
      random,
    });
    candidates.set(seed.text, next);
    review();
  }

  review();
  const named = seeds.flatMap((seed) => (seed.kind === 'hub' ? [] : [seed]));
  const resolving =
    named.length > 0
      ? keepResolving(named, {
          names: transport.names,
          clock,
          random,
          isFound: () => [...remotes.values()].some(({ isConnected }) => isConnected),
          onAnswer(seed, endpoints) {
            const held = candidates.get(seed.text) ?? new Map();
            choose(seed, answered(held, endpoints, clock.monotonicMs()));
          },
          onFailed: (reason) => context.onRefused(`dns ${reason}`),
        })
      : undefined;
  const reviewing = every(clock, () => jitter(random, reviewEveryMs), review);

  return {
    get size() {
      return remotes.size;
    },
    send(endpoint, frames) {
      // What a full queue drops is published again at the next renewal.
      remotes.get(endpoint)?.link.send(frames);
    },
    redial(endpoint) {
      hangUp(endpoint);
      if (!stopped) dial(endpoint, 0);
    },
    bar(endpoint) {
      barredUntilMs.set(endpoint, clock.monotonicMs() + jitter(random, selfMs));
      hangUp(endpoint);
    },
    async stop() {
      stopped = true;
      resolving?.stop();
      reviewing.stop();
      for (const endpoint of [...remotes.keys()]) hangUp(endpoint);
      await Promise.all(closing);
    },
  };
}

/** Whether an endpoint is where our own hub listens, as far as addresses tell. */
function isOwnHub(endpoint: string, ownEndpoint: string): boolean {
  if (endpoint === ownEndpoint) return true;
  const [at, own] = [parseEndpoint(endpoint), parseEndpoint(ownEndpoint)];
  if (!at.ok || !own.ok || at.value.port !== own.value.port) return false;
  const isEverywhere = own.value.host === '0.0.0.0' || own.value.host === '::';
  return isEverywhere && isOwnAddress(at.value.host);
}
