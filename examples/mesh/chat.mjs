// A chat without a server. Start it in two terminals or more, and type.
//
//     node examples/mesh/chat.mjs Ada
import { createInterface } from 'node:readline/promises';
import { startMesh, textOf } from 'tocsin/mesh';

const [name = 'somebody'] = process.argv.slice(2);
const mesh = await startMesh({ name });
process.once('SIGINT', () => mesh.stop());
mesh.join('chat');

// The iteration begins with the peers that are here already, and ends when the mesh stops.
async function listen() {
  for await (const event of mesh.events()) {
    if (event.kind === 'shout') console.log(`${mesh.peer(event.from)?.name}: ${textOf(event.content)}`);
    if (event.kind === 'peer-joined' && event.group === 'chat') console.log(`* ${mesh.peer(event.id)?.name} is here`);
    if (event.kind === 'peer-exited') console.log(`* ${event.name} left (${event.reason})`);
  }
}
const listening = listen();

for await (const line of createInterface({ input: process.stdin })) {
  if (mesh.shout('chat', line) === 0) console.log('* nobody is here yet');
}
await mesh.stop();
await listening;
