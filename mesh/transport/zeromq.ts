import { Context, Dealer, type MessageLike, Router } from 'zeromq';
import { MeshError } from '../errors.ts';
import { hasDescriptorsLeft } from './descriptors.ts';
import { createGatekeeper, type Gatekeeper } from './gatekeeper.ts';
import { type Names, systemNames } from './names.ts';
import { createOutbox } from './outbox.ts';
import { connectResolved } from './resolved.ts';
import {
  byteLengthOf,
  type DialOptions,
  type Frames,
  type HandshakeRefusal,
  type Link,
  type Listener,
  type ListenOptions,
  type Transport,
} from './transport.ts';

/** libzmq's default of 1,023 sockets is too few for a few hundred peers; it must be set before the first socket. */
const socketsMax = 8_192;
/** Redial soon, then ever more slowly: at libzmq's defaults 100 dead peers cost 4 % of a core. */
const reconnectIntervalMs = 250;
const reconnectIntervalMsMax = 8_000;
/** What libzmq itself may queue per connection; our own queue, which counts bytes, comes before it. */
const highWaterMark = 1_000;
/** libzmq would keep trying to connect to a host that swallows packets for minutes. */
const connectTimeoutMs = 5_000;
/**
 * ZMTP's own PINGs, which libzmq sends and answers off the main thread: a mailbox whose other end vanished without a word (a
 * pulled cable, a firewall that forgot the connection) is dialled anew after the timeout, before the peer is taken for silent.
 * For sockets that do not receive only: where a receive queue is full, a heartbeat that times out ends the process (libzmq
 * #3937, #4767). No time to live is sent either, as it makes the other side do the same.
 */
const heartbeats = { heartbeatInterval: 3_000, heartbeatTimeout: 10_000 };
/** The kernel finds out which diallers vanished, so that their connections do not hold file descriptors for ever. */
const keepalive = { tcpKeepalive: 1, tcpKeepaliveIdle: 30, tcpKeepaliveInterval: 10, tcpKeepaliveCount: 3 };

/** A stranger who connects and says nothing holds a file descriptor for so long; libzmq's default is 30 s. */
const handshakeMsMax = 5_000;

/** Sockets of ZeroMQ. One context for the process: libzmq's contexts are never freed by the binding. */
export function zeromqTransport(): Transport {
  const context = new Context({ maxSockets: socketsMax });
  const gatekeeper = createGatekeeper(context);
  const names = systemNames();
  return {
    listen: (endpoint, options) => listen(context, gatekeeper, endpoint, options),
    dial: (endpoint, options) => dial(context, names, endpoint, options),
    names,
  };
}

async function listen(
  context: Context,
  gatekeeper: Gatekeeper,
  endpoint: string,
  options: ListenOptions,
): Promise<Listener> {
  const gate = options.pair && (await gatekeeper.admit(options.pair.publicKey));
  const router = new Router({
    context,
    ...(options.pair && {
      curveServer: true,
      curveSecretKey: options.pair.secretKey,
      zapDomain: gate?.domain ?? null,
      // Else everyone gets in when nobody answers for the domain.
      zapEnforceDomain: true,
    }),
    ipv6: isIpv6(endpoint),
    handshakeInterval: handshakeMsMax,
    ...keepalive,
    handover: true,
    mandatory: true,
    linger: 0,
    // A reply to a dialer that does not read must not hold up the others.
    sendTimeout: 0,
    sendHighWaterMark: highWaterMark,
    receiveHighWaterMark: highWaterMark,
    maxMessageSize: options.frameBytesMax,
  });
  const { onRefused } = options;
  if (onRefused) {
    router.events.on('handshake:error:auth', () => onRefused('wrong-key'));
    router.events.on('handshake:error:protocol', ({ error }) => onRefused(refusalOf(error.code)));
  }
  try {
    await router.bind(endpoint);
  } catch (cause) {
    router.close();
    gate?.close();
    throw new MeshError('BIND_FAILED', `cannot listen at ${endpoint}: ${reasonOf(cause)}`, { cause });
  }
  let received = Promise.resolve();
  const replies: [Uint8Array, Frames][] = [];
  let replying = Promise.resolve();
  let closed = false;

  async function pump(): Promise<void> {
    for (let next = replies[0]; next !== undefined && !closed; next = replies[0]) {
      const [to, frames] = next;
      try {
        await router.send([to, ...frames] as MessageLike[]);
      } catch {
        if (!closed) options.onUnreachable?.(to);
      }
      replies.shift();
    }
  }

  return {
    endpoint: router.lastEndpoint ?? endpoint,
    receive(onMessage) {
      received = receive(router, (frames) => {
        const from = frames.shift();
        if (from !== undefined) onMessage(from, frames);
      });
    },
    reply(to, frames) {
      if (closed) return;
      replies.push([to, frames]);
      if (replies.length === 1) replying = pump();
    },
    async close() {
      if (closed) return;
      closed = true;
      await replying;
      router.close();
      await received;
      gate?.close();
    },
  };
}

