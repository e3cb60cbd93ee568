import { describe, expect, test } from 'vitest';

import { labsUsable, startLab } from '../support/netlab.ts';
import { spawnLines } from '../support/process.ts';
import { buildCzmqPeer, czmqPeer } from './czmq-peer.ts';

// What libczmq's own peers do with each other: the baseline that our node must meet when it takes a side.

const built = buildCzmqPeer();

describe.skipIf(!built)('zgossip of libczmq', () => {
  test('a hub and a client end up with the tuples of both', async () => {
    await using hub = await spawnLines(czmqPeer, ['hub', 'tcp://127.0.0.1:*', 'HUB', 'tcp://127.0.0.1:1']);
    const endpoint = (await hub.line(/^bound /)).slice('bound '.length);
    await using client = await spawnLines(czmqPeer, ['client', endpoint, 'CLIENT', 'tcp://127.0.0.1:2']);

    await client.line(/^tuple HUB tcp:\/\/127\.0\.0\.1:1$/);
    await hub.line(/^tuple CLIENT tcp:\/\/127\.0\.0\.1:2$/);
  });

  test('a hub teaches a late client what an earlier one has said', async () => {
    await using hub = await spawnLines(czmqPeer, ['hub', 'tcp://127.0.0.1:*']);
    const endpoint = (await hub.line(/^bound /)).slice('bound '.length);
    await using early = await spawnLines(czmqPeer, ['client', endpoint, 'EARLY', 'tcp://127.0.0.1:1']);
    await hub.line(/^tuple EARLY /);
    expect(await early.stop()).toEqual({ code: null, signal: 'SIGTERM' });

    await using late = await spawnLines(czmqPeer, ['client', endpoint]);
    await late.line(/^tuple EARLY tcp:\/\/127\.0\.0\.1:1$/);
  });

  test('a hub keeps what is published while it runs, and ends with its input', async () => {
    await using hub = await spawnLines(czmqPeer, ['hub', 'tcp://127.0.0.1:*']);
    const endpoint = (await hub.line(/^bound /)).slice('bound '.length);
    hub.write('publish LATER tcp://127.0.0.1:1');
    await hub.line(/^tuple LATER /);
    await using client = await spawnLines(czmqPeer, ['client', endpoint]);
    await client.line(/^tuple LATER tcp:\/\/127\.0\.0\.1:1$/);

    hub.endInput();
    expect(await hub.ended).toEqual({ code: 0, signal: null });
  });
});

describe.skipIf(!built || !labsUsable())('zbeacon of libczmq', () => {
  const port = '5670';
  const beacon = (byte: string): string => `5A524501${byte.repeat(16)}C000`;

  test('two hosts of a LAN hear each other', async () => {
    await using lab = await startLab({ hosts: 2 });
    await using one = await lab.spawn(1, czmqPeer, ['beacon', port, beacon('11'), '100']);
    await using two = await lab.spawn(2, czmqPeer, ['beacon', port, beacon('22'), '100']);

    expect(await one.line(/^beacon /)).toBe(`beacon ${lab.address(2)} ${beacon('22')}`);
    expect(await two.line(/^beacon /)).toBe(`beacon ${lab.address(1)} ${beacon('11')}`);
  });

  test('a beacon does not cross a partition, and does once that has healed', async () => {
    await using lab = await startLab({ hosts: 3 });
    await using one = await lab.spawn(1, czmqPeer, ['beacon', port, beacon('11'), '100']);
    await using two = await lab.spawn(2, czmqPeer, ['beacon', port, beacon('22'), '100']);
    await using three = await lab.spawn(3, czmqPeer, ['beacon', port, beacon('33'), '100']);
    await one.line(new RegExp(beacon('22')));

    await lab.partition([1], [2, 3]);
    two.write(`publish ${beacon('AA')}`);
    await three.lines(3, new RegExp(beacon('AA')));
    two.write(`publish ${beacon('BB')}`);
    await three.line(new RegExp(beacon('BB')));
    await lab.heal();
    await one.line(new RegExp(beacon('BB')));

    expect(one.output('stdout').join('\n')).not.toContain(beacon('AA'));
  });
});
