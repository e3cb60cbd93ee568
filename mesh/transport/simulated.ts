import type { Clock } from '../clock.ts';
import { MeshError } from '../errors.ts';
import { type Random, randomInt } from '../random.ts';
import {
  byteLengthOf,
  type DatagramOptions,
  type Datagrams,
  type DialOptions,
  type Frames,
  type HandshakeRefusal,
  type Link,
  type Listener,
  type ListenOptions,
  type Transport,
} from './transport.ts';

export { type SimulatedClock, simulatedClock } from './simulated-clock.ts';

export type NetworkFaults = {
  /** Each message takes between these two; messages of one link keep their order, links overtake one another. */
  readonly delayMsMin: number;
  readonly delayMsMax: number;
  /** Chance that a message is lost, as one is that was in flight when a connection broke. */
  readonly loss: number;
  /** Chance that a message arrives a second time, later, behind others. */
  readonly duplication: number;
};

/** A network in one process: hosts named by text, endpoints `tcp://<host>:<port>`, faults drawn from a seed. */
export interface SimulatedNetwork {
  transport(host: string): Transport;
  datagrams(host: string): Datagrams;
  faults: NetworkFaults;
  /** Hosts of different groups do not reach one another; hosts of no group reach everyone. */
  partition(groups: readonly (readonly string[])[]): void;
  heal(): void;
  /** The host's power fails: its sockets are gone, and whatever is on its way to them. */
  crash(host: string): void;
  readonly messages: { sent: number; lost: number };
  /** What names stand for, beside each host's own; an empty list for a name that is not there any more. */
  readonly names: Map<string, readonly string[]>;
}

type Bound = {
  readonly host: string;
  readonly options: ListenOptions;
  readonly dialers: Map<string, Dialer>;
  onMessage: (from: Uint8Array, frames: Frames) => void;
};
type Dialer = { readonly host: string; readonly options: DialOptions; closed: boolean };
type Ear = { readonly host: string; readonly options: DatagramOptions };

const firstPort = 49_152;

