import { createSocket } from 'node:dgram';
import { MeshError } from '../errors.ts';
import type { DatagramOptions, DatagramSocket, Datagrams } from './transport.ts';

/** UDP over IPv4, with the port shared among processes, as zbeacon does. */
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
    socket.bind({ port: options.port, address: '0.0.0.0' }, resolve);
  });
  socket.removeAllListeners('error');
  // An interface that is down or a missing route costs a beacon; the next one is a second away.
  socket.on('error', () => {});
  socket.setBroadcast(true);
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
