import {
  type Clock,
  type Discovery,
  defaultLimits,
  type Link,
  type Mesh,
  type MeshEvent,
  type PeerId,
  type PeerTiming,
  peerIdFromBytes,
  type Random,
  type SimulatedClock,
  type SimulatedNetwork,
  startMesh,
  type Transport,
} from 'tocsin/mesh';

/** A host on the simulated network, which may be suspended: then its timers and what reaches it wait. */
export type Host = {
  readonly name: string;
  readonly clock: Clock;
  /** How wrong its wall clock is. */
  skewMs: number;
  isSuspended: boolean;
};

/** `held` is what waits until it wakes; `behindMs`, for how long its monotonic clock stood still. */
type HostState = Host & { readonly held: (() => void)[]; behindMs: number; sinceMs: number };

export type FleetNode = {
  readonly host: Host;
  readonly id: PeerId;
  readonly mesh: Mesh;
  /** Its own groups, as it means them to be. */
  readonly groups: Set<string>;
  /** What it told of the peers that it has now: whether each is silent. */
  readonly told: Map<PeerId, { isSilent: boolean; readonly groups: Set<string> }>;
  /** Set while it crashes: what it still says then is nobody's business. */
  isGone: boolean;
};

export type FleetParts = {
  readonly clock: SimulatedClock;
  readonly network: SimulatedNetwork;
  readonly random: Random;
  readonly discoveryOf: (host: string) => readonly Discovery[];
  readonly timing?: PeerTiming;
  readonly peersMax?: number;
  readonly onEvent?: (node: FleetNode, event: MeshEvent) => void;
};

/** What a host may still get when it wakes: the socket buffers of its kernel. */
const datagramsHeldMax = 200;

/**
 * Mesh nodes without any cargo, over a simulated network. It watches what every node tells: events have to alternate, and when
 * a node stops all of its sockets have to be closed.
 */
export class Fleet {
  readonly nodes = new Map<string, FleetNode>();
  readonly problems: string[] = [];
  readonly #hosts = new Map<string, HostState>();
  readonly #parts: FleetParts;
  /** Links to each endpoint, listeners and datagram sockets that are open, by host. */
  readonly #open = new Map<string, Map<string, number>>();
  enters = 0;
  exits = 0;
  silences = 0;
  redials = 0;

  constructor(parts: FleetParts) {
    this.#parts = parts;
  }

