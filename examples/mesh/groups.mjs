// Shouts go to the members of a group; the one who shouts need not be one. Start two that listen, then one that shouts, and
// say for how many it is to wait.
//
//     node examples/mesh/groups.mjs listen weather
//     node examples/mesh/groups.mjs listen weather sports
//     node examples/mesh/groups.mjs shout sports=1 weather=2
import { startMesh, textOf } from 'tocsin/mesh';

const [role, ...groups] = process.argv.slice(2);
const mesh = await startMesh({ name: `${role} ${groups.join('+')}` });
process.once('SIGINT', () => mesh.stop());

if (role === 'listen') {
  for (const group of groups) mesh.join(group);
  for await (const event of mesh.events()) {
    if (event.kind === 'peer-joined') console.log(`${mesh.peer(event.id)?.name} joined ${event.group}`);
    if (event.kind === 'shout') console.log(`${event.group}: ${textOf(event.content)}`);
  }
} else {
  for (const [group, count] of groups.map((text) => text.split('='))) {
    // A shout reaches who has joined when it is sent, so wait for those whom it is meant for.
    await mesh.waitForPeers({ group, count: Number(count ?? 1), signal: AbortSignal.timeout(10_000) });
    console.log(`${mesh.shout(group, `news of ${group}`)} in ${group} were told`);
  }
}
await mesh.stop();
