import { EventEmitter } from 'node:events';
import type { Clock } from '../clock.ts';
import type { Datagrams } from '../transport/transport.ts';

/** RFC 6762 section 3. */
export const mdnsGroup = '224.0.0.251';
const mdnsPort = 5353;
/** RFC 6762 section 17: packets are at most so long. */
const datagramBytesMax = 9_000;
/** Far above what a LAN says; each packet costs a walk through all records. */
const datagramsPerSecondMax = 500;

export type MdnsSocketParts = {
  readonly datagrams: Datagrams;
  readonly clock: Clock;
  readonly onRefused: (reason: string) => void;
};

/** What bonjour-service takes for a socket, on one interface. */
export interface MdnsSocket extends EventEmitter {
  send(
    bytes: Uint8Array,
    offset: number,
    length: number,
    port: number,
    address: string,
    sent: (error: Error | null) => void,
  ): void;
  close(closed?: () => void): void;
}

/**
 * Opens a socket of our own instead of the library's, which joins the group on the default interface only, never joins again
 * on an interface that is replaced, and throws what strangers' packets break. Rejects with MeshError BIND_FAILED.
 */
export async function openMdnsSocket(
  interfaceAddress: string,
  { datagrams, clock, onRefused }: MdnsSocketParts,
): Promise<MdnsSocket> {
  const events = new EventEmitter();
  let secondStartedMs = clock.monotonicMs();
  let datagramsInSecond = 0;

  /** Answers why a datagram was dropped, if so. */
  function receive(bytes: Uint8Array, address: string): string | undefined {
    const nowMs = clock.monotonicMs();
    if (nowMs - secondStartedMs >= 1_000) {
      secondStartedMs = nowMs;
      datagramsInSecond = 0;
    }
    if (++datagramsInSecond > datagramsPerSecondMax) return 'mdns too-many';
    if (bytes.length > datagramBytesMax) return 'mdns too-large';
    try {
      events.emit('message', bytes, { address, family: 'IPv4', port: mdnsPort, size: bytes.length });
      return undefined;
    } catch {
      // The library takes names in strangers' packets apart without looking whether they have the parts.
      return 'mdns malformed';
    }
  }

  const socket = await datagrams.open({
    port: mdnsPort,
    multicast: { group: mdnsGroup, interfaceAddress },
    onDatagram(bytes, address) {
      const refusal = receive(bytes, address);
      if (refusal !== undefined) onRefused(refusal);
    },
  });
  return Object.assign(events, {
    send: (...[bytes, , , , address, sent]: Parameters<MdnsSocket['send']>) => {
      socket.send(bytes, address);
      sent(null);
    },
    close: (closed: () => void = () => {}) => {
      void socket.close().then(closed);
    },
  });
}
