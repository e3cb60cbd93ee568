// A key that lets no one else in. All who have it are the mesh; without it nobody is seen, heard or connected.
//
//     export MESH_KEY=$(openssl rand -base64 32)
//     node examples/mesh/secure.mjs Ada
import { curvePairOf, startMesh, textOf } from 'tocsin/mesh';

const [name = 'somebody'] = process.argv.slice(2);
const { MESH_KEY, MESH_KEY_PREVIOUS } = process.env;
// While keys rotate a node has both: the new one first, and it meets holders of either.
const keys = [MESH_KEY, MESH_KEY_PREVIOUS].filter(Boolean).map((key) => curvePairOf(Buffer.from(key, 'base64')));
const mesh = await startMesh({ name, keys });
process.once('SIGINT', () => mesh.stop());
mesh.join('vault');

for await (const event of mesh.events()) {
  if (event.kind === 'peer-joined') mesh.whisper(event.id, `${name} has the key too`);
  if (event.kind === 'whisper') console.log(textOf(event.content));
  // Whoever reaches the port can knock; this says why the door stayed shut.
  if (event.kind === 'stranger-refused') console.log(`refused somebody: ${event.reason}`);
}
