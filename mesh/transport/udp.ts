import { createSocket, type Socket } from 'node:dgram';
import { MeshError } from '../errors.ts';
import type { DatagramOptions, DatagramSocket, Datagrams } from './transport.ts';

/** UDP over IPv4, with the port shared among processes, as zbeacon and multicast DNS do. */
export function udpDatagrams(): Datagrams {
  return { open };
}

async function open(options: DatagramOptions): Promise<DatagramSocket> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', (cause) => {
      socket.close();
      reject(
        new MeshError('BIND_FAILED', `cannot open UDP port ${options.port}: ${cause.message}`, { cause }),
      );
    });
    socket.bind({ port: options.port, address: bindAddressOf(options) }, resolve);
  });
  socket.removeAllListeners('error');
  // An interface that is down or a missing route costs a beacon; the next one is a second away.
  socket.on('error', () => {});
  if (options.multicast) join(socket, options.multicast);
  else socket.setBroadcast(true);
  socket.on('message', (bytes, from) => options.onDatagram(bytes, from.address));
  let closed = false;
  return {
    send(bytes, toAddress) {
      if (!closed) socket.send(bytes, options.port, toAddress, () => {});
    },
    async close() {
      if (closed) return;
      closed = true;
      await new Promise<void>((resolve) => socket.close(() => resolve()));
    },
  };
}

/** A socket bound to the group takes no unicast answers away from others on the port; Windows knows no such bind. */
function bindAddressOf({ multicast }: DatagramOptions): string {
  return multicast && process.platform !== 'win32' ? multicast.group : '0.0.0.0';
}

/** RFC 6762 section 11 wants a time to live of 255. Throws MeshError BIND_FAILED when the interface is gone. */
function join(socket: Socket, { group, interfaceAddress }: NonNullable<DatagramOptions['multicast']>): void {
  try {
    socket.addMembership(group, interfaceAddress);
    socket.setMulticastInterface(interfaceAddress);
    socket.setMulticastTTL(255);
    socket.setMulticastLoopback(true);
  } catch (cause) {
    socket.close();
    throw new MeshError('BIND_FAILED', `cannot join ${group} on ${interfaceAddress}`, { cause });
  }
}
