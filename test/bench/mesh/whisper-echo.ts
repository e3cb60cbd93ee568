import type { Dealer } from 'zeromq';
import { bareSide, dial, whisperControl } from './bare-side.ts';
import { childArgument, serve } from './child.ts';
import { startNode } from './our-side.ts';
import type { Receiver } from './side.ts';
import type { EchoArgument } from './whisper.ts';

// Sends back what it hears.

const { side, pair } = childArgument<EchoArgument>();

if (side === 'ours') {
  const mesh = await startNode(pair, []);
  mesh.subscribe((event) => {
    if (event.kind === 'whisper') mesh.whisper(event.from, event.content);
  });
  serve({ address: () => addressOf(mesh.id, mesh.endpoint), dial: () => null });
} else {
  let dealer: Dealer | undefined;
  const { address } = await bareSide.receive({
    pair,
    onContent: (content) => void dealer?.send([whisperControl, content]),
  });
  serve({
    address: () => addressOf('', address.endpoint),
    dial(asker: Receiver) {
      dealer = dial(asker.address.endpoint, pair);
      return null;
    },
  });
}

function addressOf(id: string, endpoint: string): Receiver {
  return { id, address: { endpoint, publicKey: pair?.publicKey } };
}