function refusalOf(code: string | undefined): HandshakeRefusal {
  if (code === 'ERR_ZMTP_CRYPTOGRAPHIC') return 'wrong-key';
  return code === 'ERR_ZMTP_MECHANISM_MISMATCH' ? 'no-key' : 'bad-handshake';
}

function dial(context: Context, names: Names, endpoint: string, options: DialOptions): Link {
  // Mailboxes of peers only: hubs of gossip are few, and how everyone else is found.
  if (options.routingId && !hasDescriptorsLeft()) {
    throw new MeshError(
      'NO_DESCRIPTORS',
      `cannot dial ${endpoint}: this process has no file descriptors to spare`,
    );
  }
  const dealer = new Dealer({
    context,
    ipv6: isIpv6(endpoint),
    ...(options.pair && {
      curveServerKey: options.pair.publicKey,
      curvePublicKey: options.pair.publicKey,
      curveSecretKey: options.pair.secretKey,
    }),
    linger: 0,
    sendHighWaterMark: highWaterMark,
    receiveHighWaterMark: highWaterMark,
    reconnectInterval: reconnectIntervalMs,
    reconnectMaxInterval: reconnectIntervalMsMax,
    connectTimeout: connectTimeoutMs,
    // The other end gives up as early, and its word of that may be lost.
    handshakeInterval: handshakeMsMax,
    ...(options.onMessage ? keepalive : heartbeats),
    // The binding types a routing id as text, but takes bytes; ZRE's begin with 01.
    ...(options.routingId && { routingId: Buffer.from(options.routingId) as unknown as string }),
  });
  if (options.onConnected) dealer.events.on('handshake', options.onConnected);
  if (options.onDisconnected) dealer.events.on('disconnect', options.onDisconnected);
  const { onRefused } = options;
  if (onRefused) {
    for (const kind of ['auth', 'protocol', 'other'] as const) {
      dealer.events.on(`handshake:error:${kind}`, () => onRefused());
    }
  }
  connectResolved(endpoint, names, (resolved) => {
    if (dealer.closed) return;
    dealer.ipv6 = isIpv6(resolved);
    dealer.connect(resolved);
  });
  const { onMessage } = options;
  const received = onMessage ? receive(dealer, onMessage) : Promise.resolve();

  const outbox = createOutbox(dealer);
  let closed = false;

  return {
    endpoint,
    get queuedMessages() {
      return outbox.messages;
    },
    get queuedBytes() {
      return outbox.bytes;
    },
    send(frames) {
      if (closed || outbox.messages >= options.queueMessagesMax) return false;
      if (outbox.bytes + byteLengthOf(frames) > options.queueBytesMax) return false;
      outbox.send(frames);
      return true;
    },
    async close(lingerMs) {
      if (closed) return;
      closed = true;
      if (lingerMs > 0) {
        let timer: NodeJS.Timeout | undefined;
        const expired = new Promise<void>((resolve) => {
          timer = setTimeout(resolve, lingerMs);
        });
        await Promise.race([outbox.emptied(), expired]);
        clearTimeout(timer);
        dealer.linger = lingerMs;
      }
      dealer.close();
      await Promise.all([outbox.emptied(), received]);
    },
  };
}

/**
 * Reads until the socket is closed. Its own iterator does the same with a promise and an object more for each message.
 */
async function receive(socket: Router | Dealer, onMessage: (frames: Buffer[]) => void): Promise<void> {
  while (!socket.closed) {
    let frames: Buffer[];
    try {
      frames = await socket.receive();
    } catch (cause) {
      if (socket.closed) return;
      throw cause;
    }
    onMessage(frames);
  }
}

function isIpv6(endpoint: string): boolean {
  return endpoint.includes('[');
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
