// A question to one peer, and its answer. Start one that answers, then one that asks.
//
//     node examples/mesh/whisper.mjs answer
//     node examples/mesh/whisper.mjs ask 6 7
import { startMesh, textOf } from 'tocsin/mesh';

const [role, ...numbers] = process.argv.slice(2);
const mesh = await startMesh({ name: role });
process.once('SIGINT', () => mesh.stop());

if (role === 'answer') {
  mesh.join('calculators');
  for await (const event of mesh.events()) {
    if (event.kind !== 'whisper') continue;
    const { factors } = JSON.parse(textOf(event.content));
    const product = factors.reduce((so, factor) => so * factor, 1);
    // False would mean that the peer is gone, or takes nothing for so long that its outbox is full.
    const taken = mesh.whisper(event.from, JSON.stringify({ product }));
    console.log(`${mesh.peer(event.from)?.name} was told ${product}: ${taken}`);
  }
} else {
  const signal = AbortSignal.timeout(10_000);
  const [calculator] = await mesh.waitForPeers({ group: 'calculators', signal });
  const events = mesh.events({ signal });
  mesh.whisper(calculator, JSON.stringify({ factors: numbers.map(Number) }));
  for await (const event of events) {
    if (event.kind !== 'whisper') continue;
    console.log(`${numbers.join(' x ')} = ${JSON.parse(textOf(event.content)).product}`);
    break;
  }
}
await mesh.stop();