  /** With `id` it comes back as who it was, else as somebody new. It listens at `tcp://<host>:1000`. */
  async start(name: string, id: PeerId = peerIdFromBytes(this.#parts.random.bytes(16))): Promise<FleetNode> {
    const { network, random, discoveryOf, timing, peersMax = defaultLimits.peersMax } = this.#parts;
    const host = this.#host(name);
    const mesh = await startMesh(
      {
        id,
        name,
        headers: new Map(),
        bind: `tcp://${name}:1000`,
        discovery: discoveryOf(name),
        limits: { ...defaultLimits, peersMax },
        ...(timing && { timing }),
      },
      {
        clock: host.clock,
        random,
        transport: this.#watched(name, network.transport(name)),
        datagrams: {
          open: async (options) => {
            const socket = await network.datagrams(name).open({
              ...options,
              onDatagram: (bytes, from) => {
                const { held, isSuspended } = this.#host(name);
                if (isSuspended && held.length >= datagramsHeldMax) return;
                this.#reach(name, () => options.onDatagram(bytes, from));
              },
            });
            this.#count(name, 'datagrams', 1);
            return {
              ...socket,
              close: async () => {
                this.#count(name, 'datagrams', -1);
                await socket.close();
              },
            };
          },
        },
      },
    );
    const node: FleetNode = { host, id, mesh, groups: new Set(), told: new Map(), isGone: false };
    this.nodes.set(name, node);
    mesh.subscribe((event) => this.#heed(node, event));
    return node;
  }

  /** Goes with a goodbye. */
  async stop(name: string): Promise<void> {
    const node = this.nodes.get(name);
    if (node === undefined) return;
    this.resume(name);
    this.nodes.delete(name);
    await node.mesh.stop();
    this.#checkClosed(name);
  }

  /** Goes without one, and nothing more of what was on its way arrives. */
  async crash(name: string): Promise<void> {
    const node = this.nodes.get(name);
    if (node === undefined) return;
    node.isGone = true;
    const host = this.#host(name);
    host.held.length = 0;
    this.#parts.network.crash(name);
    await this.stop(name);
  }

  suspend(name: string): void {
    const host = this.#host(name);
    if (host.isSuspended) return;
    host.isSuspended = true;
    host.sinceMs = this.#parts.clock.monotonicMs();
  }

  /** `hasSlept`: its monotonic clock stood still too, as that of a suspended machine does. */
  resume(name: string, hasSlept = false): void {
    const host = this.#host(name);
    if (!host.isSuspended) return;
    host.isSuspended = false;
    if (hasSlept) host.behindMs += this.#parts.clock.monotonicMs() - host.sinceMs;
    for (const run of host.held.splice(0)) run();
  }

  /** Who does not see exactly the others, each ready and in its groups; undefined when all do. */
  disagreement(): string | undefined {
    for (const { host, id, mesh } of this.nodes.values()) {
      // Who does not answer is a hint, no peer.
      const peers = mesh.peers().filter(({ ready }) => ready);
      if (peers.length !== this.nodes.size - 1) return `${host.name} has ${peers.length} peers`;
      for (const other of this.nodes.values()) {
        if (other.id === id) continue;
        const seen = peers.find((peer) => peer.id === other.id);
        if (seen === undefined) return `${host.name} does not know ${other.host.name}`;
        if (seen.groups.length !== other.groups.size || seen.groups.some((group) => !other.groups.has(group)))
          return `${host.name} sees ${other.host.name} in ${seen.groups.join(',')}`;
      }
    }
    return undefined;
  }

  /** As `disagreement`, by numbers only: cheap enough to ask of hundreds of nodes. */
  isFull(): boolean {
    for (const { told } of this.nodes.values()) if (told.size !== this.nodes.size - 1) return false;
    return true;
  }

  #host(name: string): HostState {
    const known = this.#hosts.get(name);
    if (known !== undefined) return known;
    const { clock } = this.#parts;
    const host: HostState = {
      name,
      skewMs: 0,
      isSuspended: false,
      held: [],
      behindMs: 0,
      sinceMs: 0,
      clock: {
        wallMs: () => clock.wallMs() + host.skewMs,
        monotonicMs: () => clock.monotonicMs() - host.behindMs,
        after: (delayMs, task) => {
          let stopped = false;
          const timer = clock.after(delayMs, () =>
            this.#reach(name, () => {
              if (!stopped) task();
            }),
          );
          return {
            stop() {
              stopped = true;
              timer.stop();
            },
          };
        },
      },
    };
    this.#hosts.set(name, host);
    return host;
  }

  /** Something happens on a host: now, or when it wakes. */
  #reach(name: string, run: () => void): void {
    const host = this.#host(name);
    if (host.isSuspended) host.held.push(run);
    else run();
  }

  #watched(name: string, transport: Transport): Transport {
    const reach = (run: () => void) => this.#reach(name, run);
    return {
      ...transport,
      listen: async (endpoint, options) => {
        const { onUnreachable } = options;
        const listener = await transport.listen(endpoint, {
          ...options,
          ...(onUnreachable && { onUnreachable: (to) => reach(() => onUnreachable(to)) }),
        });
        this.#count(name, 'listeners', 1);
        return {
          ...listener,
          receive: (onMessage) => listener.receive((from, frames) => reach(() => onMessage(from, frames))),
          close: async () => {
            this.#count(name, 'listeners', -1);
            await listener.close();
          },
        };
      },
      dial: (endpoint, options) => {
        const { onMessage, onConnected, onDisconnected } = options;
        const link = transport.dial(endpoint, {
          ...options,
          ...(onMessage && { onMessage: (frames) => reach(() => onMessage(frames)) }),
          ...(onConnected && { onConnected: () => reach(onConnected) }),
          ...(onDisconnected && { onDisconnected: () => reach(onDisconnected) }),
        });
        const what = options.routingId ? `mailboxes at ${endpoint}` : `links to ${endpoint}`;
        this.redials++;
        this.#count(name, what, 1);
        return this.#counted(name, what, link);
      },
    };
  }

  #counted(name: string, what: string, link: Link): Link {
    let closed = false;
    return {
      endpoint: link.endpoint,
      get queuedMessages() {
        return link.queuedMessages;
      },
      get queuedBytes() {
        return link.queuedBytes;
      },
      send: (frames) => link.send(frames),
      close: async (lingerMs) => {
        if (!closed) this.#count(name, what, -1);
        closed = true;
        await link.close(lingerMs);
      },
    };
  }

  #count(name: string, what: string, by: number): void {
    const open = this.#open.get(name) ?? new Map<string, number>();
    this.#open.set(name, open);
    const left = (open.get(what) ?? 0) + by;
    if (left === 0) open.delete(what);
    else open.set(what, left);
  }

  /** Mailboxes of one node at one endpoint take each other's place for ever. */
  checkMailboxes(): void {
    for (const [name, open] of this.#open) {
      for (const [what, count] of open) {
        if (what.startsWith('mailboxes') && count > 1) this.#complain(`${name} holds ${count} ${what}`);
      }
    }
  }

  #checkClosed(name: string): void {
    for (const [what, count] of this.#open.get(name) ?? [])
      this.#complain(`${name} left ${count} ${what} open`);
  }

  #complain(problem: string): void {
    if (this.problems.length < 20)
      this.problems.push(`${Math.round(this.#parts.clock.monotonicMs())} ms: ${problem}`);
  }

  #heed(node: FleetNode, event: MeshEvent): void {
    if (node.isGone) return;
    const { told, host } = node;
    const complain = (what: string) => this.#complain(`${host.name} tells of ${event.kind} ${what}`);
    switch (event.kind) {
      case 'peer-entered': {
        this.enters++;
        const { id, name } = event.peer;
        if (told.has(id)) complain(`of ${name}, which is there`);
        told.set(id, { isSilent: false, groups: new Set() });
        break;
      }
      case 'peer-exited':
        this.exits++;
        if (!told.delete(event.id)) complain(`of ${event.name}, which never entered`);
        break;
      case 'peer-silent':
      case 'peer-heard': {
        const peer = told.get(event.id);
        const isSilent = event.kind === 'peer-silent';
        if (peer === undefined || peer.isSilent === isSilent) complain(`of ${event.name} out of turn`);
        else peer.isSilent = isSilent;
        if (isSilent) this.silences++;
        break;
      }
      case 'peer-joined':
      case 'peer-left': {
        const groups = told.get(event.id)?.groups;
        if (groups === undefined) complain('before it entered');
        else if (event.kind === 'peer-left') groups.delete(event.group);
        else if (groups.has(event.group)) complain('twice');
        else groups.add(event.group);
        break;
      }
      default:
    }
    this.#parts.onEvent?.(node, event);
  }
}
