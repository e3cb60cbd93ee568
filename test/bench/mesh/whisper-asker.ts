import { isPeerId } from 'tocsin/mesh';
import { bareSide, dial, whisperControl } from './bare-side.ts';
import { childArgument, serve } from './child.ts';
import { startNode, told } from './our-side.ts';
import type { AskerArgument } from './whisper.ts';

// Sends 300 bytes, waits for them to come back, and so on; answers how long each took, in microseconds.

const { side, pair, echo } = childArgument<AskerArgument>();
const content = Buffer.alloc(300, 'w');
let hear = () => {};

const { endpoint, send } = side === 'ours' ? await ours() : await bare();
serve({
  address: () => ({ id: '', address: { endpoint, publicKey: pair?.publicKey } }),
  async roundTrips(count: number) {
    const tookUs: number[] = [];
    for (let n = 0; n < count; n++) {
      const startMs = performance.now();
      await new Promise<void>((resolve) => {
        hear = resolve;
        send();
      });
      tookUs.push((performance.now() - startMs) * 1_000);
    }
    return tookUs;
  },
});

async function ours() {
  const { id } = echo;
  if (!isPeerId(id)) throw new Error('the echo has no id');
  const mesh = await startNode(pair, [told([echo])]);
  await new Promise<void>((resolve) => {
    mesh.subscribe(({ kind }) => {
      if (kind === 'peer-entered') resolve();
      if (kind === 'whisper') hear();
    });
  });
  return { endpoint: mesh.endpoint, send: () => void mesh.whisper(id, [content]) };
}

async function bare() {
  const { address } = await bareSide.receive({ pair, onContent: () => hear() });
  const dealer = dial(echo.address.endpoint, pair);
  return { endpoint: address.endpoint, send: () => void dealer.send([whisperControl, content]) };
}
