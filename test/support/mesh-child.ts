import { randomBytes } from 'node:crypto';
import {
  type Discovery,
  defaultTiming,
  gossipDiscovery,
  type PeerTiming,
  peerIdFromBytes,
  startMesh,
} from 'tocsin/mesh';

/*
 * A mesh node in a process of its own, for what only a process can be done to. Its one argument is JSON, MeshChildOptions.
 * It prints one line of JSON for its gossip endpoint, for each event but content, and for its counters every second.
 */
export type MeshChildOptions = {
  readonly name: string;
  readonly seeds: readonly string[];
  readonly timing: Partial<PeerTiming>;
  /** Peers that are sighted, once the first real one has entered, at endpoints where nobody listens. */
  readonly phantoms?: number;
  /** Whispers this many bytes to the peer of this name, again and again, as fast as they are taken. */
  readonly flood?: { readonly name: string; readonly bytes: number };
};

const { name, seeds, timing, phantoms = 0, flood } = JSON.parse(process.argv[2] ?? '{}') as MeshChildOptions;

const print = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

let haunt: () => void = () => {};
const ghosts: Discovery = {
  source: 'ghosts',
  async start({ onSighting }) {
    haunt = () => {
      for (let i = 0; i < phantoms; i++) {
        const id = peerIdFromBytes(randomBytes(16));
        const endpoint = `tcp://127.0.0.1:${20_000 + i}`;
        onSighting({ source: 'ghosts', id, endpoint, publicKey: undefined, leaseMs: 60_000 });
      }
      haunt = () => {};
    };
    return { stop: async () => {} };
  },
};
const mesh = await startMesh({
  name,
  discovery: [gossipDiscovery({ bind: 'tcp://127.0.0.1:*', seeds }), ghosts],
  timing: { ...defaultTiming, ...timing },
});
mesh.subscribe((event) => {
  if (event.kind === 'whisper' || event.kind === 'shout') return;
  print(event);
  if (event.kind === 'peer-entered') haunt();
  if (event.kind === 'peer-entered' && event.peer.name === flood?.name)
    pour(event.peer.id, new Uint8Array(flood.bytes));
});
print({ kind: 'started', gossip: mesh.discoveryEndpoints.get('gossip') });
setInterval(() => print({ kind: 'counters', ...Object.fromEntries(mesh.counters()) }), 1_000);

function pour(to: Parameters<typeof mesh.whisper>[0], content: Uint8Array): void {
  while (mesh.whisper(to, content));
  setTimeout(pour, 1, to, content);
}
