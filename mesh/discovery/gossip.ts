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
} from './gossip-hub.ts';

/** Below the second after which a stock hub forgets a silent client. */
const pingEveryMs = 400;
/** Without a seed there is nobody to ping, only leases to end. */
const tickEveryMs = 1_000;
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
  const { clock, limits, self, transport } = context;
  const timing = options.timing ?? defaultHubTiming;
  const now = (): HubContext => ({ nowMs: clock.monotonicMs(), timing, limits });
  let hub = newHub(self.id, self.endpoint, now());

  const listener = await transport.listen(options.bind, {
    onMessage: (from, frames) => receive({ kind: 'client', name: Buffer.from(from).toString('hex') }, frames),
    onUnreachable: (to) => step({ kind: 'client-lost', name: Buffer.from(to).toString('hex') }),
    frameBytesMax: limits.gossipValueBytesMax + 512,
  });
  const remotes = new Map<string, Link>(
    [...new Set(options.seeds)].map((seed) => [
      seed,
      transport.dial(seed, {
        onMessage: (frames) => receive({ kind: 'remote', name: seed }, frames),
        onConnected: () => step({ kind: 'remote-connected', name: seed }),
        onDisconnected: () => step({ kind: 'remote-lost', name: seed }),
        queueMessagesMax,
        queueBytesMax,
      }),
    ]),
  );
  const timer = every(
    clock,
    () => jitter(context.random, remotes.size > 0 ? pingEveryMs : tickEveryMs, 0.1),
    () => step({ kind: 'tick' }),
  );

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

  let stopped = false;
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
