import { every } from '../clock.ts';
import { jitter } from '../random.ts';
import type { Frames, Link } from '../transport/transport.ts';
import { decodeGossip, encodeGossip } from '../wire/gossip.ts';
import type { Discovery, DiscoveryContext, RunningDiscovery } from './discovery.ts';
import {
  defaultHubTiming,
  type HubContext,
  type HubInput,
  type HubTiming,
  newHub,
  type Side,
  stepHub,
  tupleValue,
} from './gossip-hub.ts';

/** Below the second after which a stock hub forgets a silent client. */
const pingEveryMs = 400;
/** Without a seed there is nobody to ping, only leases to end. */
const tickEveryMs = 1_000;
/** The first wait after a seed has turned us away. */
const redialMs = 500;
const redialMsMax = 8_000;
/** So many refusals are no hub that stopped just then, and no key that comes next. */
const refusalsToTell = 2;
const queueMessagesMax = 10_000;
const queueBytesMax = 4 * 1024 * 1024;

export type GossipOptions = {
  /** Where our hub listens, e.g. `tcp://127.0.0.1:*`. */
  readonly bind: string;
  /** Other hubs: `tcp://host:port` of any node's gossip. */
  readonly seeds: readonly string[];
  readonly timing?: HubTiming;
};

/** zgossip (czmq): a hub of our own, and a client of each seed. */
export function gossipDiscovery(options: GossipOptions): Discovery {
  return { source: 'gossip', start: (context) => startGossip(options, context) };
}

async function startGossip(options: GossipOptions, context: DiscoveryContext): Promise<RunningDiscovery> {
  const { clock, keys, limits, random, self, transport } = context;
  const timing = options.timing ?? defaultHubTiming;
  const now = (): HubContext => ({ nowMs: clock.monotonicMs(), timing, limits });
  // One value for all: the previous key's address while keys rotate, as whoever has both keys dials either.
  const address = self.addresses.at(-1) ?? self.addresses[0];
  let stopped = false;
  let hub = newHub(self.id, tupleValue(address), now());

  const listener = await transport.listen(options.bind, {
    pair: keys.at(-1),
    onRefused: context.onStranger,
    onMessage: (from, frames) => receive({ kind: 'client', name: Buffer.from(from).toString('hex') }, frames),
    onUnreachable: (to) => step({ kind: 'client-lost', name: Buffer.from(to).toString('hex') }),
    frameBytesMax: limits.gossipValueBytesMax + 512,
  });
  const remotes = new Map<string, Link>();
  for (const seed of new Set(options.seeds)) dial(seed, 0);
  const timer = every(
    clock,
    () => jitter(context.random, remotes.size > 0 ? pingEveryMs : tickEveryMs, 0.1),
    () => step({ kind: 'tick' }),
  );

  /** A seed has one key, which may be any of ours while keys rotate: they are tried in turn. */
  function dial(seed: string, attempt: number): void {
    let refused = false;
    const link = transport.dial(seed, {
      pair: keys[attempt % Math.max(1, keys.length)],
      onMessage: (frames) => receive({ kind: 'remote', name: seed }, frames),
      onConnected: () => step({ kind: 'remote-connected', name: seed }),
      onDisconnected: () => step({ kind: 'remote-lost', name: seed }),
      onRefused() {
        // libzmq does not always try again after a refusal.
        if (refused || stopped) return;
        refused = true;
        if (attempt >= refusalsToTell) context.onTurnedAway(seed);
        const waitMs = Math.min(redialMs * 2 ** attempt, redialMsMax);
        clock.after(jitter(random, waitMs, 0.5), () => {
          if (stopped) return;
          void link.close(0);
          dial(seed, attempt + 1);
        });
      },
      queueMessagesMax,
      queueBytesMax,
    });
    remotes.set(seed, link);
  }

  function receive(from: Side, frames: Frames): void {
    const message = decodeGossip(frames, limits);
    if (message.ok) step({ kind: 'received', from, message: message.value });
    else context.onRefused(`gossip ${message.reason}`);
  }

  function step(input: HubInput): void {
    const { hub: next, effects } = stepHub(hub, input, now());
    hub = next;
    for (const effect of effects) {
      if (effect.kind === 'sighted') context.onSighting(effect.sighting);
      else send(effect.to, [encodeGossip(effect.message, limits)]);
    }
  }

  function send(to: Side, frames: Frames): void {
    // What a full queue drops is published again at the next renewal.
    if (to.kind === 'remote') remotes.get(to.name)?.send(frames);
    else listener.reply(Buffer.from(to.name, 'hex'), frames);
  }

  return {
    endpoint: listener.endpoint,
    async stop() {
      if (stopped) return;
      stopped = true;
      timer.stop();
      await Promise.all([listener.close(), ...[...remotes.values()].map((remote) => remote.close(0))]);
    },
  };
}
