// Headers say what a peer is before it says anything else. Start two, each with its own.
//
//     node examples/mesh/headers.mjs depot X-ROLE=store X-SPACE=120GB
//     node examples/mesh/headers.mjs sensor X-ROLE=sensor
import { startMesh } from 'tocsin/mesh';

const [name = 'somebody', ...pairs] = process.argv.slice(2);
// ZRE sends headers once, when two peers meet: what changes belongs into messages. Names begin with X- by convention.
const headers = Object.fromEntries(pairs.map((pair) => pair.split('=')));
const mesh = await startMesh({ name, headers });
process.once('SIGINT', () => mesh.stop());

for await (const event of mesh.events({ content: false })) {
  if (event.kind !== 'peer-entered') continue;
  const { peer } = event;
  console.log(`${peer.name} is a ${peer.headers.get('X-ROLE')} with ${peer.headers.get('X-SPACE') ?? 'no'} space`);
  const stores = mesh.peers().filter((known) => known.headers.get('X-ROLE') === 'store');
  console.log(`stores: ${stores.map((store) => store.name).join(', ') || 'none'}`);
}
