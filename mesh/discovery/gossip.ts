import { every } from '../clock.ts';
import { MeshError } from '../errors.ts';
import { jitter } from '../random.ts';
import type { Frames } from '../transport/transport.ts';
import { decodeGossip, encodeGossip, type GossipMessage } from '../wire/gossip.ts';
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
import { dialRemotes } from './gossip-remotes.ts';
import { parseSeed, type Seed } from './seeds.ts';

/** Below the second after which a stock hub forgets a silent client. */
const pingEveryMs = 400;
/** Without a seed there is nobody to ping, only leases to end. */
const tickEveryMs = 1_000;
/** What stands behind our HELLO, so that a hub sees when it has dialled itself; czmq and we ignore what is behind a field. */
const markBytes = 16;
/** Behind a PONG: we remember silent clients, so that they need not PING as often as for a stock hub. */
const patience = Uint8Array.of(1);

export type GossipOptions = {
  /** Where our hub listens, e.g. `tcp://127.0.0.1:*`. */
  readonly bind: string;
  /**
   * Other hubs. `tcp://host:port` is any node's gossip; `dns://name:port` all addresses of a name; `dns://_service._tcp.name`
   * all services of a name (SRV). Names are resolved again and again.
   */
  readonly seeds: readonly string[];
  readonly timing?: HubTiming;
};

/** zgossip (czmq): a hub of our own, and a client of others. Throws MeshError BAD_ENDPOINT for a seed that is none. */
export function gossipDiscovery(options: GossipOptions): Discovery {
  const seeds = [...new Set(options.seeds)].map(seedOf);
  return { source: 'gossip', start: (context) => startGossip(options, seeds, context) };
}

function seedOf(text: string): Seed {
  const seed = parseSeed(text);
  if (!seed.ok)
    throw new MeshError(
      'BAD_ENDPOINT',
      `${text} is no seed: write tcp://host:port, dns://name:port or dns://_service._tcp.name`,
    );
  return seed.value;
}

async function startGossip(
  options: GossipOptions,
  seeds: readonly Seed[],
  context: DiscoveryContext,
): Promise<RunningDiscovery> {
  const { clock, isHeard, keys, limits, random, self, transport } = context;
  const timing = options.timing ?? defaultHubTiming;
  const now = (): HubContext => ({ nowMs: clock.monotonicMs(), timing, limits, isHeard });
  // One value for all: the previous key's address while keys rotate, as whoever has both keys dials either.
  const address = self.addresses.at(-1) ?? self.addresses[0];
  const marks = new Map<string, string>();
  let stopped = false;
  let hub = newHub(self.id, tupleValue(address), now());

  const listener = await transport.listen(options.bind, {
    pair: keys.at(-1),
    onRefused: context.onStranger,
    onUnreachable: (to) => step({ kind: 'client-lost', name: hexOf(to) }),
    frameBytesMax: limits.gossipValueBytesMax + 512,
  });
  const remotes = dialRemotes({
    context,
    seeds,
    ownEndpoint: listener.endpoint,
    onMessage: (endpoint, frames) => receive({ kind: 'remote', name: endpoint }, frames),
    onConnected: (endpoint) => step({ kind: 'remote-connected', name: endpoint }),
    onLost: (endpoint) => step({ kind: 'remote-lost', name: endpoint }),
  });
  const timer = every(
    clock,
    () => jitter(random, remotes.size > 0 ? pingEveryMs : tickEveryMs, 0.1),
    () => step({ kind: 'tick' }),
  );

  listener.receive(serve);

  function serve(from: Uint8Array, frames: Frames): void {
    const name = hexOf(from);
    const mirrored = marks.get(markIn(frames));
    if (mirrored !== undefined) {
      remotes.bar(mirrored);
      step({ kind: 'client-lost', name });
    } else receive({ kind: 'client', name }, frames);
  }

  function receive(from: Side, frames: Frames): void {
    const message = decodeGossip(frames, limits);
    if (message.ok)
      step({ kind: 'received', from, message: message.value, isPatient: isPatientPong(frames) });
    else context.onRefused(`gossip ${message.reason}`);
  }

  function step(input: HubInput): void {
    if (stopped) return;
    const { hub: next, effects } = stepHub(hub, input, now());
    hub = next;
    let written: { message?: GossipMessage; frame: Uint8Array } = { frame: new Uint8Array(0) };
    for (const effect of effects) {
      switch (effect.kind) {
        case 'sighted':
          context.onSighting(effect.sighting);
          break;
        case 'redial':
          remotes.redial(effect.name);
          break;
        case 'send': {
          const { to, message } = effect;
          // What goes to everyone is one message.
          if (message !== written.message) written = { message, frame: encodeGossip(message, limits) };
          const { frame } = written;
          if (to.kind === 'client')
            listener.reply(Buffer.from(to.name, 'hex'), [message.kind === 'pong' ? patient(frame) : frame]);
          else remotes.send(to.name, [message.kind === 'hello' ? marked(frame, to.name) : frame]);
          break;
        }
        default:
          effect satisfies never;
      }
    }
  }

  function marked(hello: Uint8Array, endpoint: string): Uint8Array {
    const mark = random.bytes(markBytes);
    for (const [other, at] of marks) if (at === endpoint) marks.delete(other);
    marks.set(hexOf(mark), endpoint);
    return Buffer.concat([hello, mark]);
  }

  return {
    endpoint: listener.endpoint,
    async stop() {
      if (stopped) return;
      stopped = true;
      timer.stop();
      await Promise.all([listener.close(), remotes.stop()]);
    },
  };
}

function patient(pong: Uint8Array): Uint8Array {
  return Buffer.concat([pong, patience]);
}

/** A PONG has four bytes, and no other message has five. */
function isPatientPong([frame]: Frames): boolean {
  return frame?.length === 4 + patience.length && frame[4] === patience[0];
}

/** The mark behind a HELLO, which has four bytes; another frame's last bytes are no mark of ours. */
function markIn([frame]: Frames): string {
  return frame?.length === 4 + markBytes ? hexOf(frame.subarray(4)) : '';
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
