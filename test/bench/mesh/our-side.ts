import { randomBytes } from 'node:crypto';
import {
  type CurvePair,
  type Discovery,
  isPeerId,
  type Mesh,
  peerIdFromBytes,
  startMesh,
  systemClock,
  systemRandom,
  udpDatagrams,
  zeromqTransport,
} from 'tocsin/mesh';
import { group, type Receiver, type Side } from './side.ts';

const parts = {
  clock: systemClock,
  random: systemRandom,
  transport: zeromqTransport(),
  datagrams: udpDatagrams(),
};
/** A user that floods looks at his outboxes now and then, and waits when they fill. */
const lookEvery = 64;
const queuedBytesMax = 1024 * 1024;

export const ourSide: Side = {
  async receive({ pair, onContent }) {
    const mesh = await startNode(pair, []);
    mesh.join(group);
    mesh.subscribe((event) => {
      if (event.kind === 'shout') onContent(event.content[0] ?? Buffer.alloc(0));
    });
    return { id: mesh.id, address: { endpoint: mesh.endpoint, publicKey: pair?.publicKey } };
  },
  async send({ pair, receivers }) {
    const mesh = await startNode(pair, [told(receivers)]);
    await joinedBy(mesh, receivers.length);
    return {
      async send(content, count) {
        for (let sent = 0; sent < count; sent++) {
          while (sent % lookEvery === 0 && isFull(mesh)) await aMillisecond();
          const taken = mesh.shout(group, [content]);
          if (taken < receivers.length)
            throw new Error(`${receivers.length - taken} receivers missed a shout`);
        }
      },
    };
  },
};

function isFull(mesh: Mesh): boolean {
  return mesh.peers().some(({ queuedBytes }) => queuedBytes > queuedBytesMax);
}

function aMillisecond(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}

export function startNode(pair: CurvePair | undefined, discovery: readonly Discovery[]): Promise<Mesh> {
  return startMesh(
    {
      id: peerIdFromBytes(randomBytes(16)),
      name: 'bench',
      headers: new Map(),
      bind: 'tcp://127.0.0.1:*',
      keys: pair ? [pair] : [],
      discovery,
    },
    parts,
  );
}

/** Finds the peers that it was told of, once. */
export function told(receivers: readonly Receiver[]): Discovery {
  return {
    source: 'told',
    async start({ onSighting }) {
      for (const { id, address } of receivers) {
        if (isPeerId(id)) onSighting({ source: 'told', id, ...address, leaseMs: 60_000 });
      }
      return { stop: async () => undefined };
    },
  };
}

export function joinedBy(mesh: Mesh, count: number): Promise<void> {
  return new Promise((resolve) => {
    let joined = 0;
    mesh.subscribe(({ kind }) => {
      if (kind === 'peer-joined' && ++joined === count) resolve();
    });
  });
}