export function simulatedNetwork(clock: Clock, random: Random, faults: NetworkFaults): SimulatedNetwork {
  const bound = new Map<string, Bound>();
  const ears = new Set<Ear>();
  const dialers = new Set<Dialer>();
  const groupOf = new Map<string, number>();
  const messages = { sent: 0, lost: 0 };
  const names = new Map<string, readonly string[]>();
  let ports = firstPort;

  function reaches(a: string, b: string): boolean {
    const [groupA, groupB] = [groupOf.get(a), groupOf.get(b)];
    return groupA === undefined || groupB === undefined || groupA === groupB;
  }

  /** Delivers in order behind what this lane carries already; answers the lane's new end. */
  function carry(from: string, to: string, laneFreeMs: number, deliver: () => void): number {
    const { delayMsMin, delayMsMax, loss, duplication } = network.faults;
    const nowMs = clock.monotonicMs();
    const atMs = Math.max(laneFreeMs, nowMs + delayMsMin + random.next() * (delayMsMax - delayMsMin));
    messages.sent++;
    const lost = random.next() < loss;
    const arrive = (): void => {
      if (lost || !reaches(from, to)) messages.lost++;
      else deliver();
    };
    clock.after(atMs - nowMs, arrive);
    if (random.next() < duplication) clock.after(atMs - nowMs + random.next() * delayMsMax, arrive);
    return atMs;
  }

  async function listen(host: string, endpoint: string, options: ListenOptions): Promise<Listener> {
    const at = endpoint.endsWith(':*') ? `tcp://${host}:${ports++}` : endpoint;
    if (bound.has(at)) throw new MeshError('BIND_FAILED', `cannot listen at ${at}: it is taken`);
    const waiting: [Uint8Array, Frames][] = [];
    const own: Bound = {
      host,
      options,
      dialers: new Map(),
      onMessage: (from, frames) => waiting.push([from, frames]),
    };
    bound.set(at, own);
    const lanes = new Map<string, number>();
    return {
      endpoint: at,
      receive(onMessage) {
        own.onMessage = onMessage;
        for (const [from, frames] of waiting.splice(0)) onMessage(from, frames);
      },
      reply(to, frames) {
        const key = Buffer.from(to).toString('hex');
        const dialer = own.dialers.get(key);
        if (dialer === undefined || dialer.closed) {
          own.dialers.delete(key);
          clock.after(0, () => options.onUnreachable?.(to));
          return;
        }
        const freeMs = carry(host, dialer.host, lanes.get(key) ?? 0, () => {
          if (!dialer.closed) dialer.options.onMessage?.(frames);
        });
        lanes.set(key, freeMs);
      },
      async close() {
        if (bound.get(at) === own) bound.delete(at);
      },
    };
  }

  function dial(host: string, endpoint: string, options: DialOptions): Link {
    const routingId = options.routingId ?? Uint8Array.from([0, ...random.bytes(4)]);
    const key = Buffer.from(routingId).toString('hex');
    const dialer: Dialer = { host, options, closed: false };
    dialers.add(dialer);
    let connectedTo: Bound | undefined;
    let laneFreeMs = 0;
    let queuedMessages = 0;
    let queuedBytes = 0;

    function arrive(frames: Frames): void {
      const listener = bound.get(endpoint);
      if (listener === undefined || dialer.closed || refusalOf(listener) !== undefined) {
        messages.lost++;
        return;
      }
      // A routing id that is dialled again is handed over: what its old link carries is lost.
      const holder = listener.dialers.get(key);
      if (holder === undefined || holder.closed || connectedTo !== listener)
        listener.dialers.set(key, dialer);
      else if (holder !== dialer) return;
      connectedTo = listener;
      listener.onMessage(routingId, frames);
    }

    function connect(): void {
      if (dialer.closed) return;
      const listener = bound.get(endpoint);
      if (listener !== undefined && reaches(host, listener.host)) {
        const refusal = refusalOf(listener);
        if (refusal === undefined) {
          options.onConnected?.();
          return;
        }
        listener.options.onRefused?.(refusal);
        options.onRefused?.();
      }
      clock.after(500 + randomInt(random, 500), connect);
    }
    if (options.onConnected || options.pair) clock.after(0, connect);

    function refusalOf(listener: Bound): HandshakeRefusal | undefined {
      if (listener.options.pair?.publicKey === options.pair?.publicKey) return undefined;
      return listener.options.pair && options.pair ? 'wrong-key' : 'no-key';
    }

    return {
      endpoint,
      get queuedMessages() {
        return queuedMessages;
      },
      get queuedBytes() {
        return queuedBytes;
      },
      send(frames) {
        const bytes = byteLengthOf(frames);
        if (dialer.closed || queuedMessages >= options.queueMessagesMax) return false;
        if (queuedBytes + bytes > options.queueBytesMax) return false;
        queuedMessages++;
        queuedBytes += bytes;
        const to = bound.get(endpoint)?.host ?? endpoint.slice('tcp://'.length, endpoint.lastIndexOf(':'));
        laneFreeMs = carry(host, to, laneFreeMs, () => arrive(frames));
        clock.after(laneFreeMs - clock.monotonicMs(), () => {
          queuedMessages--;
          queuedBytes -= bytes;
        });
        return true;
      },
      async close(lingerMs) {
        if (dialer.closed) return;
        // What is on its way arrives when the closer lingers; nothing more is sent.
        if (lingerMs > 0) {
          clock.after(lingerMs, () => {
            dialer.closed = true;
          });
        } else {
          dialer.closed = true;
        }
        dialers.delete(dialer);
      },
    };
  }

  async function addresses(name: string): Promise<readonly string[]> {
    const found = names.get(name) ?? [name];
    if (found.length > 0) return found;
    throw Object.assign(new Error(`${name} is not known`), { code: 'ENOTFOUND' });
  }

  const network: SimulatedNetwork = {
    faults,
    messages,
    names,
    transport: (host) => ({
      listen: (endpoint, options) => listen(host, endpoint, options),
      dial: (endpoint, options) => dial(host, endpoint, options),
      names: { addresses, services: async () => [] },
    }),
    datagrams: (host) => ({
      async open(options) {
        const ear: Ear = { host, options };
        ears.add(ear);
        return {
          send(bytes) {
            for (const other of ears) {
              if (other.options.port !== options.port) continue;
              carry(host, other.host, 0, () => {
                if (ears.has(other)) other.options.onDatagram(bytes, host);
              });
            }
          },
          async close() {
            ears.delete(ear);
          },
        };
      },
    }),
    partition(groups) {
      groupOf.clear();
      groups.forEach((hosts, group) => {
        for (const host of hosts) groupOf.set(host, group);
      });
    },
    heal: () => groupOf.clear(),
    crash(host) {
      for (const [at, { host: owner }] of bound) if (owner === host) bound.delete(at);
      for (const ear of ears) if (ear.host === host) ears.delete(ear);
      for (const dialer of dialers) if (dialer.host === host) dialer.closed = true;
    },
  };
  return network;
}
