import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fullMesh, type LabNode, startLabNode } from '../support/lab-node.ts';
import { type Lab, labsUsable, startLab } from '../support/netlab.ts';
import { programsUsable } from '../support/requirement.ts';

// Two hosts that reach one another by their second interface only.

describe.skipIf(!labsUsable() || !programsUsable('curl', 'socat'))(
  'hosts with two interfaces',
  { timeout: 60_000 },
  () => {
    let lab: Lab;
    let directory: string;
    beforeEach(async () => {
      lab = await startLab({ hosts: 2 });
      directory = await mkdtemp(join(tmpdir(), 'tocsin-interfaces-'));
      await lab.addCable([1, 2]);
      await lab.partition([1], [2]);
    });
    afterEach(async () => {
      await lab[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    });

    function startOn(host: number, meshHost: string, way: string): Promise<LabNode> {
      return startLabNode(lab, host, join(directory, String(host)), [
        '--mesh-host',
        meshHost,
        '--discovery',
        way,
      ]);
    }

    test('beacons go out on every interface, and a peer that names an address out of reach is dialled where its beacon came from', async () => {
      const nodes = await Promise.all([startOn(1, '0.0.0.0', 'beacon'), startOn(2, '0.0.0.0', 'beacon')]);
      await fullMesh(nodes, 15_000);
      expect(await nodes[0]?.peers()).toMatchObject([
        { endpoint: expect.stringContaining('tcp://10.78.0.2:') },
      ]);
    });

    test.each(['beacon', 'mdns'])('%s runs on the interface that is chosen by its name', async (way) => {
      const nodes = await Promise.all([startOn(1, 'eth1', way), startOn(2, 'eth1', way)]);
      await fullMesh(nodes, 15_000);
      for (const [i, node] of nodes.entries()) {
        const endpoint = expect.stringContaining(`tcp://10.78.0.${2 - i}:`);
        expect(await node.peers()).toMatchObject([{ endpoint }]);
      }
    });

    test('a node behind a forwarded port is dialled at the host and port that it tells', async () => {
      await lab.heal();
      const outside = await startLabNode(lab, 2, join(directory, '2'), [
        ...['--mesh-host', lab.address(2), '--discovery', 'gossip', '--gossip-port', '5671'],
      ]);
      const forward = [`TCP-LISTEN:7000,bind=${lab.address(1)},fork,reuseaddr`, 'TCP:127.0.0.1:6000'];
      await lab.spawn(1, 'socat', forward);
      const inside = await startLabNode(lab, 1, join(directory, '1'), [
        ...['--mesh-host', '127.0.0.1', '--mesh-port', '6000', '--mesh-advertise', `${lab.address(1)}:7000`],
        ...['--discovery', 'gossip', '--seeds', `tcp://${lab.address(2)}:5671`],
      ]);
      await fullMesh([outside, inside], 15_000);
      expect(await outside.peers()).toMatchObject([{ endpoint: `tcp://${lab.address(1)}:7000` }]);
    });
  },
);
