import { type Advertised, advertisedEndpoint, parseAdvertised } from './advertise.ts';
import type { PeerId } from './ids.ts';
import type { Introduction, Self } from './peer/peer.ts';
import type { CurvePair } from './security/curve.ts';
import { securityHeaders } from './security/hello.ts';
import type { Identity } from './security/identity.ts';
import type { Listener, ListenOptions, Transport } from './transport/transport.ts';

/** Where peers reach us, and how a HELLO introduces us there. */
export type Mailboxes = {
  readonly introductions: Self['introductions'];
  /** What peers are told of another endpoint that we have bound. */
  advertise(endpoint: string): string;
  /** Begins to receive; called once. */
  receive: Listener['receive'];
  close(): Promise<void>;
};

type MailboxSettings = {
  readonly id: PeerId;
  readonly identity?: Identity | undefined;
  readonly headers: ReadonlyMap<string, string>;
  readonly bind: string;
  readonly advertise?: string;
};

/**
 * Opens one mailbox for each key, since a socket has one: while keys rotate, holders of either reach us. One without a key on
 * a mesh in clear. Rejects with MeshError BIND_FAILED or BAD_ENDPOINT.
 */
export async function openMailboxes(
  settings: MailboxSettings,
  keys: readonly CurvePair[],
  transport: Transport,
  options: Omit<ListenOptions, 'pair'>,
): Promise<Mailboxes> {
  const advertised = settings.advertise === undefined ? undefined : parseAdvertised(settings.advertise);
  // The mailboxes beside the first one have ports of their own.
  const advertisedHost: Advertised | undefined = advertised && { ...advertised, port: undefined };
  const listeners: Listener[] = [];

  async function open(
    bind: string,
    pair: CurvePair | undefined,
    told: Advertised | undefined,
  ): Promise<Introduction> {
    const listener = await transport.listen(bind, { ...options, pair });
    listeners.push(listener);
    const address = {
      endpoint: advertisedEndpoint(listener.endpoint, told),
      publicKey: pair?.publicKey,
    };
    const security = securityHeaders(address, settings.id, settings.identity);
    return { ...address, headers: new Map([...settings.headers, ...security]) };
  }

  async function close(): Promise<void> {
    await Promise.all(listeners.map((listener) => listener.close()));
  }

  try {
    const introductions: [Introduction, ...Introduction[]] = [await open(settings.bind, keys[0], advertised)];
    for (const pair of keys.slice(1)) {
      introductions.push(await open(onAnyPort(settings.bind), pair, advertisedHost));
    }
    return {
      introductions,
      advertise: (endpoint) => advertisedEndpoint(endpoint, advertisedHost),
      receive(onMessage) {
        for (const listener of listeners) listener.receive(onMessage);
      },
      close,
    };
  } catch (cause) {
    await close();
    throw cause;
  }
}

function onAnyPort(endpoint: string): string {
  return `${endpoint.slice(0, endpoint.lastIndexOf(':'))}:*`;
}
