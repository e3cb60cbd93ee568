import { startMesh, textOf } from 'tocsin/mesh';
import { describe, expect, test } from 'vitest';
import { startFleet } from '../e2e/fleet.ts';
import { spawnLines } from '../support/process.ts';
import { buildCzmqPeer, zrePeer } from './czmq-peer.ts';

// A peer in C that speaks ZRE by RFC 36 over libczmq's sockets, and knows nothing of us. It ends with a fault when a sequence or
// a group status does not fit, as libzyre would.

const built = buildCzmqPeer();
const stranger = 'CC00'.repeat(8);

describe.skipIf(!built)('a foreign ZRE peer', () => {
  test('sees our name, headers and groups, whispers to a program on tocsin/mesh and is answered', async () => {
    await using mesh = await startMesh({
      name: 'ours',
      headers: { 'X-TOCSIN': '1.2.3 http://127.0.0.1:8480' },
      discovery: [],
    });
    mesh.join('grüezi');
    const events = mesh.events();
    await using foreign = await spawnLines(zrePeer, [
      stranger,
      'theirs',
      mesh.endpoint,
      'chat',
      'X-ROLE',
      'c',
    ]);
    await foreign.line(/^ready$/);
    expect(await foreign.line(/^name /)).toBe('name ours');
    expect(await foreign.line(/^header X-TOCSIN /)).toBe('header X-TOCSIN 1.2.3 http://127.0.0.1:8480');
    expect(await foreign.line(/^group /)).toBe('group grüezi');

    foreign.write('whisper how are you?');
    foreign.write('shout grüezi mitenand');
    foreign.write('join extra');
    const heard: string[] = [];
    for await (const event of events) {
      if (event.kind === 'peer-entered') {
        expect(event.peer).toMatchObject({
          id: stranger,
          name: 'theirs',
          headers: new Map([['X-ROLE', 'c']]),
        });
      }
      if (event.kind === 'peer-joined') heard.push(`joined ${event.group}`);
      if (event.kind === 'whisper') {
        heard.push(`whispered ${textOf(event.content)}`);
        expect(mesh.whisper(event.from, 'fine, thanks')).toBe(true);
      }
      if (event.kind === 'shout') heard.push(`shouted ${event.group} ${textOf(event.content)}`);
      if (heard.length === 4) break;
    }
    expect(heard).toEqual([
      'joined chat',
      'whispered how are you?',
      'shouted grüezi mitenand',
      'joined extra',
    ]);
    expect(await foreign.line(/^whisper /)).toBe('whisper fine, thanks');

    // Its own count of our group status must stay right.
    mesh.join('more');
    mesh.leave('more');
    expect(mesh.shout('extra', 'to you')).toBe(1);
    expect(await foreign.line(/^shout /)).toBe('shout extra to you');
    expect(foreign.output('stdout')).toEqual(expect.arrayContaining(['join more', 'leave more']));

    const bye = mesh.events();
    foreign.write('quit');
    expect(await foreign.ended).toEqual({ code: 0, signal: null });
    for await (const event of bye) {
      if (event.kind !== 'peer-exited') continue;
      expect(event).toMatchObject({ id: stranger, name: 'theirs', reason: 'goodbye' });
      break;
    }
  });

  test('sees a node of Tocsin with its version, its HTTP address and its group, and people see it', async () => {
    await using fleet = await startFleet(1);
    const [node] = fleet.nodes;
    const status = JSON.parse((await fleet.run('status', '--json')).join('\n'));
    await using watch = await fleet.start('mesh', 'watch');
    await using foreign = await spawnLines(zrePeer, [stranger, 'theirs', status.endpoints.mesh, 'chat']);
    await foreign.line(/^ready$/);
    expect(await foreign.line(/^header X-TOCSIN /)).toBe(`header X-TOCSIN ${status.version} ${node?.url}`);
    expect(await foreign.line(/^group /)).toBe('group tocsin/1');
    expect(await watch.line(/ enter theirs cc00cc00 /)).toMatch(
      / endpoint=tcp:\/\/127\.0\.0\.1:\d+ groups=chat$/,
    );
    expect(await watch.line(/ join theirs /)).toMatch(/ cc00cc00 group=chat$/);
    const [titles, row] = await fleet.run('peers');
    expect(titles).toMatch(/^name .*id .*endpoint .*found_by .*rtt .*heard .*queue .*version .*groups$/);
    expect(row).toMatch(
      new RegExp(`^theirs +${stranger.toLowerCase()} +tcp://.* itself .* s +0 B +- +chat$`),
    );
    const headers = { authorization: `Bearer ${node?.token}` };
    const metrics = await (await fetch(`${node?.url}/metrics`, { headers })).text();
    expect(metrics).toContain('tocsin_mesh_peers{phase="ready"} 1\n');
    expect(metrics).toContain('tocsin_mesh_enters_total 1\n');
    foreign.write('quit');
    expect(await watch.line(/ exit theirs /)).toMatch(/ reason=goodbye$/);
  });
});
