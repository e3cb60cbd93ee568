import bonjourService, { type Bonjour, type Browser, type Service } from 'bonjour-service';
import type { Timer } from '../clock.ts';
import { parseEndpoint } from '../endpoint.ts';
import { MeshError } from '../errors.ts';
import { isPeerId, type PeerId } from '../ids.ts';
import { accept, type Parsed, refuse } from '../parsed.ts';
import { jitter } from '../random.ts';
import { isPublicKey } from '../security/curve.ts';
import type { Address, Discovery, DiscoveryContext, RunningDiscovery } from './discovery.ts';
import { type Network, networksOf } from './interfaces.ts';
import { openMdnsSocket } from './mdns-socket.ts';

/** First look again soon, since the first question or its answers may be lost (RFC 6762 section 5.2). */
const lookEveryMsMin = 1_000;
const lookEveryMs = 20_000;
/** All answer whoever asks: the more there are, the more seldom each one asks. */
const lookEveryMsPerPeer = 1_000;
/** Looks that may go unanswered before a hint is forgotten. */
const leaseLooks = 3.5;
/** How often interfaces that came or went are looked for. */
const checkEveryMs = 5_000;

export type MdnsOptions = {
  /** Services are of the type `_<type>._tcp`; nodes of other types are not seen. RFC 6335: at most 15 letters, digits and dashes. */
  readonly type: string;
  /** The address or the name of an interface; 0.0.0.0 for every one, 127.0.0.1 for this machine alone. */
  readonly host: string;
};

/**
 * Multicast DNS (RFC 6762, RFC 6763) with bonjour-service; meets avahi both ways. The TXT record says who is where:
 * `id=<32 hex>`, `endpoint=tcp://host:port`, on an encrypted mesh `key=<40 Z85 characters>`.
 * Throws MeshError BAD_NAME for a type that is none.
 */
export function mdnsDiscovery(options: MdnsOptions): Discovery {
  if (!/^(?!-)[a-z0-9-]{1,15}(?<!-)$/i.test(options.type)) {
    throw new MeshError(
      'BAD_NAME',
      `${options.type} is no service type: give it up to 15 letters, digits and dashes`,
    );
  }
  return { source: 'mdns', start: (context) => startMdns(options, context) };
}

/** One interface that we speak on. */
type Station = { readonly bonjour: Bonjour; browser: Browser | undefined };

async function startMdns({ type, host }: MdnsOptions, context: DiscoveryContext): Promise<RunningDiscovery> {
  const { clock, limits, random, self } = context;
  const stations = new Map<string, Station>();
  const address = self.addresses.at(-1) ?? self.addresses[0];
  let known = new Set<PeerId>();
  let seen = new Set<PeerId>();
  let lookMs = lookEveryMsMin;
  let stopped = false;

  async function open(network: Network): Promise<Station> {
    const socket = await openMdnsSocket(network.address, context);
    // The library's types know nothing of the options that it hands on to multicast-dns.
    const options: object = { socket, bind: false, multicast: false };
    const bonjour = new bonjourService.Bonjour(options, () => context.onRefused('mdns not-sent'));
    bonjour.publish(serviceOf(type, self.id, address));
    return { bonjour, browser: undefined };
  }

  /** Speaks on the interfaces that are up, and only there. */
  async function follow(): Promise<void> {
    const networks = new Map(networksOf(host).map((network) => [keyOf(network), network]));
    for (const [key, station] of stations) {
      if (networks.has(key)) continue;
      stations.delete(key);
      await close(station);
    }
    for (const [key, network] of networks) {
      if (stations.has(key)) continue;
      const station = await open(network);
      if (stopped) await close(station);
      else {
        stations.set(key, station);
        look(station);
      }
    }
  }

  /** Asks who is there. A browser tells of a service once, so that each look takes a new one. */
  function look(station: Station): void {
    station.browser?.stop();
    let told = 0;
    const browser = station.bonjour.find({ type, protocol: 'tcp' });
    station.browser = browser;
    const hear = (service: Service): void => {
      if (++told > 2 * limits.peersMax) browser.stop();
      else sight(service);
    };
    browser.on('up', hear);
    browser.on('txt-update', hear);
  }

  function sight({ txt }: Service): void {
    const announced = parseTxt(txt);
    if (!announced.ok) {
      context.onRefused(`mdns ${announced.reason}`);
      return;
    }
    if (announced.value.id === self.id) return;
    seen.add(announced.value.id);
    context.onSighting({ source: 'mdns', ...announced.value, leaseMs: leaseLooks * steadyMs() });
  }

  function steadyMs(): number {
    return Math.max(lookEveryMs, lookEveryMsPerPeer * Math.max(known.size, seen.size));
  }

  let looking: Timer;
  function lookAgain(): void {
    looking = clock.after(jitter(random, lookMs), () => {
      known = seen;
      seen = new Set();
      for (const station of stations.values()) look(station);
      lookMs = Math.min(lookMs * 2, steadyMs());
      lookAgain();
    });
  }
  let checking: Timer;
  let checked = follow();
  function checkAgain(): void {
    checking = clock.after(jitter(random, checkEveryMs), () => {
      // An interface may go between being listed and being joined; the next check is soon.
      checked = follow().catch(() => context.onRefused('mdns no-interface'));
      void checked.then(() => {
        if (!stopped) checkAgain();
      });
    });
  }
  await checked;
  lookAgain();
  checkAgain();

  return {
    async stop() {
      if (stopped) return;
      stopped = true;
      looking.stop();
      checking.stop();
      await checked;
      await Promise.all([...stations.values()].map(close));
    },
  };
}

/** The goodbye is on its way once unpublishAll calls back; destroy alone says none. */
async function close({ bonjour, browser }: Station): Promise<void> {
  browser?.stop();
  await new Promise<void>((resolve) => bonjour.unpublishAll(resolve));
  await new Promise<void>((resolve) => bonjour.destroy(resolve));
}

function keyOf({ name, address, mac }: Network): string {
  return `${name} ${address} ${mac}`;
}

function serviceOf(type: string, id: PeerId, { endpoint, publicKey }: Address) {
  return {
    name: id,
    type,
    port: Number(endpoint.slice(endpoint.lastIndexOf(':') + 1)),
    // With the system's host name, two containers of one name would have each other's addresses.
    host: `${id}.local`,
    txt: { id, endpoint, ...(publicKey !== undefined && { key: publicKey }) },
    // A name that is an id needs no probe, and the library's prints a collision on stdout.
    probe: false,
  };
}

/** What a service's TXT record says, as bonjour-service gives it: text by key, or nothing. */
export function parseTxt(
  txt: unknown,
): Parsed<Address & { readonly id: PeerId }, 'no-txt' | 'bad-id' | 'bad-endpoint' | 'bad-key'> {
  if (typeof txt !== 'object' || txt === null) return refuse('no-txt');
  const { id, endpoint, key }: { id?: unknown; endpoint?: unknown; key?: unknown } = txt;
  const named = typeof id === 'string' ? id.toUpperCase() : '';
  if (!isPeerId(named)) return refuse('bad-id');
  if (typeof endpoint !== 'string' || !parseEndpoint(endpoint).ok) return refuse('bad-endpoint');
  if (key !== undefined && (typeof key !== 'string' || !isPublicKey(key))) return refuse('bad-key');
  return accept({ id: named, endpoint, publicKey: key });
}
